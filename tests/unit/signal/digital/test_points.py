"""The best combination: by hand on a ladder of two rungs, and never above capacity on real codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

from simnet.cli import app
from simnet.codecs.jpeg import Jpeg
from simnet.core.errors import SimnetError
from simnet.core.mcs import mcs_by_name
from simnet.data.cifar10 import Cifar10
from simnet.data.mnist import Mnist
from simnet.signal.digital.ladder import Ladder, Rung, Viewer, Worth, climb, from_mosaics, to_mosaics
from simnet.signal.digital.points import CRITERIA, SCHEMES, Budget, best, bound, measure_points, read_points
from simnet.signal.digital.transport import Fading, delivery
from simnet.tasks.classification import Classification

JUDGE = "classifier/cifar10_features"
FADINGS: tuple[Fading, ...] = ("awgn", "rayleigh_block", "rayleigh_fast")


def worth(psnr: list[float], hit: list[float]) -> Worth:
    return Worth(np.array(psnr), np.array(hit), np.array(hit) * 0.5)


def rung(n_byte: list[int], psnr: list[float], hit: list[float], header: int = 0) -> Rung:
    return Rung("", np.array(n_byte), np.full(len(n_byte), header), worth(psnr, hit))


LADDER = Ladder(
    1,
    (
        rung([3, 3], [14, 15], [0, 0]),
        rung([90, 130], [25, 26], [1, 0], header=60),
        rung([190, 200], [30, 31], [1, 1], 60),
    ),
    lost=worth([12, 12], [0, 0]),
    original=worth([99, 99], [1, 1]),
)


def test_every_unit_sends_the_finest_code_that_fits() -> None:
    """288 symbols of QPSK 1/2: one block of 33 bytes; without 60 bytes of header the first unit's middle rung fits."""
    budget = Budget(288, "awgn", 100.0)
    counted = best(LADDER, budget, strip=False, schemes=["QPSK 1/2"], criterion="psnr")
    assert (counted.psnr_db, counted.accuracy, counted.fallback) == pytest.approx((14.5, 0.0, 1.0), rel=1e-5)
    stripped = best(LADDER, budget, strip=True, schemes=["QPSK 1/2"], criterion="psnr")
    assert (stripped.psnr_db, stripped.accuracy, stripped.fallback) == pytest.approx((20.0, 0.5, 0.5), rel=1e-5)
    assert (stripped.mean_byte, stripped.ss) == pytest.approx((16.5, 0.5), rel=1e-5)


def test_what_is_lost_is_worth_what_nothing_is() -> None:
    esno = 10**0.05
    p = delivery(30, mcs_by_name("QPSK 1/2"), "short", "awgn", esno)
    assert 0.01 < p < 0.99
    outcome = best(LADDER, Budget(288, "awgn", esno), strip=True, schemes=["QPSK 1/2"], criterion="psnr")
    assert outcome.psnr_db == pytest.approx((p * 25 + (1 - p) * 12 + p * 15 + (1 - p) * 12) / 2)
    assert outcome.delivered == pytest.approx(p)


def test_nothing_is_sent_where_not_even_a_colour_fits() -> None:
    outcome = best(LADDER, Budget(10, "awgn", 100.0), strip=True, schemes=SCHEMES, criterion="psnr")
    assert (outcome.psnr_db, outcome.delivered, outcome.mean_byte, outcome.fallback) == (12.0, 0.0, 0.0, 1.0)


def test_the_scheme_is_chosen_by_what_is_asked_for() -> None:
    """At 5 dB QPSK is sure; at 25 dB 64-QAM carries more in the same symbols."""
    chosen = [
        best(LADDER, Budget(400, "awgn", 10 ** (db / 10)), strip=False, schemes=SCHEMES, criterion="psnr")
        for db in (5.0, 25.0)
    ]
    assert chosen[0].scheme.startswith("QPSK") and chosen[1].scheme.startswith("64-QAM")
    assert chosen[1].psnr_db > chosen[0].psnr_db


def test_capacity_in_awgn_is_shannon_s() -> None:
    """log2(1 + 15) = 4 bit per symbol: 400 symbols carry 200 bytes, 399 do not."""
    outcomes = [bound(LADDER, Budget(n, "awgn", 15.0), strip=False, criterion="psnr") for n in (400, 399)]
    assert [o.psnr_db for o in outcomes] == [30.5, (30 + 26) / 2]


@pytest.fixture(scope="module")
def viewer() -> Viewer:
    data = Cifar10().load("sample").first(16)
    return Viewer(torch.tensor(data.images) / 255, torch.tensor(data.labels), Classification.from_zoo(JUDGE))


@pytest.fixture(scope="module", params=[1, 2])
def ladder(request: pytest.FixtureRequest, viewer: Viewer) -> Ladder:
    return climb(Jpeg, {}, [0, 5, 10, 20, 40, 60, 80, 95], viewer, request.param)


@pytest.mark.parametrize("fading", FADINGS)
@pytest.mark.parametrize("esno_db", [0.0, 8.0, 20.0])
def test_no_combination_beats_capacity(ladder: Ladder, fading: Fading, esno_db: float) -> None:
    for symbols in (40, 256, 1216):
        for strip in (True, False):
            budget = Budget(symbols, fading, 10 ** (esno_db / 10))
            for criterion in CRITERIA:
                sent = best(ladder, budget, strip=strip, schemes=SCHEMES, criterion=criterion)
                limit = bound(ladder, budget, strip=strip, criterion=criterion)
                assert sent.of(criterion) <= limit.of(criterion) + 1e-9


def test_mosaics_come_apart_again(viewer: Viewer) -> None:
    mosaics = to_mosaics(viewer.images, 4)
    assert mosaics.shape == (1, 3, 128, 128)
    assert torch.equal(mosaics[0, :, :32, 32:64], viewer.images[1])
    assert torch.equal(from_mosaics(mosaics, 4), viewer.images)


def test_rungs_hold_what_the_codec_makes(viewer: Viewer) -> None:
    ladder = climb(Jpeg, {"subsampling": "4:4:4"}, [30], viewer, 1)
    codec = Jpeg(Jpeg.Params(image_shape=(3, 32, 32), quality=30, subsampling="4:4:4"))
    codes = codec.encode(viewer.images)
    assert ladder.rungs[1].n_byte.tolist() == [len(code) for code in codes]
    assert ladder.rungs[1].n_header.tolist() == [codec.header_byte(code) for code in codes]
    error = (codec.decode(codes) - viewer.images).double().square().mean((1, 2, 3))
    assert ladder.rungs[1].worth.psnr_db == pytest.approx((-10 * error.log10()).numpy())
    assert ladder.rungs[0].n_byte.tolist() == [3] * 16, "the mean colour"


def test_the_mean_of_a_grey_image_is_a_byte() -> None:
    data = Mnist().load("sample").first(16)
    task = Classification.from_zoo("classifier/digits_judge")
    grey = Viewer(torch.tensor(data.images) / 255, torch.tensor(data.labels), task)
    assert climb(Jpeg, {}, [30], grey, 1).rungs[0].n_byte.tolist() == [1] * 16


def test_images_that_fill_no_mosaic(viewer: Viewer) -> None:
    with pytest.raises(SimnetError, match="mosaics of 3 x 3: got 16 images; allowed multiples of 9"):
        climb(Jpeg, {}, [30], viewer, 3)


CONTENT: dict[str, Any] = {
    "data_set": "cifar10",
    "judge": JUDGE,
    "codecs": {"jpeg": {"kind": "jpeg", "quality": [5, 50]}},
    "symbols": [512],
    "esno_db": [10],
}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(CONTENT | changes))
    return path


def test_the_verb_writes_one_row_per_point_and_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Cifar10().load("sample").first(8)
    monkeypatch.setattr(Cifar10, "load", lambda self, split, root=None: few)
    file = write(tmp_path / "digital.yaml", criteria=["psnr"])
    done = CliRunner().invoke(app, ["baseline", str(file), "--quiet"])
    assert done.exit_code == 0, done.output
    header, *rows = (tmp_path / "digital.csv").read_text().splitlines()
    assert header.startswith("codec,side,header,fading,esno_db,symbols,best_for,scheme,delivered")
    assert len(rows) == 4 and sum(",capacity," in row for row in rows) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codecs": {"jpeg": {"kind": "aesc", "quality": [5]}}}, "codecs.jpeg.kind: got 'aesc'; allowed avif, hevc"),
        ({"codecs": {"jpeg": {"kind": "jpeg", "quality": 5}}}, "codecs.jpeg.quality: got 5; allowed a list of 1 … 100"),
        ({"schemes": ["QPSK 1/9"]}, "QPSK 1/9"),
        ({"symbols": []}, "symbols: got"),
        ({"symbols": [0]}, "symbols.0: got 0"),
        ({"sides": [0]}, "sides.0: got 0"),
        ({"fadings": []}, "fadings: got"),
        ({"codecs": {"jpeg": {"kind": "jpeg", "quality": [5], "colour": 1}}}, "jpeg: colour: got an unknown key"),
        ({"sides": [1, 3]}, "mosaics of 3 x 3: got 1000 images; allowed multiples of 9"),
        ({"data_set": "camvid_small", "codecs": CONTENT["codecs"]}, "got 'camvid_small' with a label per pixel"),
        ({"colour": 1}, "colour"),
        ({"data_set": "mnist"}, r"judge: .* takes images of \(3, 32, 32\), mnist has \(1, 28, 28\)"),
        ({"codecs": {"jpeg": {"kind": "jpeg", "quality": [5, 10.5]}}}, "codecs.jpeg: quality: got 10.5"),
        ({"esno_db": [4000]}, "esno_db.0: got 4000"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        list(measure_points(read_points(write(tmp_path / "bad.yaml", **changes)), "bad.yaml"))


def test_the_order_of_rates_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Cifar10().load("sample").first(8)
    monkeypatch.setattr(Cifar10, "load", lambda self, split, root=None: few)
    made = [
        list(measure_points(read_points(write(tmp_path / "points.yaml", codecs={"jpeg": codec})), "points.yaml"))
        for codec in ({"kind": "jpeg", "quality": [1, 10, 50]}, {"kind": "jpeg", "quality": [50, 1, 10, 1]})
    ]
    assert made[0] == made[1]


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "twice.yaml")
    path.write_text(path.read_text() + "judge: classifier/digits_judge\n")
    with pytest.raises(SimnetError, match=r"twice.yaml:\d+ judge: got .* twice"):
        read_points(path)


def test_a_wrong_setting_is_named_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second codec's, although the first would do."""
    monkeypatch.setattr("simnet.signal.digital.points.climb", lambda *_: pytest.fail("work has begun"))
    codecs = {"fine": {"kind": "jpeg", "quality": [50]}, "jpeg": {"kind": "jpeg", "quality": [500]}}
    path = write(tmp_path / "bad.yaml", codecs=codecs)
    with pytest.raises(SimnetError, match=r"codecs.jpeg.quality: got \[500\]; allowed a list of 1 … 100"):
        list(measure_points(read_points(path), "bad.yaml"))
