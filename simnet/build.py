"""Scenario -> run folder: the only place that picks plug-ins by name, and the device."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import simnet
from simnet.codecs.base import Codec
from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.folders import made_folder, partial_folder, remove_abandoned
from simnet.core.garbage import rare_garbage
from simnet.core.plugins import KINDS
from simnet.core.records import Recorder
from simnet.core.surrogate_names import group_name
from simnet.core.tables import TABLES, DeliveryRow
from simnet.core.versions import library_versions
from simnet.data.base import ImageSet
from simnet.data.street_classes import CLASS_GROUPS
from simnet.net.arm import Arm
from simnet.net.plan import owners_of, plan_network
from simnet.net.protect import check_protect
from simnet.net.timeline import Event, Timeline
from simnet.phy.learned.on_air import Analog
from simnet.scenario.checks import arm_protocols
from simnet.scenario.dump import dump_scenario
from simnet.scenario.load import FilePlace, digests, files
from simnet.scenario.plugin_field import PluginSpec
from simnet.scenario.schema import Scenario, Source
from simnet.scenario.surrogates import surrogate_types, with_surrogate_sources
from simnet.signal.kept import Kept
from simnet.signal.plane import SignalPlane, SourceImages
from simnet.signal.surrogate_audit import audit_report
from simnet.signal.surrogates import Surrogates
from simnet.tasks.base import Task
from simnet.tasks.classification import Classification
from simnet.tasks.detection import Detection
from simnet.tasks.networks.detector import DETECTED
from simnet.tasks.segmentation import Segmentation
from simnet.tasks.source_identification import SourceIdentification
from simnet.topology.plan import NetworkPlan
from simnet.traffic.base import CatalogueItem, RequestPlan
from simnet.traffic.fitting import fitting
from simnet.traffic.named import left_out, traffic_of
from simnet.traffic.surrogate_items import surrogate_items

CALIBRATION_IMAGES = 256
"""At most so many images that aren't in the catalogue tell planners what a codec gives."""
LEAST_CALIBRATION_IMAGES = 32
SAMPLES_PER_CODEC = 3
OWN_FILES = {
    "scenario.yaml", "manifest.json", "trace.csv", "samples", "summary.json", "figures", "report.html",
    *(f"{table}.parquet" for table in TABLES),
}  # fmt: skip
"""What a run and its report leave in the run's folder."""


@dataclass(frozen=True)
class FinishedRun:
    """What a run left: its folder, and what it says of itself.

    Args:
        timeline: arm -> its events, if the scenario traces them.
    """

    path: Path
    manifest: dict[str, Any]
    timeline: dict[str, list[Event]]


@dataclass(frozen=True)
class Simulation:
    """A scenario with its plug-ins made and its surrogates written out: what all arms share."""

    scenario: Scenario
    plan: NetworkPlan
    catalogue: tuple[CatalogueItem, ...]
    plane: SignalPlane

    def run_arms(self, recorder: Recorder, progress: Callable[[str, float], None]) -> dict[str, dict[str, Any]]:
        """Simulate every arm. Returns arm -> accounts, wall time and timeline."""
        results: dict[str, dict[str, Any]] = {}
        for name, protocol in arm_protocols(self.scenario).items():
            began = time.perf_counter()
            timeline = Timeline(self.scenario.signal.trace)
            arm = Arm(name, self.scenario, protocol, self.plan, self.catalogue, self.plane, recorder, timeline)
            accounts = arm.run(self.requests(), lambda done, name=name: progress(name, done))  # type: ignore[misc]
            results[name] = {
                "accounts": accounts,
                "wall_s": time.perf_counter() - began,
                "timeline": timeline.events,
            }
        return results

    def requests(self) -> Iterator[RequestPlan]:
        """The wishes, in order of time; every arm gets the same."""
        scenario, duration_s = self.scenario, self.scenario.duration_s
        consumers = [node.name for node in self.plan.nodes if node.tier in scenario.consumers]
        traffic = traffic_of(scenario)
        wishes = traffic.requests(
            consumers=consumers, catalogue=self.catalogue, duration_s=duration_s, seed=scenario.seed
        )
        return fitting(wishes, type(traffic), consumers=consumers, catalogue=self.catalogue, duration_s=duration_s)


@rare_garbage()
def run_scenario(
    scenario: Scenario, *, out: Path, device: str = "cpu", quiet: bool = False, kept: Kept | None = None
) -> FinishedRun:
    """Simulate a scenario and leave its records in ``out/<name>-<hash>/``.

    The folder appears whole or not at all: it is written under another name and renamed at the end. What a killed run
    has left half-written in ``out`` is removed.

    Args:
        kept: what earlier runs with the same zoo have computed; this one adds to it.

    Raises:
        SimnetError: the scenario's parts don't fit, a file that it names is changed meanwhile, the device isn't there,
            or ``out`` can't be written.
        AccountingError: the run's accounts don't close (a bug).
    """
    began = time.perf_counter()
    remove_abandoned(made_folder(out))
    plugins, read = _plugin_digests(scenario), digests(scenario)
    torch.set_num_threads(1)  # results must not depend on the number of cores; small operators gain nothing by more
    simulation = build(scenario, device=device, kept=kept)
    built_s = time.perf_counter() - began
    recorder = Recorder()
    with _progress(quiet, len(arm_protocols(scenario))) as progress:
        arms = simulation.run_arms(recorder, progress)
    _check_unchanged(scenario, read)
    text = dump_scenario(scenario)
    named = {".".join(place): digest for place, digest in read.items()}
    manifest = {
        "simnet_version": simnet.__version__,
        "scenario": scenario.name,
        "description": scenario.description,
        "seed": scenario.seed,
        "scenario_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "files": named,
        "plugins": plugins,
        "duration_s": scenario.duration_s,
        "drain_s": scenario.drain_s,
        "left_out": left_out(scenario),
        "arms": list(arms),
        "sources": list(scenario.sources),
        "fidelity": {name: radio.fidelity for name, radio in scenario.radios.items()},
        "codec_fidelity": dict.fromkeys(scenario.sources, "neural")
        | dict.fromkeys((group_name(like) for like in simulation.plane.surrogates.likes), "surrogate"),
        "codecs": _codec_facts(simulation.plane, list(scenario.codecs)),
        "accounting": {name: result["accounts"] for name, result in arms.items()},
        "audit": _audits(scenario, simulation.plane),
        "surrogates": _surrogate_facts(scenario, simulation.plane),
        "bler_tables": _lookups(scenario, simulation.plane),
        "device": device,
        "machine": _machine(device),
        "libraries": library_versions(),
    }
    wall_s = {"build": built_s, "arms": {name: result["wall_s"] for name, result in arms.items()}}
    timeline = {name: result["timeline"] for name, result in arms.items()}
    path = out / f"{scenario.name}-{_hash(text, device, named | plugins)}"
    with _appearing(path) as folder:
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        _save_samples(folder / "samples", simulation.plane, recorder)
        if scenario.signal.trace:
            _save_trace(folder / "trace.csv", timeline)
        manifest["rows"] = recorder.write(folder)
        manifest["wall_s"] = {**wall_s, "total": time.perf_counter() - began}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return FinishedRun(path, manifest, timeline)


def _check_unchanged(scenario: Scenario, read: Mapping[FilePlace, str]) -> None:
    """Raises SimnetError if a file that the scenario names isn't what it was: who knows which of the two was read."""
    for place, digest in digests(scenario).items():
        if digest != read[place]:
            path = files(scenario)[place]
            raise SimnetError(
                f"{'.'.join(place)}: {path} was changed while the run read it; nothing was kept; run again"
            )


def check_device(device: str) -> None:
    """Raises SimnetError if this machine has no such device."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SimnetError("--device cuda: torch sees no CUDA device; use --device cpu, or install a build with CUDA")


def build(scenario: Scenario, *, device: str = "cpu", kept: Kept | None = None) -> Simulation:
    """Make the plug-ins that a scenario names.

    Args:
        kept: see :func:`run_scenario`.

    Raises:
        SimnetError: no such device, too few images, or parts that don't fit.
    """
    check_device(device)
    plan = plan_network(scenario)
    kept = kept or Kept()
    sources, catalogue = _catalogue(scenario, plan, device, kept)
    codecs = {name: _codec(spec, device, kept) for name, spec in scenario.codecs.items()}
    identifiers = {p.source_identification for p in arm_protocols(scenario).values()} - {None}
    if len(identifiers) > 1:
        names = ", ".join(map(str, identifiers))
        raise SimnetError(f"protocol.source_identification: arms name several: {names}; allowed one")
    identifier = _identifier(str(identifiers.pop()), device, kept) if identifiers else None
    plane = SignalPlane(codecs, sources, identifier=identifier, device=device, batch=scenario.signal.batch, kept=kept)
    _check_shapes(scenario, plane)
    _check_protection(scenario, plane)
    _check_analog(scenario, plane)
    if scenario.surrogates is None:
        return Simulation(scenario, plan, catalogue, plane)
    types, n_item = surrogate_types(scenario), len(catalogue)
    plane.add(Surrogates.of(scenario, types, n_item, plane))
    owners = [node.name for node in plan.nodes if node.tier == scenario.surrogates.owners]
    if not owners:
        raise SimnetError(
            f"surrogates.owners: got {scenario.surrogates.owners!r}, a tier without nodes; allowed: "
            f"{', '.join(sorted({node.tier for node in plan.nodes}))}, or add such nodes to the topology"
        )
    items = surrogate_items(scenario.surrogates, types, owners, first_item_id=n_item, seed=scenario.seed)
    catalogue += tuple(items)
    return Simulation(with_surrogate_sources(scenario), plan, catalogue, plane)


def _codec(spec: PluginSpec, device: str, kept: Kept) -> Codec:
    def make() -> Codec:
        codec: Codec = KINDS["codecs"].load(spec.kind)(spec.params, device=device)
        return codec

    return kept.once(("codec", spec.kind, spec.params.model_dump_json(), device), make)


def _identifier(name: str, device: str, kept: Kept) -> SourceIdentification:
    def make() -> SourceIdentification:
        identifier = SourceIdentification.from_zoo(name)
        identifier.network.to(device)
        return identifier

    return kept.once(("identifier", name, device), make)


def _check_shapes(scenario: Scenario, plane: SignalPlane) -> None:
    """Before the first arm runs: codecs take images of the size of those that they are to encode."""
    shapes = {name: profile.codec.image_shape for name, profile in plane.codecs.items()}
    for arm, protocol in arm_protocols(scenario).items():
        own = "codecs" in scenario.arms.get(arm, {})
        for source, names in protocol.codecs.items():
            wanted = plane.sources[source].shape if source in plane.sources else None
            for index, name in enumerate(names):
                if wanted is None or shapes.get(name) in (None, wanted):
                    continue
                fitting = [each for each, shape in shapes.items() if shape in (None, wanted)]
                raise SimnetError(
                    f"{f'arms.{arm}' if own else 'protocol'}.codecs.{source}.{index}: got {name!r}, which takes images "
                    f"of {shapes[name]}; {scenario.sources[source].dataset} has {wanted}. Allowed: "
                    f"{', '.join(fitting) or 'none of these codecs; add one of that shape'}."
                )


def _check_protection(scenario: Scenario, plane: SignalPlane) -> None:
    """Before the first arm runs: what every arm protects, its slices have."""
    for name, protocol in arm_protocols(scenario).items():
        codecs = dict.fromkeys(codec for source in scenario.sources for codec in protocol.codecs[source])
        slices = [slice_ for codec in codecs for slice_ in plane.codecs[codec].decoder_slices]
        own = "protect" in scenario.arms.get(name, {})
        check_protect(protocol.protect, slices, f"arms.{name}.protect" if own else "protocol.protect")


def _check_analog(scenario: Scenario, plane: SignalPlane) -> None:
    """Before the first arm runs: symbols have a link that can carry them, and plans count them."""
    for arm, protocol in arm_protocols(scenario).items():
        for source in scenario.sources:
            for name in protocol.codecs[source]:
                analog = plane.codecs[name].analog
                if analog is None:
                    continue
                where = f"arm {arm}, source {source}: codec {name} sends symbols"
                if protocol.planner.cost == "bytes":
                    raise SimnetError(f"{where}, which are no bytes: planner.cost: got bytes; allowed airtime, energy")
                if scenario.surrogates is not None and source in scenario.surrogates.like:
                    raise SimnetError(f"{where}, and surrogates are like {source}: leave out one of them")
                _check_carried(scenario, analog, where)


def _check_carried(scenario: Scenario, analog: Analog, where: str) -> None:
    fitting = {name: radio for name, radio in scenario.radios.items() if radio.fading in analog.fadings}
    if not fitting:
        got = ", ".join(f"{name}: {radio.fading}" for name, radio in scenario.radios.items()) or "no radios"
        raise SimnetError(f"{where} for fading {', '.join(analog.fadings)}: got {got}; no radio carries them")
    for name, radio in fitting.items():
        needs_s = analog.uses.airtime_s(radio.bandwidth_hz, radio.turnaround_s)
        if needs_s > radio.max_burst_s:
            raise SimnetError(
                f"{where}, {needs_s:.3g} s of them in one burst: radios.{name}.max_burst_s: got {radio.max_burst_s:g}; "
                "raise it or bandwidth_hz"
            )


def _catalogue(
    scenario: Scenario, plan: NetworkPlan, device: str, kept: Kept
) -> tuple[dict[str, SourceImages], tuple[CatalogueItem, ...]]:
    """Images for the signal plane; for the network only ids, types and owners."""
    sources: dict[str, SourceImages] = {}
    catalogue: list[CatalogueItem] = []
    for name, source in scenario.sources.items():
        content = ("images", source.dataset, source.labels, source.items, source.judge, source.wish.classes, device)
        images = kept.once(content, partial(_images, name, source, device))
        sources[name] = replace(images, first_item_id=len(catalogue), content=content)
        owners = owners_of(scenario, plan, name)
        for index in range(source.items):
            owner = owners[int(streams.uniform(scenario.seed, "owner", name, index) * len(owners))]
            catalogue.append(CatalogueItem(len(catalogue), name, owner))
    return sources, tuple(catalogue)


def _images(name: str, source: Source, device: str) -> SourceImages:
    """The first ``items`` shipped images of the source's labels; the others calibrate the planner."""
    data = KINDS["data"].load(source.dataset)().load("sample")
    task = _task(name, source, data, device)
    known = np.unique(data.labels).tolist() if data.labels.ndim == 1 else []
    if source.labels is not None and not set(source.labels) <= set(known):
        raise SimnetError(f"sources.{name}.labels: got {list(source.labels)}; {source.dataset} has {known}")
    chosen = np.arange(len(data)) if source.labels is None else np.flatnonzero(np.isin(data.labels, source.labels))
    most = len(chosen) - LEAST_CALIBRATION_IMAGES
    if source.items > most:
        raise SimnetError(
            f"sources.{name}.items: got {source.items}; allowed 1..{most}: {source.dataset} ships {len(chosen)} images "
            f"of these labels, of which {LEAST_CALIBRATION_IMAGES} are kept for the planner's cards"
        )
    items, calibration = chosen[: source.items], chosen[source.items :][:CALIBRATION_IMAGES]
    pixels = torch.tensor(data.images, device=device).float() / 255.0
    labels = torch.tensor(data.labels, device=device)
    return SourceImages(pixels[items], labels[items], pixels[calibration], labels[calibration], task, first_item_id=0)


def _task(name: str, source: Source, data: ImageSet, device: str) -> Task:
    """What measures ST of a source's images.

    Raises:
        SimnetError: the wish, the data set's labels and the judge don't fit each other.
    """
    where, dense, wished = f"sources.{name}", data.labels.ndim > 1, source.wish.task
    if dense != (wished in ("segmentation", "detection")) and wished != "decoder":
        has = "a label per pixel" if dense else "a label per image"
        allowed = "segmentation, detection" if dense else "classification"
        got = f"got {wished}, but {source.dataset} has {has}"
        raise SimnetError(f"{where}.wish.task: {got}; allowed {allowed}, decoder")
    shape: tuple[int, int, int] = data.images.shape[1:]
    if not dense:
        if source.wish.classes != "all":
            raise SimnetError(f"{where}.wish.classes: got {source.wish.classes}; only tasks on pixels know classes")
        recognition = Classification.judge_of(source.dataset, shape, source.judge, f"{where}.judge")
        recognition.network.to(device)
        return recognition
    if source.labels is not None:
        raise SimnetError(f"{where}.labels: {source.dataset} has a label per pixel; leave labels out")
    if wished == "detection":
        return _detection(where, source, data, device)
    classes = source.wish.classes
    names = CLASS_GROUPS[classes] if isinstance(classes, str) else classes
    if unknown := [c for c in names if c not in data.class_names[:-1]]:
        raise SimnetError(
            f"{where}.wish.classes: got {unknown[0]!r}; allowed {', '.join(data.class_names[:-1])}, "
            f"{', '.join(CLASS_GROUPS)}"
        )
    segmentation = Segmentation.from_zoo(source.judge, shape, [data.class_names.index(c) for c in names])
    segmentation.network.to(device)
    return segmentation


def _detection(where: str, source: Source, data: ImageSet, device: str) -> Detection:
    if unknown := set(DETECTED) - set(data.class_names):
        missing = ", ".join(sorted(unknown))
        raise SimnetError(f"{where}.wish.task: got detection, but {source.dataset} labels no {missing}")
    classes = DETECTED if source.wish.classes == "all" else source.wish.classes
    if isinstance(classes, str) or set(classes) - set(DETECTED):
        allowed = ", ".join(DETECTED)
        raise SimnetError(f"{where}.wish.classes: got {source.wish.classes!r}; detection allows all, {allowed}")
    shape: tuple[int, int, int] = data.images.shape[1:]
    labels = [data.class_names.index(name) for name in DETECTED]
    detection = Detection.from_zoo(source.judge, shape, labels, classes)
    detection.network.to(device)
    return detection


def _codec_facts(plane: SignalPlane, names: list[str]) -> dict[str, Any]:
    """Codec -> its slices by name with id and size, which made this run; the symbols of an analog code; and by source
    type what planners foresaw."""
    return {
        name: {
            "symbols": None if (analog := plane.codecs[name].analog) is None else sum(analog.uses),
            "decoder": {s.name: {"id": s.id, "n_byte": s.n_byte} for s in plane.codecs[name].decoder_slices},
            "encoder": {s.name: {"id": s.id, "n_byte": s.n_byte} for s in plane.codecs[name].encoder_slices},
            "cards": {
                source: {"code_byte": card.code_byte, "ss": card.ss, "n": card.n}
                for source, card in sorted(plane.codecs[name].cards.items())
            },
        }
        for name in names
    }


def _surrogate_facts(scenario: Scenario, plane: SignalPlane) -> dict[str, Any] | None:
    """How many source types were drawn, not run, what they are like, how large their decoders are, and the audit."""
    if scenario.surrogates is None:
        return None
    return {
        "types": plane.surrogates.likes,
        "decoder_byte": plane.surrogates.decoder_byte(),
        "audit": audit_report(plane) if scenario.surrogates.audit else None,
    }


def _audits(scenario: Scenario, plane: SignalPlane) -> dict[str, float] | None:
    audited = any(radio.audit and radio.fidelity == "table" for radio in scenario.radios.values())
    return plane.audit_report() if audited else None


def _lookups(scenario: Scenario, plane: SignalPlane) -> dict[str, float] | None:
    return plane.lookup_report() if any(radio.fidelity == "table" for radio in scenario.radios.values()) else None


def _save_samples(folder: Path, plane: SignalPlane, recorder: Recorder) -> None:
    """Some originals and what arrived of them, as PNG, with an index for the report."""
    folder.mkdir()
    index, taken = [], dict[tuple[str, str, str], set[int]]()
    for delivery in recorder.rows["deliveries"]:
        assert isinstance(delivery, DeliveryRow)
        if delivery.item_id in plane.surrogates:
            continue
        group = taken.setdefault((delivery.arm, delivery.source_type, delivery.codec), set())
        if delivery.damaged or delivery.mixed_with is not None:
            continue
        if delivery.item_id in group or len(group) >= SAMPLES_PER_CODEC:
            continue
        group.add(delivery.item_id)
        original, recovered = f"{delivery.item_id}.png", f"{delivery.item_id}-{delivery.codec}.png"
        if not (folder / original).exists():
            _save_png(folder / original, plane.original(delivery.item_id))
        if not (folder / recovered).exists():
            _save_png(folder / recovered, plane.recover(delivery.item_id, delivery.codec))
        index.append(
            {
                "source_type": delivery.source_type,
                "item_id": delivery.item_id,
                "arm": delivery.arm,
                "codec": delivery.codec,
                "original": f"samples/{original}",
                "recovered": f"samples/{recovered}",
                "ss": delivery.ss,
                "psnr_db": None if delivery.psnr_db == math.inf else delivery.psnr_db,  # JSON knows no infinity
                "code_byte": delivery.code_byte,
                "spared_noise": plane.codecs[delivery.codec].analog is not None,
            }
        )
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _save_png(path: Path, image: torch.Tensor) -> None:
    """Write an image [C, H, W] float32 in [0, 1]."""
    pixels = (image.cpu() * 255.0).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(path)


def _save_trace(path: Path, timeline: dict[str, list[Event]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("arm", "time_s", "node", "event"))
        writer.writerows((arm, repr(e.time_s), e.node, e.text) for arm, events in timeline.items() for e in events)


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A folder to write into, which takes its name only when the block has ended well; else it is removed.

    It replaces what an earlier run of the same has left; what others have put there stays.
    """
    try:
        with partial_folder(path) as partial:
            yield partial
            for kept in path.iterdir() if path.is_dir() else ():
                if kept.name not in OWN_FILES and not (partial / kept.name).exists():
                    kept.rename(partial / kept.name)
            shutil.rmtree(path, ignore_errors=True)
            partial.rename(path)
    except OSError as error:
        raise SimnetError(f"cannot write the run to {path}: {error.strerror or error}; nothing was kept") from error


@contextmanager
def _progress(quiet: bool, n_arms: int) -> Iterator[Callable[[str, float], None]]:
    """Tells how far the simulation is: a bar over all arms on a terminal, else a line per arm; nothing if quiet."""
    console = Console(stderr=True)
    if quiet:
        yield lambda arm, done: None
    elif not console.is_terminal:
        begun: set[str] = set()

        def line(arm: str, done: float) -> None:
            if arm not in begun:
                begun.add(arm)
                console.print(f"simulating arm {arm} ({len(begun)} of {n_arms})", highlight=False)

        yield line
    else:
        columns = (
            TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("simulating", total=float(n_arms))
            finished: list[str] = []

            def report(arm: str, done: float) -> None:
                bar.update(task, description=f"arm {arm}", completed=len(finished) + done)
                if done >= 1.0:
                    finished.append(arm)

            yield report


def _plugin_digests(scenario: Scenario) -> dict[str, str]:
    """Digests of the plug-ins that the scenario names: ``traffic/rush`` -> its file's, or its package's."""
    protocols = arm_protocols(scenario).values()
    named = {
        ("topology", scenario.topology.kind),
        ("traffic", scenario.traffic.kind),
        *(("codecs", codec.kind) for codec in scenario.codecs.values()),
        *(("data", source.dataset) for source in scenario.sources.values()),
        *(("propagation", protocol.propagation.kind) for protocol in protocols),
        *(("store", protocol.store.policy.kind) for protocol in protocols),
    }
    return {f"{folder}/{name}": KINDS[folder].digest(name) for folder, name in sorted(named)}


def _hash(text: str, device: str, named: Mapping[str, str]) -> str:
    """Names the run folder: the resolved scenario and the files and plug-ins that it names, the seed in it, the code's
    version and the device."""
    whole = [simnet.__version__, device, text, *(f"{key} {digest}" for key, digest in named.items())]
    return hashlib.blake2b("\n".join(whole).encode(), digest_size=4).hexdigest()


def _machine(device: str) -> dict[str, str]:
    """What a run was made on: results may differ in their last digits where this does."""
    features = str(torch.backends.cpu.get_cpu_capability())
    facts = {"python": platform.python_version(), "processor": platform.machine(), "cpu": features}
    if device.startswith("cuda"):
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts
