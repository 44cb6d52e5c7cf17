"""Surrogates: real sizes, codes and measurements of their originals' calibration images, and an audit that can tell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.scenario.schema import Scenario
from simnet.scenario.surrogates import surrogate_types
from simnet.signal.judge import Judge
from simnet.signal.plane import SignalPlane, SourceImages
from simnet.signal.surrogate_audit import audit_report
from simnet.signal.surrogates import Surrogates
from tests.support.tiny import N_CLASS, BrightQuadrant, Tiny, images
from tests.support.world import BASE, merged

N_ITEM, N_CALIBRATION, FIRST = 40, 64, 1000


def plane(codecs: dict[str, Any], *, unlike: bool = False, **spec: object) -> SignalPlane:
    """A plane with surrogates like ``shapes``, whose items start at ``FIRST``.

    Args:
        unlike: every catalogue item is of class 0, so that calibration images don't speak for them.
        spec: of the surrogates.
    """
    changes = {
        "codecs": {name: {"kind": "aesc", "model": "digits_z40"} for name in codecs},  # semantic, like Tiny
        "protocol.codecs": {"shapes": list(codecs)},
        "surrogates": {"count": 6, "like": ["shapes"], "items": 20, **spec},
        "arms": {"shared": {}, "whole": {"slice_sharing": False}},
    }
    scenario = Scenario.model_validate(merged(BASE, changes))
    labels = torch.zeros(N_ITEM, dtype=torch.int64) if unlike else torch.arange(N_ITEM) % N_CLASS
    calibration = torch.arange(N_CALIBRATION) % N_CLASS
    source = SourceImages(
        images(labels.tolist()), labels, images(calibration.tolist()), calibration, BrightQuadrant(), 0
    )
    signal = SignalPlane(codecs, {"shapes": source})
    signal.add(Surrogates.of(scenario, surrogate_types(scenario), FIRST, signal))
    return signal


class Picky(Tiny):
    """Only class 0 doesn't come out grey."""

    def encode(self, images: torch.Tensor) -> list[bytes]:
        codes = super().encode(images)
        return [code if max(code[:4]) == code[0] else bytes([128] * 4) + code[4:] for code in codes]


def measured(signal: SignalPlane, item_id: int, codec: str) -> Any:
    code = signal.result(signal.encode(item_id, codec))
    return signal.result(signal.measure(item_id, codec, code.data, signal.codecs[codec].decoder_slices))


def test_an_item_is_worth_what_its_calibration_image_is_when_networks_run_on_it() -> None:
    signal = plane({"tiny": Tiny(quality=0.6, header_byte=3)})
    source, codec = signal.sources["shapes"], signal.codecs["tiny"].codec
    judge = Judge(source.task, source.calibration, source.calibration_labels)
    rows = [signal.surrogates.row(FIRST + 20 + i) for i in range(20)]
    codes = codec.encode(source.calibration[rows])
    expected = judge.measure(codec.decode(codes, codec.decoder_slices), torch.tensor(rows))
    assert len(set(rows)) > 10 and len({m.ss for m in expected}) == 2
    for i, (code, measurement) in enumerate(zip(codes, expected, strict=True)):
        got = signal.result(signal.encode(FIRST + 20 + i, "tiny.0001"))
        assert (got.data, got.header_byte) == (code, 3)
        assert measured(signal, FIRST + 20 + i, "tiny.0001") == measurement


def test_one_item_has_one_original_whatever_codec_brings_it() -> None:
    signal = plane({"good": Tiny(name="good"), "bad": Tiny(name="bad", quality=0.2)})
    pairs = [(measured(signal, FIRST + i, "good.0000"), measured(signal, FIRST + i, "bad.0000")) for i in range(20)]
    assert all(good.st_original == bad.st_original for good, bad in pairs)
    assert any(good.st_recovered != bad.st_recovered for good, bad in pairs)


def test_rows_are_drawn_evenly_and_differ_from_type_to_type() -> None:
    signal = plane({"tiny": Tiny()}, count=40, items=50)
    rows = [signal.surrogates.items[f"shapes_{i:04d}"].rows for i in range(40)]
    assert len(set(rows)) == 40
    counts = np.bincount(np.concatenate(rows), minlength=N_CALIBRATION)
    expected = 2000 / N_CALIBRATION
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi2 - (N_CALIBRATION - 1)) < 4 * math.sqrt(2 * (N_CALIBRATION - 1))


def test_without_spread_sizes_and_costs_are_the_original_s() -> None:
    signal = plane({"tiny": Tiny(n_slice=2, encode_flop=7000, decode_flop=9000)})
    original, copy = signal.codecs["tiny"], signal.codecs["tiny.0002"]
    assert [s.n_byte for s in copy.decoder_slices] == [s.n_byte for s in original.decoder_slices]
    assert [s.n_byte for s in copy.encoder_slices] == [s.n_byte for s in original.encoder_slices]
    assert (copy.encode_flop, copy.decode_flop) == (7000, 9000)
    assert copy.decoder_slices[1].requires == (copy.decoder_slices[0].id,)
    assert copy.card("shapes_0002") == original.card("shapes")
    assert signal.image_shape("shapes_0002") == signal.image_shape("shapes")
    ids = {s.id for i in range(6) for s in signal.codecs[f"tiny.{i:04d}"].decoder_slices}
    assert len(ids) == 12


def test_a_family_shares_its_trunk_and_a_whole_decoder_is_trunk_and_rest() -> None:
    signal = plane({"tiny": Tiny(decoder_byte=4000)}, count=30, families=3, shared=0.6, size_spread=0.4)
    original = signal.codecs["tiny"].decoder_slices[0].n_byte
    trunks: dict[int, set[str]] = {}
    for i in range(30):
        sliced, whole = signal.codecs[f"tiny.{i:04d}s"], signal.codecs[f"tiny.{i:04d}"]
        trunk, rest = sliced.decoder_slices
        type_ = signal.surrogates.profiles[sliced.name].type_
        assert rest.requires == (trunk.id,) and trunk.requires == ()
        assert trunk.n_byte == round(0.6 * type_.trunk_factor * original)
        assert rest.n_byte == round(0.4 * type_.rest_factor * original)
        assert abs(trunk.n_byte + rest.n_byte - sum(s.n_byte for s in whole.decoder_slices)) <= 1
        trunks.setdefault(type_.family, set()).add(trunk.id)
    assert sorted(trunks) == [0, 1, 2] and all(len(ids) == 1 for ids in trunks.values())
    assert len(set.union(*trunks.values())) == 3


@pytest.mark.parametrize("fault", ["code", "slices", "other"])
def test_what_nobody_measured_is_refused(fault: str) -> None:
    signal = plane({"tiny": Tiny()})
    code = signal.result(signal.encode(FIRST, "tiny.0000")).data
    slices = signal.codecs["tiny.0001" if fault == "other" else "tiny.0000"].decoder_slices
    code, slices = (code[:-1] + b"?" if fault == "code" else code), (() if fault == "slices" else slices)
    with pytest.raises(
        SimnetError, match=r"surrogate codec tiny\.0000: got a code of 40 bytes with .*; allowed only its"
    ):
        signal.result(signal.measure(FIRST, "tiny.0000", code, slices))


def audit(signal: SignalPlane) -> dict[str, Any]:
    for i in range(6):
        for item_id in range(FIRST + 20 * i, FIRST + 20 * i + 20):
            measured(signal, item_id, f"tiny.{i:04d}")
    return audit_report(signal)


def test_the_audit_s_means_are_those_of_the_images_that_it_drew() -> None:
    """Every measurement audited: the surrogates' mean is that of all, and the networks' within its interval."""
    signal = plane({"tiny": Tiny(quality=0.5)}, audit=1)
    report = audit(signal)
    rows = [signal.surrogates.row(FIRST + i) for i in range(120)]
    of_rows = [signal.codecs["tiny"].calibration("shapes").measured[row].ss for row in rows]
    assert report["measurements"] == report["n_surrogate"] == report["n_neural"] == 120
    assert report["ss_surrogate"] == pytest.approx(np.mean(of_rows))
    of_items = np.array([measured(signal, i, "tiny").ss for i in range(N_ITEM)])
    assert abs(report["ss_neural"] - of_items.mean()) < 4 * of_items.std() / math.sqrt(120)
    assert report["difference"] == pytest.approx(report["ss_surrogate"] - report["ss_neural"])
    # images repeat, so the interval is wider than that of 120 independent pairs
    naive = 1.96 * math.sqrt((np.var(of_rows) + of_items.var()) / 120)
    assert naive < report["half_width"] < 3 * naive


def test_the_audit_finds_images_for_which_calibration_does_not_speak() -> None:
    """Networks do well on all of class 0; surrogates, drawn from all classes, fail on three of four."""
    alike, unlike = (audit(plane({"tiny": Picky()}, audit=0.8, unlike=unlike)) for unlike in (False, True))
    assert alike["measurements"] == unlike["measurements"] and 0 < alike["measurements"] < 120
    assert abs(alike["difference"]) < 2 * alike["half_width"]  # four standard errors
    assert unlike["difference"] < -3 * unlike["half_width"]
    assert unlike["ss_neural"] == 1.0 and abs(unlike["ss_surrogate"] - (1 + 3 * 0.25) / 4) < unlike["half_width"] * 2


def test_no_audit_where_none_is_asked_for() -> None:
    report = audit(plane({"tiny": Tiny()}, audit=0))
    assert report["measurements"] == 0 and report["difference"] is None and report["ss_neural"] is None
