"""Figures say what the frames say: positions, intervals, labels; null has its place; files are reproducible."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.figure
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from PIL import Image

from simnet.report.figures.style import arm_colours
from simnet.results import Results, ResultsError, figures, load
from simnet.results.figures.scale import Scale
from tests.support.sweep_folder import keep_or_fetch, write_sweep

KEPT = {"store_byte": 64000}


def ticks(axes: Axes, which: str = "x") -> list[str]:
    """What stands at the ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    return [label.get_text() for label in axis.get_ticklabels()]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def note(axes: Axes) -> str:
    """The line below the title."""
    (found,) = (text.get_text() for text in axes.texts if text.get_position() == (0, 1.015))
    return str(found).replace("\n", " ")


def bars(axes: Axes) -> dict[str, np.ndarray]:
    """Colour -> [n, 3] x, low, high of vertical error bars."""
    found: dict[str, np.ndarray] = {}
    for bar in (c for c in axes.collections if isinstance(c, LineCollection)):
        colour = matplotlib.colors.to_hex(bar.get_color()[0]).upper()
        found[colour] = np.array([[s[0][0], s[0][1], s[1][1]] for s in bar.get_segments()])
    return found


def test_lines_show_means_and_intervals_and_null_at_the_right(sweep: Results) -> None:
    axes = figures.lines(sweep, "ttl_s", "byte_per_request", where=KEPT)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("TTL (s)", "traffic per request (B)")
    assert axes.get_title(loc="left") == sweep.question
    assert axes.get_xscale() == "log", "60 to 3600 is more than a factor of 20"
    assert ticks(axes) == ["60", "600", "3,600", "∞"]
    assert note(axes) == "store 64,000 B; 5 replications, bars: 95 % intervals"
    assert {"on_demand", "no_stores", "jpeg"} <= set(texts(axes)), "named at the lines' ends"
    table = sweep.mean("byte_per_request", by="ttl_s", where=KEPT)
    drawn = bars(axes)
    for arm, colour in arm_colours(sweep.arms).items():
        rows = table[table["arm"] == arm]
        np.testing.assert_allclose(drawn[colour][:, 1:], rows[["low", "high"]])
        assert drawn[colour][:3, 0].tolist() == [60, 600, 3600] and drawn[colour][3, 0] > 3600


def test_lines_may_stand_side_by_side(sweep: Results) -> None:
    axes = figures.lines(sweep, "ttl_s", "byte_per_request", apart=0.01, where=KEPT)
    assert ticks(axes) == ["60", "600", "3,600", "∞"]
    null_at = axes.get_xticks()[-1]
    step = (null_at / 60) ** 0.01
    drawn = bars(axes)
    for i, (arm, colour) in enumerate(arm_colours(sweep.arms).items()):
        at = [x * step ** (i - (len(sweep.arms) - 1) / 2) for x in (60, 600, 3600, null_at)]
        np.testing.assert_allclose(drawn[colour][:, 0], at, err_msg=arm)


def test_lines_by_another_axis_need_one_arm(sweep: Results) -> None:
    axes = figures.lines(sweep, "ttl_s", "ss_mean", by="store_byte", arm="on_demand", log="", title="Mine")
    assert axes.get_xscale() == "linear"
    assert {"store 0 B", "store 64,000 B"} <= set(texts(axes))
    assert axes.get_title(loc="left") == "Mine"
    with pytest.raises(ResultsError, match="lines by store_byte: got 3 arms; allowed one, as arm='on_demand'"):
        figures.lines(sweep, "ttl_s", "ss_mean", by="store_byte")


def test_an_arm_keeps_its_colour_when_others_are_left_out(sweep: Results) -> None:
    axes = figures.lines(sweep, "ttl_s", "ss_mean", arm=["jpeg"], where=KEPT)
    assert list(bars(axes)) == [arm_colours(sweep.arms)["jpeg"]]


def test_zero_has_a_place_on_a_logarithmic_axis(sweep: Results) -> None:
    axes = figures.lines(sweep, "store_byte", "ss_mean", where={"ttl_s": 60}, log="x")
    assert axes.get_xscale() == "log"
    assert ticks(axes) == ["0", "64,000"]
    (first, *_), *_ = bars(axes).values()
    assert 0 < first[0] < 64000


def test_words_are_not_joined(tmp_path: Path) -> None:
    policies = load(write_sweep(tmp_path / "p", {"policy": ["lru", "gdsf"]}, keep_or_fetch))
    axes = figures.lines(policies, "policy", "ss_mean")
    assert ticks(axes) == ["lru", "gdsf"]
    assert all(line.get_linestyle() == "None" for line in axes.lines)


def test_yes_and_no_are_words(tmp_path: Path) -> None:
    results = load(write_sweep(tmp_path / "b", {"coalesce": [False, True]}, keep_or_fetch))
    assert ticks(figures.lines(results, "coalesce", "ss_mean")) == ["no", "yes"]
    axes = figures.differences(results, "ss_mean", "jpeg", arm="on_demand")
    assert ticks(axes, "y") == ["coalesce no: on_demand", "coalesce yes: on_demand"]


def test_many_points_get_bands_and_round_ticks(tmp_path: Path) -> None:
    rates = [round(float(rate), 5) for rate in np.logspace(-3, -1, 15)]
    results = load(write_sweep(tmp_path / "r", {"rate_per_s": rates}, keep_or_fetch))
    axes = figures.lines(results, "rate_per_s", "byte_per_request", log="xy")
    assert ticks(axes) == ["0.001", "0.01", "0.1"]
    assert axes.get_yscale() == "log"
    assert "5 replications, bands: 95 % intervals" in texts(axes)
    assert not bars(axes)


def test_many_lines_get_a_legend(tmp_path: Path) -> None:
    results = load(write_sweep(tmp_path / "r", {"x": [1, 2], "ttl_s": [1, 2, 4, 8, 16, 32, None]}, keep_or_fetch))
    legend = figures.lines(results, "x", "ss_mean", by="ttl_s", arm="jpeg").get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()][-2:] == ["TTL 32 s", "TTL ∞"]


def test_one_replication_is_said_to_have_no_interval(tmp_path: Path) -> None:
    one = load(write_sweep(tmp_path / "one", {"ttl_s": [60, 600]}, keep_or_fetch, replications=1))
    axes = figures.lines(one, "ttl_s", "ss_mean")
    assert "one replication: no intervals" in texts(axes)
    assert not bars(axes)
    assert "one replication: no intervals" in note(figures.front(one, "byte_per_request", "ss_mean"))


def test_a_logarithm_of_nothing_is_refused(make: Callable[..., Results]) -> None:
    results = make({"x_db": [-3.0, 4.0]}, {(-3.0, "a"): [0.0, 1.0], (4.0, "a"): [-1.0, -2.0]})
    with pytest.raises(ResultsError, match=r"got -3 on a logarithmic axis; allowed ≥ 0"):
        figures.lines(results, "x_db", "byte_per_request", log="x")
    with pytest.raises(ResultsError, match=r"got byte_per_request = -1\.5; allowed > 0"):
        figures.lines(results, "x_db", "byte_per_request", log="y")
    with pytest.raises(ResultsError, match="log: got 'z'"):
        figures.lines(results, "x_db", "byte_per_request", log="z")


def test_curves_over_share_their_axis(sweep: Results) -> None:
    panels = figures.curves_over(sweep, "ttl_s", ["byte_per_request", "ss_mean"], where=KEPT)
    assert [axes.get_ylabel() for axes in panels] == ["traffic per request (B)", "mean SS"]
    assert [axes.get_xlabel() for axes in panels] == ["", "TTL (s)"]
    assert [axes.get_title(loc="left") for axes in panels] == [sweep.question, ""]
    assert panels[0].get_xlim() == panels[1].get_xlim()


def test_heat_writes_mean_and_half_width_into_each_cell(sweep: Results) -> None:
    axes = figures.heat(sweep, "ttl_s", "store_byte", "byte_per_request", arm="on_demand")
    assert (ticks(axes), ticks(axes, "y")) == (["60", "600", "3,600", "∞"], ["0", "64,000"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("TTL (s)", "store (B)")
    row = sweep.mean("byte_per_request", arm="on_demand", where={"ttl_s": None, "store_byte": 64000}).iloc[0]
    cell = next(text for text in axes.texts if text.get_position() == (3, 1))
    assert cell.get_text() == f"{row['mean']:.0f}\n± {row['half_width']:.0f}"
    figure = axes.get_figure(root=True)
    assert figure is not None
    assert [other.get_ylabel() for other in figure.axes if other is not axes] == ["traffic per request (B)"]
    with pytest.raises(ResultsError, match="heat: got 3 arms"):
        figures.heat(sweep, "ttl_s", "store_byte", "byte_per_request")


def test_a_question_is_text_not_mathematics(sweep: Results, tmp_path: Path) -> None:
    asked = r"Is $\frac{5$ or $6^$ enough?"
    axes = figures.lines(sweep, "ttl_s", "byte_per_request", where=KEPT, title=asked)
    assert axes.get_title(loc="left") == asked
    figures.save(axes, tmp_path / "odd.png")


def test_differences_need_another_arm(sweep: Results, tmp_path: Path) -> None:
    alone = load(write_sweep(tmp_path / "alone", {"ttl_s": [60]}, keep_or_fetch, arms=["jpeg"]))
    with pytest.raises(ResultsError, match="differences to jpeg: no other arm to compare"):
        figures.differences(alone, "ss_mean", "jpeg")
    with pytest.raises(ResultsError, match="arm: got an empty list; allowed None for all, or some of on_demand"):
        figures.differences(sweep, "ss_mean", "jpeg", arm=[])


def test_several_metrics_in_one_panel_are_refused(sweep: Results) -> None:
    with pytest.raises(ResultsError, match=r"metric: got .*; allowed the name of one metric"):
        figures.lines(sweep, "ttl_s", ["ss_mean", "satisfied"])  # type: ignore[arg-type]


def test_heat_shows_holes(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="failed"):
        holes = load(
            write_sweep(
                tmp_path / "h", {"a": [1, 2], "b": [1, 2]}, keep_or_fetch, replications=2, failed=[(3, 0), (3, 1)]
            )
        )
    axes = figures.heat(holes, "a", "b", "ss_mean", arm="jpeg")
    cell = next(text for text in axes.texts if text.get_position() == (1, 1))
    assert cell.get_text() == "–"


def test_front_drops_no_point_that_a_logarithm_cannot_show(sweep: Results) -> None:
    with pytest.raises(ResultsError, match=r"log: got model_byte_per_request = 0; allowed > 0 on a logarithmic axis"):
        figures.front(sweep, "model_byte_per_request", "ss_mean", log=True)


def test_front_names_its_points_and_gives_hypervolumes(sweep: Results) -> None:
    axes = figures.front(sweep, "byte_per_request", "ss_mean", where=KEPT, reference=(600.0, 0.9))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("traffic per request (B)", "mean SS")
    legend = axes.get_legend()
    assert legend is not None
    found = sweep.hypervolume("byte_per_request", "ss_mean", (600.0, 0.9), where=KEPT).set_index("arm")
    lines = [text.get_text().split("\n") for text in legend.get_texts()]
    assert [arm for arm, _ in lines] == sweep.arms
    for arm, words in lines:
        value, half = (float(w) for w in words.removeprefix("hypervolume (B): ").removesuffix(" (n = 5)").split(" ± "))
        assert value == pytest.approx(found.loc[arm, "mean"], abs=found.loc[arm, "half_width"] / 2)
        assert half == pytest.approx(found.loc[arm, "half_width"], rel=0.5)
    best = sweep.front("byte_per_request", "ss_mean", where=KEPT).query("not dominated")
    names = ["∞" if math.isnan(ttl_s) else f"{ttl_s:,.0f}" for ttl_s in best["ttl_s"]]
    assert texts(axes)[: len(names)] == names
    assert "faint: dominated and told apart; reference 600, 0.9; points: TTL (s)" in note(axes)


def test_without_a_reference_there_is_no_hypervolume(sweep: Results) -> None:
    axes = figures.front(sweep, "byte_per_request", "ss_mean", where=KEPT)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == sweep.arms
    assert "reference" not in note(axes)
    with pytest.raises(ResultsError, match=r"got reference 100; allowed a pair of finite numbers"):
        figures.front(sweep, "byte_per_request", "ss_mean", reference=100)  # type: ignore[arg-type]
    with pytest.raises(ResultsError, match="front: got 'ss_mean' as cost and as gain"):
        figures.front(sweep, "ss_mean", "ss_mean")


def test_only_what_is_told_apart_from_what_dominates_it_is_faint(tmp_path: Path) -> None:
    costs = {"best": [10.0, 12.0, 14.0, 16.0], "close": [10.1, 12.2, 13.9, 16.2], "worse": [15.0, 17.1, 19.0, 21.0]}
    noise = [0.0, 0.01, -0.01, 0.0]

    def numbers(_: object, arm: str, seed: int) -> dict[str, float]:
        return {"byte_per_request": costs[arm][seed - 1], "ss_mean": 0.9 + noise[seed - 1]}

    results = load(write_sweep(tmp_path / "s", {"x": [1]}, numbers, arms=list(costs), replications=4))
    table = results.front("byte_per_request", "ss_mean").set_index("arm")
    assert table["dominated"].to_dict() == {"best": False, "close": True, "worse": True}
    assert table.loc["worse", "byte_per_request_low"] < table.loc["best", "byte_per_request_high"], "only pairs tell"
    axes = figures.front(results, "byte_per_request", "ss_mean")
    palette = arm_colours(results.arms)
    shown = {line.get_color(): line.get_alpha() for line in axes.lines if len(line.get_xdata()) == 1}
    assert {arm: shown[colour] for arm, colour in palette.items()} == {"best": 1.0, "close": 1.0, "worse": 0.3}


def test_differences_are_a_forest_around_zero(sweep: Results) -> None:
    axes = figures.differences(sweep, "byte_per_request", "jpeg", where=KEPT, by="ttl_s", arm="on_demand")
    table = sweep.difference("byte_per_request", "on_demand", "jpeg", by="ttl_s", where=KEPT)
    assert ticks(axes, "y") == [f"TTL {ttl}: on_demand" for ttl in ("60", "600", "3,600", "∞")]
    assert axes.get_xlabel() == "traffic per request (B): difference to jpeg"
    spans = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_color() != "#222222"]
    np.testing.assert_allclose(np.array(spans, float), table[["low", "high"]])
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    filled = [line.get_markerfacecolor() != "white" for line in marks]
    assert filled == [not low <= 0 <= high for low, high in table[["low", "high"]].to_numpy()]
    assert sum("(n = 5)" in text for text in texts(axes)) == 4


def test_figures_leave_matplotlib_as_it_was(sweep: Results) -> None:
    before = dict(matplotlib.rcParams)
    figures.lines(sweep, "ttl_s", "ss_mean", where=KEPT)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_saved_files_are_reproducible(sweep: Results, tmp_path: Path, ending: str) -> None:
    axes = [figures.lines(sweep, "ttl_s", "ss_mean", where=KEPT) for _ in range(2)]
    first, second = (figures.save(a, tmp_path / str(i) / f"lines.{ending}") for i, a in enumerate(axes))
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size > 2000


def test_scale_of_numbers_null_and_words() -> None:
    scale = Scale.of([600.0, math.nan, 60.0])
    assert (scale.log, scale.words) == (False, False)
    assert scale.at(math.nan) == scale.at(None) > 600
    assert scale.inside(np.array([60.0, scale.at(None)])).tolist() == [True, False]
    assert Scale.of([1.0, 100.0]).log and not Scale.of([0.0, 1.0, 100.0]).log
    assert Scale.of(["b", None, "a"]).positions.tolist() == [0, 1, 2]
    assert Scale.of([True, False]).words
    assert not Scale.of([-5.0, 100.0]).log


def test_beside_is_a_share_of_the_axis() -> None:
    np.testing.assert_allclose(Scale.of([1.0, 10.0, 100.0]).beside(np.array([1.0, 10.0]), 0.5), [10.0, 100.0])
    np.testing.assert_allclose(Scale.of([-5.0, 15.0]).beside(np.array([-5.0, 15.0]), -0.1), [-7.0, 13.0])


def test_the_note_says_what_is_shown(sweep: Results) -> None:
    n = "5 replications, bars: 95 % intervals"
    assert note(figures.lines(sweep, "ttl_s", "ss_mean")) == f"averaged over store; {n}"
    assert note(figures.lines(sweep, "ttl_s", "ss_mean", where=KEPT)) == f"store 64,000 B; {n}"
    one = figures.lines(sweep, "ttl_s", "ss_mean", arm="jpeg", source_type="digits", where={**KEPT, "ttl_s": [60, 600]})
    assert note(one) == f"jpeg, source type digits, store 64,000 B; {n}", "the x axis shows its own values"
    by = figures.lines(sweep, "store_byte", "ss_mean", by="ttl_s", arm="jpeg", where={"ttl_s": [60, None]})
    assert note(by) == f"jpeg; {n}", "each line is named"
    alone = figures.lines(sweep, "store_byte", "ss_mean", by="ttl_s", arm="jpeg", where={"ttl_s": None})
    assert note(alone) == f"jpeg, TTL ∞; {n}", "a line alone is not"
    panels = figures.curves_over(
        sweep, "ttl_s", ["ss_mean", "byte_per_request"], arm="jpeg", where={"replication": range(3)}
    )
    said = "jpeg, replication 0, 1, 2; averaged over store; 3 replications, bars: 95 % intervals"
    assert note(panels[0]) == said
    heat = figures.heat(sweep, "ttl_s", "store_byte", "ss_mean", arm="jpeg", source_type="clothes")
    assert note(heat) == "jpeg, source type clothes; 5 replications, ±: 95 % intervals"
    pairs = figures.differences(
        sweep, "ss_mean", "jpeg", by="store_byte", where={"ttl_s": [60, 600]}, source_type="digits"
    )
    assert note(pairs).startswith("source type digits, TTL 60, 600; averaged over TTL; 5 replications, paired")
    best = figures.front(sweep, "byte_per_request", "ss_mean", where=KEPT, source_type="digits")
    assert note(best).startswith("source type digits, store 64,000 B; 5 replications, bars: 95 % intervals; faint:")


def test_heat_and_differences_say_over_what_they_average(tmp_path: Path) -> None:
    three = {"ttl_s": [60, 600], "store_byte": [0, 64000], "zipf_s": [0.8, 1.2]}
    results = load(write_sweep(tmp_path / "three", three, keep_or_fetch))
    heat = figures.heat(results, "ttl_s", "store_byte", "ss_mean", arm="jpeg")
    assert note(heat) == "jpeg; averaged over Zipf; 5 replications, ±: 95 % intervals"
    one = figures.heat(results, "ttl_s", "store_byte", "ss_mean", arm="jpeg", where={"zipf_s": 0.8})
    assert "averaged" not in note(one)
    pairs = figures.differences(results, "ss_mean", "jpeg", by="ttl_s")
    assert note(pairs).startswith("averaged over store, Zipf; 5 replications, paired")


def test_an_axis_is_not_drawn_over_itself(sweep: Results) -> None:
    with pytest.raises(ResultsError, match="heat: got 'ttl_s' as x and as y; allowed two axes of ttl_s, store_byte"):
        figures.heat(sweep, "ttl_s", "ttl_s", "ss_mean", arm="jpeg")
    with pytest.raises(ResultsError, match="lines: got 'ttl_s' as x and as by"):
        figures.lines(sweep, "ttl_s", "ss_mean", by="ttl_s", arm="jpeg")


def test_titles_and_notes_stay_inside_the_saved_picture(sweep: Results, tmp_path: Path) -> None:
    """Whatever the question's length, the picture's rim is white, and no word is lost."""
    asked = "Under which time to live do models that travel beat JPEG, and by how much? If at all, Wwwwwww?"
    words = asked.split()
    makers = {
        "lines": lambda title: figures.lines(sweep, "ttl_s", "byte_per_request", title=title),
        "curves": lambda title: figures.curves_over(sweep, "ttl_s", ["byte_per_request", "ss_mean"], title=title)[0],
        "heat": lambda title: figures.heat(sweep, "ttl_s", "store_byte", "ss_mean", arm="jpeg", title=title),
        "pairs": lambda title: figures.differences(sweep, "byte_per_request", "jpeg", by="ttl_s", title=title),
    }
    for name, make in makers.items():
        for n in (14, len(words)):
            title = " ".join(words[:n])
            axes = make(title)
            picture = np.array(Image.open(figures.save(axes, tmp_path / f"{name}{n}.png")).convert("L"))
            assert picture.min() < 100
            assert (picture[:, -4:] == 255).all() and (picture[:2] == 255).all(), f"{name}: {n} words"
            assert axes.get_title(loc="left").split() == words[:n]


def test_a_word_wider_than_the_figure_is_broken(sweep: Results, tmp_path: Path) -> None:
    axes = figures.lines(sweep, "ttl_s", "ss_mean", title="W" * 150)
    picture = np.array(Image.open(figures.save(axes, tmp_path / "wide.png")).convert("L"))
    assert (picture[:, -4:] == 255).all()
    assert axes.get_title(loc="left").replace("\n", "") == "W" * 150


def test_a_title_does_not_reach_the_axes_beside(sweep: Results) -> None:
    figure = matplotlib.figure.Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    figures.lines(sweep, "ttl_s", "ss_mean", axes=left, title="What does it cost to keep models for so long " * 3)
    figure.draw_without_rendering()
    boxes = left.title.get_window_extent(), left._left_title.get_window_extent()  # type: ignore[attr-defined]
    assert max(box.x1 for box in boxes) < right.get_window_extent().x0


def test_an_ending_that_cannot_be_written_is_refused(sweep: Results, tmp_path: Path) -> None:
    axes = figures.lines(sweep, "ttl_s", "ss_mean")
    with pytest.raises(ResultsError, match=r"x\.bmpp: got the ending '\.bmpp'; allowed .*\.pdf, .*\.png.*\.svg"):
        figures.save(axes, tmp_path / "x.bmpp")
