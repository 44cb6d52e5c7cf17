"""Labels, originals and tensors never reach a node (DESIGN §2): neither by import nor by any chain of references."""

from __future__ import annotations

import ast
import gc
import types
from pathlib import Path
from typing import Any

import pytest
import torch

import simnet.net
from simnet.signal.ticket import TicketQueue
from tests.support.tiny import Tiny, images
from tests.support.world import Run, simulate

FORBIDDEN = ("torch", "numpy", "simnet.data", "simnet.tasks", "simnet.codecs")


def test_no_module_of_the_network_imports_tensors_labels_or_codecs() -> None:
    files = sorted(Path(simnet.net.__path__[0]).rglob("*.py"))
    assert len(files) > 20
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wrong = [name for name in names if any(name == f or name.startswith(f"{f}.") for f in FORBIDDEN)]
            assert not wrong, f"{file.name} imports {wrong}"


@pytest.fixture(scope="module", params=["arq", "none"])
def run(request: pytest.FixtureRequest) -> Run:
    changes = {"radios.radio.protection": request.param, "protocol.ss_feedback": "oracle"}
    codecs = {"tiny": Tiny(quality=0.6), "jpeg": Tiny(name="jpeg", n_slice=0, code_byte=90)}
    changes["protocol.codecs"] = {"shapes": ["tiny", "jpeg"]}
    return simulate([(float(i), "reader", i) for i in range(8)], changes, codecs=codecs)


def reachable(root: object) -> list[Any]:
    """All that can be reached, except through the signal plane, tickets, modules, classes and functions' globals."""
    skip = (types.ModuleType, type, types.FrameType, types.BuiltinFunctionType, TicketQueue)
    seen: dict[int, Any] = {}
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, skip) or type(thing).__module__ == "simnet.signal.plane":
            continue
        seen[id(thing)] = thing
        if isinstance(thing, types.FunctionType):
            waiting += thing.__closure__ or ()
        else:
            waiting += gc.get_referents(thing)
    return list(seen.values())


def test_the_walk_finds_what_it_looks_for() -> None:
    node = types.SimpleNamespace(secret=[{"x": images([1])}], plain=b"abc")
    found = reachable(node)
    assert any(isinstance(thing, torch.Tensor) for thing in found) and b"abc" in found


def test_no_tensor_label_or_original_is_reachable_from_a_node(run: Run) -> None:
    source = run.arm.plane.sources["shapes"]
    assert source.items.shape[0] == 8
    pixels = {bytes_of(image) for image in source.items} | {bytes_of(image, scale=255.0) for image in source.items}
    network = run.arm.network
    all_frames = []
    for root in (*network.nodes.values(), *network.links.values(), network):
        found = reachable(root)
        assert len(found) > 25
        assert not [thing for thing in found if isinstance(thing, torch.Tensor)]
        assert not [thing for thing in found if thing is source or thing is source.labels]
        frames = [thing for thing in found if isinstance(thing, bytes | bytearray)]
        all_frames += frames
        assert not [frame for frame in frames if any(image in bytes(frame) for image in pixels)]
    assert all_frames


def test_requests_and_deliveries_carry_no_label(run: Run) -> None:
    columns = {name for rows in run.recorder.rows.values() for row in rows[:1] for name in type(row).__slots__}
    assert "outcome" in columns
    assert not [name for name in columns if "label" in name or "truth" in name]


def bytes_of(image: torch.Tensor, scale: float | None = None) -> bytes:
    """An image as floats, or as the bytes that a lossless codec would send."""
    raw: bytes = (image if scale is None else (image * scale).round().to(torch.uint8)).numpy().tobytes()
    return raw
