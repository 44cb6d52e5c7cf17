"""Points of curves: what they count, where they lie, what stands beside them, how they are kept."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import astuple
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.mcs import MCS_NAMES, Mcs, mcs_by_name
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.blocks import BlockFormat
from simnet.phy.bounds.capacity import capacity, ergodic_rayleigh_capacity, outage_probability
from simnet.phy.bounds.fading_average import mean_over_rayleigh
from simnet.phy.bounds.fading_power import combined_power_cdf, combined_power_quantiles, power_cdf
from simnet.phy.channels.tapped_delay_line import TappedDelayLine
from simnet.phy.curves import bler
from simnet.phy.curves.ber import N_SYMBOL, ber_curves, measure_ber
from simnet.phy.curves.bit_count import BitCount
from simnet.phy.curves.bler import CodedPoint, bler_curves, measure_bler
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.curves.keep import keep
from simnet.phy.curves.ladder import Ladder, esno_db_of, parse_range
from simnet.phy.curves.references import (
    Staircase,
    limits_db,
    references,
)
from simnet.phy.curves.schemes import K, schemes
from simnet.phy.curves.setup import BlerSetup, decoder_settings
from simnet.phy.curves.throughput import ADAPTIVE, GoodputCurve, Link, goodput_curves
from simnet.phy.tables.bler import load_table, select_mcs
from simnet.phy.tables.calibration import StopRule
from simnet.statistics.rate import wilson_interval

QPSK_1_2 = BlockFormat(288, mcs_by_name("QPSK 1/2"))
FEW = StopRule(target_errors=30, max_blocks=300)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0:20:5", (0.0, 5.0, 10.0, 15.0, 20.0)),
        ("-1:1:0.5", (-1.0, -0.5, 0.0, 0.5, 1.0)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("2:0:-1", (2.0, 1.0, 0.0)),
        ("3:3:1", (3.0,)),
        ("1.25", (1.25,)),
        ("0, 2.5,-4", (0.0, 2.5, -4.0)),
    ],
)
def test_ranges(text: str, numbers: tuple[float, ...]) -> None:
    assert parse_range(text, "--esno-db") == numbers


@pytest.mark.parametrize("text", ["", "a", "0:10", "0:10:0", "0:10:-1", "1:2:3:4", "nan", "0:inf:1", "1,,2"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(SimnetError, match=r"--esno-db: got .*; allowed start:stop:step"):
        parse_range(text, "--esno-db")


@pytest.mark.parametrize("text", ["1e9", "-301", "0:100000:1000", "0,1e400"])
def test_no_float_holds_the_ratio_of_so_many_decibels(text: str) -> None:
    with pytest.raises(SimnetError, match=r"--esno-db: got .*; allowed −300 to 300 dB"):
        parse_range(text, "--esno-db")


def test_a_range_of_too_many_points_is_refused() -> None:
    with pytest.raises(SimnetError, match="100001 points; allowed 1000 at most"):
        parse_range("0:1:0.00001", "--esno-db")


def test_ebno_counts_information_bits_as_they_are_sent() -> None:
    assert esno_db_of(3.0, QPSK_1_2) == pytest.approx(3.0)  # 288 bits in 288 channel uses
    assert esno_db_of(0.0, BlockFormat(1152, mcs_by_name("64-QAM 2/3"))) == pytest.approx(linear_to_db(4.0))
    # shortened from the shortest code of this rate, 576 bits: 480 bits in 80 channel uses
    assert esno_db_of(0.0, BlockFormat(288, mcs_by_name("64-QAM 2/3"))) == pytest.approx(linear_to_db(3.6))
    with pytest.raises(SimnetError, match="got both; allowed one of --esno-db and --ebno-db"):
        Ladder((1.0,), (1.0,))
    assert Ladder(ebno_db=(2.0, 1.0)).steps_db(QPSK_1_2, ChannelSettings()) == pytest.approx((1.0, 2.0))


def test_default_points_lie_around_the_waterfall() -> None:
    least_db = linear_to_db(load_table(QPSK_1_2).threshold(0.5))
    for channel in ("awgn", "rayleigh_block"):
        steps_db = Ladder().steps_db(QPSK_1_2, ChannelSettings(channel))
        assert steps_db[0] < least_db < steps_db[-1]
        assert list(steps_db) == sorted(steps_db)


def test_bits_that_fail_alone_have_the_interval_of_independent_ones() -> None:
    rng = np.random.default_rng(1)
    wrong = rng.binomial(50, 0.1, 4000)
    count = BitCount.of(wrong, 50)
    assert count.design_effect == pytest.approx(1.0, abs=4 * sqrt(2 / 4000))
    assert count.interval == pytest.approx(wilson_interval(int(wrong.sum()), 200_000), rel=0.05)
    assert sum((BitCount.of(part, 50) for part in np.split(wrong, 8)), BitCount()) == count


def test_bits_that_fail_together_have_the_interval_of_their_blocks() -> None:
    wrong = np.where(np.arange(400) % 10 == 0, 1000, 0)
    count = BitCount.of(wrong, 1000)
    assert count.rate == pytest.approx(0.1)
    assert count.interval == pytest.approx(wilson_interval(40, 400), rel=0.01)


def test_no_wrong_bit_tells_no_more_than_its_independent_trials() -> None:
    none = np.zeros(100, np.int64)
    assert BitCount.of(none, 512).interval == wilson_interval(0, 100)
    assert BitCount.of(none, 512, trials_per_block=256).interval == wilson_interval(0, 25_600)


@pytest.mark.parametrize("memory", ["fast", "block"])
def test_the_interval_of_the_ber_covers_it(memory: str) -> None:
    """95 % of 60 repetitions, block fading with its clusters included; 4 sigma of a binomial distribution."""
    channel = ChannelSettings(f"rayleigh_{memory}")
    covered = 0
    for seed in range(60):
        point = measure_ber("16-QAM", channel, 10.0, StopRule(10_000, 200), seed=seed)
        low, high = point.count.interval
        covered += low < point.theory < high
    assert abs(covered - 57) <= 4 * sqrt(60 * 0.95 * 0.05)


def test_channel_settings_are_those_of_the_channel() -> None:
    assert ChannelSettings("rician_block").in_force == {"k_factor_db": 6.0}
    assert ChannelSettings("rician_block", k_factor_db=3.0).settings == "k_factor_db=3"
    assert ChannelSettings("rayleigh_block", "pilot", n_pilot=2).settings == "n_pilot=2"
    for name, k_factor in (("awgn", None), ("rayleigh_fast", 0.0), ("rician_fast", 10**0.6), ("tdl_a", 0.0)):
        assert ChannelSettings(name).k_factor == pytest.approx(k_factor)
    # K = 13.3 dB is that of the first tap; the others scatter as well
    assert linear_to_db(ChannelSettings("tdl_d").k_factor or 0.0) == pytest.approx(8.98, abs=0.01)


def test_the_cyclic_prefix_covers_the_longest_delay_by_default() -> None:
    model = ChannelSettings("tdl_a").model
    assert isinstance(model, TappedDelayLine)
    assert model.grid.n_cyclic_prefix == 10  # 9.6586 µs at 0.96 MHz
    shorter = ChannelSettings("tdl_a", rms_delay_spread_s=1e-7).model
    assert isinstance(shorter, TappedDelayLine)
    assert shorter.grid.n_cyclic_prefix == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "awng"}, "unknown channel: got 'awng'; did you mean 'awgn'"),
        ({"name": "tdl_z"}, "unknown channel: got 'tdl_z'"),
        ({"name": "awgn", "csi": "none"}, "unknown channel knowledge"),
        (
            {"name": "awgn", "k_factor_db": 1.0},
            "unknown setting of channel 'awgn' with csi 'perfect': got 'k_factor_db'",
        ),
        ({"name": "rician_fast", "n_pilot": 4}, "unknown setting .*: got 'n_pilot'"),
        ({"name": "rayleigh_fast", "csi": "pilot"}, "n_pilot: got 8 with fast fading"),
        ({"name": "tdl_a", "cyclic_prefix": 2}, "lengthen n_cyclic_prefix to 10"),
        ({"name": "tdl_a", "pilot_spacing": 4}, "unknown setting .*: got 'pilot_spacing'"),
    ],
)
def test_wrong_channel_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        ChannelSettings(**settings)  # type: ignore[arg-type]


def test_uncoded_points_count_and_repeat() -> None:
    points = list(ber_curves(["QPSK", "16-QAM"], ChannelSettings(), (4.0, 30.0, 0.0), FEW))
    assert [(point.modulation, point.esno_db) for point in points] == [
        (modulation, esno_db) for modulation in ("QPSK", "16-QAM") for esno_db in (0.0, 4.0, 30.0)
    ]
    assert list(ber_curves(["16-QAM"], ChannelSettings(), (4.0,), FEW)) == [points[4]]
    for point in points:
        bits_per_block = {"QPSK": 2, "16-QAM": 4}[point.modulation] * N_SYMBOL
        assert point.count.bits == point.count.blocks * bits_per_block
        assert point.count.wrong_blocks >= 30 or point.count.blocks == 300
    assert points[2].count.errors == 0
    other = next(ber_curves(["16-QAM"], ChannelSettings(), (4.0,), FEW, seed=2))
    assert other.count != points[4].count
    with pytest.raises(UnknownName, match="unknown modulation: got '16QAM'; did you mean '16-QAM'"):
        next(ber_curves(["QPSK", "16QAM"], ChannelSettings(), (0.0,)))


def test_a_curve_ends_with_its_first_point_without_errors() -> None:
    points = list(ber_curves(["QPSK"], ChannelSettings(), (0.0, 30.0, 31.0), FEW))
    assert [point.esno_db for point in points] == [0.0, 30.0]
    coded = list(bler_curves([BlerSetup(QPSK_1_2)], Ladder((0.0, 20.0, 21.0)), FEW))
    assert [point.esno_db for point in coded] == [0.0, 20.0]


def test_coded_points_count_and_repeat() -> None:
    setup = BlerSetup(QPSK_1_2, ChannelSettings("rayleigh_block"))
    first, second = bler_curves([setup], Ladder((3.0, 6.0)), FEW)
    assert measure_bler(setup, 6.0, FEW) == second
    for point in (first, second):
        assert point.blocks.blocks <= 300
        assert point.bits.blocks == point.blocks.blocks
        assert point.bits.bits == point.blocks.blocks * 8 * QPSK_1_2.capacity_byte
        assert point.bits.wrong_blocks == point.blocks.errors + point.blocks.undetected
        assert 1.0 <= point.mean_iterations <= setup.decoder.max_iterations
        assert point.ebno_db == pytest.approx(point.esno_db)
        assert None not in astuple(point.references)[3:]
    assert measure_bler(setup, 6.0, FEW, seed=2).bits != second.bits


def test_a_points_channels_do_not_depend_on_how_many_blocks_are_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLRs may differ in their last bits, so that a block or two may decode otherwise."""
    setup = BlerSetup(QPSK_1_2, ChannelSettings("rayleigh_block"))
    usual = measure_bler(setup, 6.0, FEW)
    backend = bler._backend("cpu", setup.decoder)
    monkeypatch.setattr(backend, "chunk", 50)
    assert abs(measure_bler(setup, 6.0, FEW).blocks.errors - usual.blocks.errors) <= 2


def measured(channel: ChannelSettings, esno_db: float, **settings: object) -> CodedPoint:
    setup = BlerSetup(QPSK_1_2, channel, **settings)  # type: ignore[arg-type]
    return measure_bler(setup, esno_db, StopRule(10_000, 600))


def difference_sigmas(one: CodedPoint, other: CodedPoint) -> float:
    variance = sum(p.blocks.bler * (1 - p.blocks.bler) / p.blocks.blocks for p in (one, other))
    return (one.blocks.bler - other.blocks.bler) / sqrt(variance)


@pytest.mark.parametrize("name", ["awgn", "rayleigh_block"])
def test_many_pilots_are_as_good_as_knowing_the_channel(name: str) -> None:
    perfect = measured(ChannelSettings(name), 1.5)
    many = measured(ChannelSettings(name, "pilot", n_pilot=1_000_000), 1.5)
    assert 0.02 < perfect.blocks.bler < 0.98
    assert abs(difference_sigmas(many, perfect)) < 4


def test_few_pilots_cost_about_the_energy_of_their_errors() -> None:
    """LS estimates from P pilots in AWGN: noise N0·(1 + 1/P) about ĥ·s, as good as 1/(1 + 1/P) of the energy."""
    two = measured(ChannelSettings("awgn", "pilot", n_pilot=2), 3.0)
    assert difference_sigmas(two, measured(ChannelSettings(), 3.0)) > 4
    assert difference_sigmas(two, measured(ChannelSettings(), 3.0 - linear_to_db(1.5) - 1.0)) < -4


def test_an_estimated_ofdm_channel_loses_more_than_a_known_one() -> None:
    perfect, pilots = (measured(ChannelSettings("tdl_a", csi), 6.0) for csi in ("perfect", "pilot"))  # type: ignore[arg-type]
    assert difference_sigmas(pilots, perfect) > 4


def test_iterations_and_arithmetic_reach_the_decoder() -> None:
    hasty = measured(ChannelSettings(), 1.5, decoder=decoder_settings("min_sum", "float32", 2))
    usual = measured(ChannelSettings(), 1.5)
    assert hasty.mean_iterations <= 2.0 < usual.mean_iterations
    assert difference_sigmas(hasty, usual) > 4
    integers = measured(ChannelSettings(), 1.5, decoder=decoder_settings("min_sum", "int8", None))
    assert integers.bits != usual.bits
    assert integers.references.table is None  # the table was made with another decoder
    with pytest.raises(SimnetError, match=r"receptions of a block .*got 0; allowed 1 or more"):
        BlerSetup(QPSK_1_2, harq=0)


def test_a_missing_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bler.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SimnetError, match="PHY device: got 'cuda'; allowed 'cpu'"):
        next(bler_curves([BlerSetup(QPSK_1_2)], device="cuda"))


def test_sums_of_powers_are_erlang_or_rician() -> None:
    power = np.linspace(0.0, 8.0, 30)
    assert combined_power_cdf(power, 0.0, 2) == pytest.approx(1 - np.exp(-power) * (1 + power), abs=1e-12)
    assert combined_power_cdf(power, 2.5, 1) == pytest.approx(power_cdf(power, 2.5), abs=1e-12)
    for k_factor, n in ((0.0, 1), (0.0, 3), (4.0, 2)):
        middles = combined_power_cdf(combined_power_quantiles(k_factor, n, 50), k_factor, n)
        assert middles == pytest.approx((np.arange(50) + 0.5) / 50, abs=1e-9)


def test_a_staircase_is_its_table() -> None:
    table = load_table(QPSK_1_2)
    stairs = Staircase.of(table)
    esno_db = np.linspace(-3.0, 12.0, 301)
    expected = [table.lookup(db_to_linear(float(each))).bler for each in esno_db]
    steepest = max(b.bler / a.bler for b, a in zip(table.points, table.points[1:], strict=False)) ** (0.02 / 0.125)
    ratio = stairs.bler(db_to_linear(esno_db)) / np.array(expected)
    assert ratio.min() > 1 / steepest and ratio.max() < steepest
    for mean_db in (0.0, 10.0, 20.0):
        esno = db_to_linear(mean_db)
        average = mean_over_rayleigh(lambda x: table.lookup(x).bler, esno).value
        assert stairs.mean(esno, 0.0, 1) == pytest.approx(average, rel=1e-4)


def test_limits_are_where_capacity_equals_the_rate() -> None:
    gaussian_db, bicm_db = limits_db(QPSK_1_2, None)
    assert capacity(db_to_linear(gaussian_db)) == pytest.approx(1.0)
    assert gaussian_db < bicm_db
    ergodic_db, ergodic_bicm_db = limits_db(QPSK_1_2, 0.0)
    assert ergodic_rayleigh_capacity(db_to_linear(ergodic_db)) == pytest.approx(1.0, abs=1e-3)
    assert ergodic_db < ergodic_bicm_db
    assert limits_db(QPSK_1_2, None, 2) == pytest.approx((gaussian_db - linear_to_db(2), bicm_db - linear_to_db(2)))


def test_references_are_those_of_the_channel() -> None:
    awgn = references(BlerSetup(QPSK_1_2), 1.0)
    assert awgn.table == load_table(QPSK_1_2).bler(db_to_linear(1.0))
    assert awgn.outage is None and awgn.normal_approximation is not None
    assert awgn.normal_approximation < awgn.table
    flat = references(BlerSetup(QPSK_1_2, ChannelSettings("rician_block")), 3.0)
    outage = outage_probability(1.0, db_to_linear(3.0), k_factor=10**0.6, bits_per_symbol=2)
    assert flat.outage == pytest.approx(outage)
    assert flat.table is not None and flat.table > outage
    assert (flat.capacity_esno_db, flat.bicm_esno_db, flat.normal_approximation) == (None, None, None)
    fast = references(BlerSetup(QPSK_1_2, ChannelSettings("rayleigh_fast")), 3.0)
    assert fast.outage is None and fast.table is not None and fast.bicm_esno_db is not None
    twice = references(BlerSetup(QPSK_1_2, harq=2), 1.0 - linear_to_db(2))
    assert twice.table == pytest.approx(awgn.table)
    other = references(BlerSetup(BlockFormat(320, mcs_by_name("QPSK 1/2"))), 1.0)
    assert other.table is None  # the zoo has no such size


def curves_of(
    names: tuple[str, ...], steps_db: tuple[float, ...], **link: object
) -> dict[tuple[str, str, str], GoodputCurve]:
    formats = tuple(BlockFormat(288, mcs_by_name(name)) for name in names)
    curves = goodput_curves(Link(formats, **link), ("awgn", "rayleigh_block"), steps_db)  # type: ignore[arg-type]
    return {(curve.channel, curve.scheme, curve.protection): curve for curve in curves}


def test_goodput_of_arq_is_the_rate_of_payload_times_what_arrives() -> None:
    found = curves_of(("QPSK 1/2", "16-QAM 3/4"), (1.5, 10.0, 30.0))
    assert len(found) == 2 * 3 * 2
    table = load_table(QPSK_1_2)
    for point in found["awgn", "QPSK 1/2", "arq"].points:
        lost = table.lookup(db_to_linear(point.esno_db)).bler
        assert point.goodput == pytest.approx((288 - 24) / 288 * (1 - lost), rel=0.03)  # steps of 0.05 dB
        assert point.transmissions == pytest.approx(1 / (1 - point.bler))
    faded = found["rayleigh_block", "QPSK 1/2", "arq"].points[1]
    lost = mean_over_rayleigh(lambda x: table.lookup(x).bler, 10.0).value
    assert faded.goodput == pytest.approx((288 - 24) / 288 * (1 - lost), rel=0.005)
    for (channel, _, _), curve in found.items():
        for point in curve.points:
            esno = db_to_linear(point.esno_db)
            limit = capacity(esno) if channel == "awgn" else ergodic_rayleigh_capacity(esno)
            assert 0.0 <= point.goodput < point.capacity == limit


def test_the_adaptive_choice_is_that_of_the_simulator() -> None:
    steps_db = (0.0, 6.0, 9.0, 15.0)
    schemes_: tuple[Mcs, ...] = tuple(map(mcs_by_name, MCS_NAMES))
    found = curves_of(MCS_NAMES, steps_db)
    for index, esno_db in enumerate(steps_db):
        chosen = select_mcs(db_to_linear(esno_db), 288, 0.1, schemes_)
        for protection in ("arq", "harq"):
            adaptive, fixed = (found["awgn", name, protection].points[index] for name in (ADAPTIVE, chosen.name))
            assert adaptive == fixed


def test_combining_helps_where_blocks_fail_and_needs_a_second_transmission() -> None:
    steps_db = (-3.0, 0.0, 3.0, 25.0)
    found, single = (curves_of(("QPSK 1/2",), steps_db, attempts=attempts) for attempts in (4, 1))
    for channel in ("awgn", "rayleigh_block"):
        arq, harq, one = (
            [point.goodput for point in curves[channel, "QPSK 1/2", protection].points]
            for curves, protection in ((found, "arq"), (found, "harq"), (single, "harq"))
        )
        assert one == pytest.approx(arq)
        assert harq[0] > arq[0] and harq[-1] == pytest.approx(arq[-1], rel=0.01)
    with pytest.raises(UnknownName, match="unknown channel of goodput curves: got 'tdl_a'"):
        next(goodput_curves(Link((QPSK_1_2,)), ("tdl_a",), (0.0,)))
    with pytest.raises(SimnetError, match=r"BLER table for ieee80216e, k = 320 bit.*simnet link calibrate"):
        next(goodput_curves(Link((BlockFormat(320, mcs_by_name("QPSK 1/2")),)), ("awgn",), (0.0,)))
    for wrong in ({"target_bler": 1.0}, {"attempts": 0}, {"formats": ()}):
        with pytest.raises(SimnetError, match=r"got .*; allowed"):
            Link(**{"formats": (QPSK_1_2,), **wrong})  # type: ignore[arg-type]


def test_schemes_tell_what_they_need_or_that_no_table_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in schemes():
        table = load_table(BlockFormat(K, scheme.mcs))
        assert scheme.least_esno_db == tuple(linear_to_db(table.threshold(target)) for target in (0.1, 0.001))
        assert scheme.least_esno_db[0] < scheme.least_esno_db[1]  # type: ignore[operator]
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path))
    assert {scheme.least_esno_db for scheme in schemes()} == {(None, None)}


def test_points_are_kept_as_they_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, kept = tmp_path / "folder" / "points.csv", []

    def points() -> Iterator[tuple[list[dict[str, object]], str]]:
        yield [{"esno_db": 1.0, "bler": None}], "first"
        kept.append(path.read_text())
        yield [{"esno_db": 2.0, "bler": 0.5}, {"esno_db": 3.0, "bler": exp(-40)}], "second"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"stopped by Ctrl-C; 3 points are kept in .*points\.csv"):
        keep(points(), path)
    assert capsys.readouterr().err == "first\nsecond\n"
    assert kept == ["esno_db,bler\n1.0,\n"]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["esno_db"] for row in rows] == ["1.0", "2.0", "3.0"]
    assert float(rows[2]["bler"]) == exp(-40)
    assert list(path.parent.iterdir()) == [path]
    before = path.read_text()
    with pytest.raises(SimnetError, match=r"points\.csv: is there already, with points of before; .* or --again"):
        keep(points(), path)
    assert path.read_text() == before and len(kept) == 1, "refused before anything is measured"
    with pytest.raises(KeyboardInterrupt, match="3 points are kept"):
        keep(points(), path, again=True)
    assert kept == ["esno_db,bler\n1.0,\n"] * 2 and path.read_text() == before
    with pytest.raises(KeyboardInterrupt, match=r"nothing was kept; --out FILE\.csv keeps every point"):
        keep(points(), None, quiet=True)
    with pytest.raises(SimnetError, match=r"got 'points\.txt'; allowed a name that ends with \.csv"):
        keep(points(), Path("points.txt"))
