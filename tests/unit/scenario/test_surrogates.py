"""Surrogates written out: names, sizes, families, codecs; and what doesn't fit them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.scenario.checks import arm_protocols
from simnet.scenario.dump import dump_scenario
from simnet.scenario.errors import ScenarioError
from simnet.scenario.surrogates import surrogate_types, with_surrogate_sources
from tests.unit.scenario.conftest import VALID, Load

GROWN = VALID.replace(
    "codecs:\n  plain", "surrogates: {count: 4, like: [digits], shared: 0.5, items: 3}\ncodecs:\n  plain"
)
ARMS = "  plain: {codecs: {digits: [plain]}}\n  whole: {slice_sharing: false}\n"


def test_each_arm_gives_surrogates_the_codecs_of_what_they_are_like(load: Load) -> None:
    """Codecs whose decoders travel come in versions of their own; those that need none serve as they are."""
    protocols = arm_protocols(load(GROWN + ARMS))
    assert protocols["cached"].codecs["digits_0003"] == ("plain", "learned.0003s")
    assert protocols["whole"].codecs["digits_0003"] == ("plain", "learned.0003")
    assert protocols["plain"].codecs["digits_0003"] == ("plain",)
    assert len(protocols["plain"].codecs) == 1 + 4
    assert arm_protocols(load(VALID))["cached"].codecs == {"digits": ("plain", "learned")}


def test_sources_are_written_out_with_the_surrogates_items_and_wishes(load: Load) -> None:
    scenario = load(GROWN)
    sources = with_surrogate_sources(scenario).sources
    assert list(sources) == ["digits", "digits_0000", "digits_0001", "digits_0002", "digits_0003"]
    assert sources["digits_0002"].items == 3 and sources["digits_0002"].owners == "device"
    assert sources["digits_0002"].wish == scenario.sources["digits"].wish
    wished = with_surrogate_sources(load(GROWN, "surrogates.wish.ss=0.5")).sources
    assert wished["digits_0002"].wish.ss == 0.5 and wished["digits"].wish == scenario.sources["digits"].wish
    assert with_surrogate_sources(load(VALID)) == load(VALID)


def test_a_written_scenario_is_the_same_and_still_short(load: Load) -> None:
    text = dump_scenario(load(GROWN, "surrogates.count=1000"))
    assert load(text) == load(GROWN, "surrogates.count=1000")
    assert "digits_0" not in text


def test_size_factors_are_log_normal_of_mean_1(load: Load) -> None:
    """Mean of 10,000 factors and deviation of their logarithms, each within four standard errors."""
    n, spread = 10_000, 0.5
    types = surrogate_types(load(GROWN, f"surrogates.count={n}", f"surrogates.size_spread={spread}"))
    factors = np.array([type_.rest_factor for type_ in types])
    deviation = math.sqrt(math.exp(spread**2) - 1)
    assert abs(factors.mean() - 1) < 4 * deviation / math.sqrt(n)
    assert abs(np.log(factors).std() - spread) < 4 * spread / math.sqrt(2 * n)
    assert {type_.rest_factor for type_ in surrogate_types(load(GROWN))} == {1.0}


def test_draws_don_t_depend_on_how_many_there_are(load: Load) -> None:
    knobs = ("surrogates.size_spread=0.5", "surrogates.families=3")
    few, many = (surrogate_types(load(GROWN, f"surrogates.count={n}", *knobs)) for n in (20, 500))
    assert many[:20] == few
    assert {type_.family for type_ in many} == {0, 1, 2}
    trunks = {(type_.family, type_.trunk_factor) for type_ in many}
    assert len(trunks) == 3 and len({type_.rest_factor for type_ in many}) == 500


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("surrogates.like=[digit]",), r"surrogates\.like\.0: unknown source: got 'digit'; did you mean 'digits'\?"),
        (("surrogates.shared=1",), r"surrogates\.shared: got 1; allowed: a number"),
        (("surrogates.count=0",), r"surrogates\.count: got 0; allowed: .*1"),
        (("surrogates.numbers=3",), r"surrogates\.numbers: got an unknown key; allowed: count, like, "),
        (
            ("radios.radio.protection=none", "radios.radio.fidelity=exact"),
            r"radios\.radio\.protection: got none beside surrogates, of which only unharmed deliveries",
        ),
        (
            ("protocol.source_identification=source_id/four_sources",),
            r"protocol\.source_identification: got 'source_id/four_sources', but no network tells surrogates apart",
        ),
        (
            ("sources.digits_0001={dataset: mnist, judge: classifier/digits_judge}",),
            r"sources\.digits_0001: got 'digits_0001', a surrogate's name too",
        ),
    ],
)
def test_what_does_not_fit_is_said(load: Load, changes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load(GROWN, *changes)
