"""Curves of a link over Es/N0: from files of ``simnet link ber | bler | throughput``, or the zoo's BLER tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.interpolate import PchipInterpolator

from simnet.core.errors import SimnetError
from simnet.core.folders import made_folder
from simnet.core.zoo import zoo_root
from simnet.report.figures.style import ARM_COLOURS, INK, MARKERS, RC, page, save

Over = Literal["esno", "ebno"]
Quantity = Literal["bler", "ber"]

MODULATIONS = ("QPSK", "16-QAM", "64-QAM", "256-QAM")
RATE_STYLES: dict[str, Any] = {"1/2": "-", "2/3": "--", "3/4": "-.", "5/6": ":"}
_OWN_RC = {"pdf.fonttype": 42, "axes.grid.which": "major"}
"""Type 3 fonts, the default in PDF, are refused by IEEE."""
_ENDINGS = (".png", ".svg", ".pdf")
_REMEDY = "'simnet link ber | bler | throughput --out FILE.csv' write such files"
_WIDTH_IN, _HEIGHT_IN, _ROW_IN = 5.0, 4.0, 0.19
"""Of a figure of waterfalls, without the rows of its legend."""
_ZOO_COLUMNS = 3
"""Block sizes side by side: more would be too narrow to show an interval."""
_LOWEST = 1e-7
_ARROW = 0.35
"""Length of an upper limit's arrow, decades."""


@dataclass(frozen=True)
class _Words:
    """How one theory is drawn: its column, line and name."""

    column: str
    line: Any
    name: str


@dataclass(frozen=True)
class _Kind:
    """What a file of points holds.

    Attributes:
        name: of the kind.
        curve: columns that tell one curve from another.
        value: column of the rate, with ``_low`` and ``_high`` beside it.
        axis: what it is.
        theory: lines beside it, of the same unit.
        limits: columns of an Es/N0 in dB below which nothing works.
        interval: endings of the columns beside the rate.
    """

    name: str
    curve: tuple[str, ...]
    value: str
    axis: str
    theory: tuple[_Words, ...] = ()
    limits: tuple[_Words, ...] = ()
    interval: tuple[str, ...] = ("low", "high")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that hold numbers."""
        interval = (f"{self.value}_{end}" for end in self.interval)
        return ("esno_db", self.value, *interval, *(each.column for each in (*self.theory, *self.limits)))


_LINK = ("channel", "csi", "channel_settings", "harq")
_DECODER = tuple(
    f"decoder_{each}"
    for each in ("rule", "schedule", "alpha", "beta", "max_iterations", "early_stopping", "arithmetic")
)
_LIMITS = (_Words("bicm_esno_db", (0, (1, 1)), "BICM limit"),)
_BER = _Kind(
    "ber",
    ("modulation", "channel", "channel_settings"),
    "ber",
    "bit error rate",
    (_Words("ber_theory", "-", "exact"),),
)
_BLER = _Kind(
    "bler",
    ("mcs", "code", "k", *_LINK, *_DECODER),
    "bler",
    "block error rate",
    (
        _Words("bler_table", "-", "AWGN table"),
        _Words("bler_normal_approximation", "--", "normal approximation"),
        _Words("bler_outage", "-.", "outage"),
    ),
    _LIMITS,
)
_CODED_BER = _Kind("ber after decoding", _BLER.curve, "ber", "bit error rate after decoding", (), _LIMITS)
_GOODPUT = _Kind(
    "throughput",
    ("channel", "code", "k", "scheme", "protection"),
    "goodput",
    "goodput (bit per channel use)",
    (_Words("capacity", ":", "capacity"),),
    interval=(),
)


def draw_files(
    files: Sequence[Path], out: Path | None = None, *, over: Over = "esno", quantity: Quantity = "bler"
) -> list[Path]:
    """Draws the points of one or more CSV files of one kind into one figure.

    Args:
        files: as ``simnet link`` writes them.
        out: of the figure, with one of its endings or without; None is the first file's place and name.
        over: what the x axis is.
        quantity: of coded blocks, their error rate or the bits' after decoding.

    Returns:
        The SVG, PNG and PDF files.

    Raises:
        SimnetError: a file cannot be read, or is not of the kind of the first one.
    """
    tables = [_read(path) for path in files]
    kinds = [_kind(path, table.columns, quantity) for path, table in zip(files, tables, strict=True)]
    kind, table = kinds[0], pd.concat(tables, ignore_index=True)
    for path, other, points in zip(files, kinds, tables, strict=True):
        if other is not kind:
            raise SimnetError(f"{path}: got points of {other.name}; allowed {kind.name}, as in {files[0]}")
        _check_numbers(path, points, kind)
    if over == "ebno" and "ebno_db" not in table:
        raise SimnetError(f"{files[0]}: got --over ebno; allowed esno: {kind.name} files have no Eb/N0")
    with matplotlib.rc_context(RC | _OWN_RC):
        figure = _goodput(table) if kind is _GOODPUT else _waterfalls(table, kind, over)
    return _write(figure, out or files[0].with_suffix(""))


def draw_zoo(out: Path | None = None) -> list[Path]:
    """Draws all BLER tables of the zoo: one figure per code family, one panel per number of information bits.

    Args:
        out: of the figures, to which the family is added; None is ``bler`` in the working folder.

    Raises:
        SimnetError: the zoo has no table, or one cannot be read.
    """
    stem = out or Path("bler")
    written = []
    for family, tables in _zoo_tables().items():
        with matplotlib.rc_context(RC | _OWN_RC):
            figure = _zoo(family, tables)
        written += _write(figure, stem.with_name(f"{stem.name}_{family}"))
    return written


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise SimnetError(f"{path}: cannot be read as CSV ({error}); {_REMEDY}") from None
    if table.empty:
        raise SimnetError(f"{path}: no points; {_REMEDY}")
    return table


def _kind(path: Path, columns: Iterable[str], quantity: Quantity) -> _Kind:
    columns = list(columns)
    for kind in (_GOODPUT, _BLER, _BER):
        if {*kind.curve, *kind.numbers} <= set(columns):
            return _CODED_BER if kind is _BLER and quantity == "ber" else kind
    raise SimnetError(f"{path}: not a file of a link's points (columns {', '.join(columns[:6])} …); {_REMEDY}")


def _check_numbers(path: Path, table: pd.DataFrame, kind: _Kind) -> None:
    """Raises SimnetError if one of a file's columns of numbers holds anything else."""
    for name in (*kind.numbers, *(["ebno_db"] if "ebno_db" in table else [])):
        wrong = table.loc[pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna(), name]
        if len(wrong):
            raise SimnetError(f"{path}: column {name}: got {wrong.iloc[0]!r}; allowed numbers")


def _write(figure: Figure, stem: Path) -> list[Path]:
    if stem.suffix in _ENDINGS:
        stem = stem.with_suffix("")
    made_folder(stem.parent)
    save(figure, stem.parent, stem.name)
    pdf = stem.parent / f"{stem.name}.pdf"
    with matplotlib.rc_context(RC | _OWN_RC):
        figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return [stem.parent / f"{stem.name}{suffix}" for suffix in _ENDINGS]


# Waterfalls: error rates on a logarithmic axis.


def _waterfalls(table: pd.DataFrame, kind: _Kind, over: Over) -> Figure:
    curves = list(_curves(table, kind))
    columns = _legend_columns(_WIDTH_IN, [label for label, _ in curves])
    figure = page(_WIDTH_IN, _HEIGHT_IN + _ROW_IN * -(-len(curves) // columns))
    axes = figure.subplots()
    used: dict[str, _Words] = {}
    for index, (label, rows) in enumerate(curves):
        colour = ARM_COLOURS[index % len(ARM_COLOURS)]
        x = rows[f"{over}_db"].to_numpy(float)
        for words in kind.theory:
            if rows[words.column].notna().any():
                used[words.column] = words
                axes.plot(
                    *_smooth(x, rows[words.column].to_numpy(float)),
                    color=colour,
                    linestyle=words.line,
                    linewidth=0.9,
                    zorder=1.5,
                )
        for words in kind.limits:
            limit_db = rows[words.column].iloc[0]
            if not math.isnan(limit_db):
                used[words.column] = words
                shift_db = x[0] - rows["esno_db"].iloc[0]
                axes.axvline(limit_db + shift_db, color=colour, linestyle=words.line, linewidth=0.9, zorder=1.2)
        if not kind.theory:
            axes.plot(x, rows[kind.value].replace(0.0, np.nan), color=colour, linewidth=0.9, zorder=1.5)
        _points(axes, x, rows, kind.value, {"color": colour, "marker": MARKERS[index % len(MARKERS)], "label": label})
    _rate_axis(axes, [rows for _, rows in curves], kind.value)
    axes.set_ylabel(kind.axis)
    axes.set_xlabel(_axis_name(over, table["channel"]))
    _legend(figure, *axes.get_legend_handles_labels(), title=_common(table, kind))
    _lines_legend(figure, list(used.values()), unseen=bool((table[kind.value] == 0).any()))
    return figure


def _axis_name(over: Over, channels: pd.Series[str]) -> str:
    ratio = {"esno": "$E_s/N_0$", "ebno": "$E_b/N_0$"}[over]
    return f"{ratio} (dB)" if (channels == "awgn").all() else f"mean {ratio} (dB)"


def _smooth(x: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A theory's line through its values at the measured points, monotone between them on the logarithmic axis."""
    x, first = np.unique(x, return_index=True)  # an Es/N0 may be measured twice, with different seeds
    rates = rates[first]
    known = rates > 0  # neither missing nor below what floats hold
    if known.sum() < 3:
        return x[known], rates[known]
    dense = np.unique(np.append(np.linspace(x[known][0], x[known][-1], 20 * len(x)), x[known]))
    smooth: np.ndarray = 10.0 ** PchipInterpolator(x[known], np.log10(rates[known]))(dense)
    return dense, smooth


def _points(axes: Axes, x: np.ndarray, rows: pd.DataFrame, value: str, look: dict[str, Any]) -> None:
    """Measured rates with their intervals; a rate of 0 as an arrow down from the interval's end."""
    rate, low, high = (rows[name].to_numpy(float) for name in (value, f"{value}_low", f"{value}_high"))
    seen = rate > 0
    spread = np.array([rate - low, high - rate])[:, seen].clip(min=0.0)
    axes.errorbar(
        x[seen], rate[seen], spread, linestyle="none", markersize=4.5, capsize=2, elinewidth=0.9, zorder=3, **look
    )
    if not seen.all():
        arrow = high[~seen] * (1 - 10.0**-_ARROW)
        look = look | {"label": None}
        axes.errorbar(
            x[~seen], high[~seen], arrow, uplims=True, linestyle="none", markersize=4.5, markerfacecolor="white",
            elinewidth=0.9, zorder=3, **look,
        )  # fmt: skip


def _rate_axis(axes: Axes, curves: Sequence[pd.DataFrame], value: str) -> None:
    rates = pd.concat([rows[value] for rows in curves])
    limits = pd.concat([rows.loc[rows[value] == 0, f"{value}_high"] for rows in curves]) * 10.0**-_ARROW
    least = min([*rates[rates > 0], *limits], default=0.1)
    axes.set_yscale("log")
    axes.set_ylim(max(_LOWEST, 10.0 ** math.floor(math.log10(0.8 * least))), 1.6)
    axes.margins(x=0.03)


def _curves(table: pd.DataFrame, kind: _Kind) -> Iterator[tuple[str, pd.DataFrame]]:
    """Curves in the order of the files, with what tells each from the others."""
    varying = [name for name in kind.curve if table[name].nunique(dropna=False) > 1]
    for _, rows in table.groupby(list(kind.curve), sort=False, dropna=False):
        first = rows.iloc[0]
        label = ", ".join(filter(None, (_said(name, first[name]) for name in varying or kind.curve[:1])))
        yield label, rows.sort_values("esno_db", kind="stable").drop_duplicates([*kind.numbers])


def _common(table: pd.DataFrame, kind: _Kind) -> str:
    """What all curves share, for the title."""
    shared = [name for name in kind.curve if table[name].nunique(dropna=False) == 1 and not name.startswith("decoder")]
    curves_differ = len(shared) < len([name for name in kind.curve if not name.startswith("decoder")])
    said = [_said(name, table[name].iloc[0]) for name in shared if curves_differ or name != kind.curve[0]]
    return ", ".join(each for each in said if each)


_UNITS = {
    "k_factor_db": ("K = {} dB", 1.0),
    "n_pilot": ("{} pilots", 1.0),
    "rms_delay_spread_s": ("{} µs RMS delay spread", 1e6),
    "doppler_hz": ("{} Hz Doppler", 1.0),
    "subcarriers": ("{} subcarriers", 1.0),
    "subcarrier_spacing_hz": ("{} kHz apart", 1e-3),
}


def _said(column: str, value: Any) -> str:
    """A setting in words; nothing where it goes without saying."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    if column == "channel_settings":
        pairs = (pair.split("=") for pair in str(value).split())
        words = [(_UNITS[key], number) for key, number in pairs if key in _UNITS and number != "0"]
        return ", ".join(form.format(f"{float(number) * factor:g}") for (form, factor), number in words)
    words_of = {
        "k": f"k = {value} bit",
        "csi": "" if value == "perfect" else "estimated channel",
        "harq": "" if value == 1 else f"{value} receptions",
        "code": {"ieee80216e": "IEEE 802.16e", "nr": "5G NR"}.get(str(value), str(value)),
        "decoder_max_iterations": f"{value} iterations",
        "decoder_alpha": f"α = {value}",
        "decoder_beta": f"β = {value}",
        "channel": _channel(str(value)),
    }
    return words_of.get(column, str(value).replace("_", "-"))


def _channel(name: str) -> str:
    if name.startswith("tdl"):
        return name.upper().replace("_", "-")
    return {"awgn": "AWGN"}.get(name, name.replace("_", " ").capitalize() + " fading")


def _legend_columns(width_in: float, labels: Sequence[str]) -> int:
    """As many as the longest label allows."""
    return max(1, min(len(labels), int(width_in / (0.45 + 0.075 * max(map(len, labels))))))


def _legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str], title: str) -> None:
    """In rows above all axes."""
    columns = _legend_columns(figure.get_figwidth(), labels)
    figure.legend(
        handles, labels, loc="outside upper center", ncols=columns, title=title, columnspacing=1.4, handlelength=2.2
    )


def _lines_legend(figure: Figure, theory: Sequence[_Words], *, unseen: bool) -> None:
    """In a row below the axes, in two if there are many.

    Args:
        unseen: whether there are points without an error.
    """
    handles = [Line2D([], [], color=INK, linewidth=0.9, linestyle=words.line) for words in theory]
    labels = [words.name for words in theory]
    if unseen:
        handles.append(Line2D([], [], color=INK, linestyle="none", marker="o", markersize=4.5, markerfacecolor="white"))
        labels.append("no error: at most (95 %)")
    if not labels:
        return
    columns = len(labels) if len(labels) < 4 else 2
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, columnspacing=1.4, handlelength=2.2)


# Goodput.


def _goodput(table: pd.DataFrame) -> Figure:
    panels = list(table.groupby(["code", "k", "channel"], sort=False))
    figure = page(max(4.6, 4.1 * len(panels)), 4.4)
    row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, ((code, k, channel), rows) in zip(row, panels, strict=True):
        _goodput_panel(axes, rows)
        axes.set_title(", ".join((_said("channel", channel), _said("code", code), _said("k", k))), fontsize=8.5)
        axes.set_xlabel(_axis_name("esno", rows["channel"]))
    row[0].set_ylabel(_GOODPUT.axis)
    modulations = [name for name in MODULATIONS if table["scheme"].str.startswith(f"{name} ").any()]
    lines = {
        "capacity": Line2D([], [], color=INK, linewidth=0.9, linestyle=":"),
        "adaptive, ARQ": Line2D([], [], color=INK, linewidth=1.8),
        "adaptive, HARQ": Line2D([], [], color=INK, linewidth=1.8, linestyle="--"),
        **{
            f"{name}, fixed rate": Line2D([], [], color=ARM_COLOURS[MODULATIONS.index(name)], linewidth=1.0)
            for name in modulations
        },
    }
    _legend(figure, list(lines.values()), list(lines), title="thin: one scheme, ARQ (solid) or HARQ (dashed)")
    return figure


def _goodput_panel(axes: Axes, rows: pd.DataFrame) -> None:
    for (scheme, protection), line in rows.groupby(["scheme", "protection"], sort=False):
        adaptive = scheme == "adaptive"
        colour = INK if adaptive else ARM_COLOURS[MODULATIONS.index(str(scheme).split()[0])]
        line = line.sort_values("esno_db")
        axes.plot(
            line["esno_db"],
            line["goodput"],
            color=colour,
            linestyle="-" if protection == "arq" else "--",
            linewidth=1.8 if adaptive else 0.8,
            alpha=1.0 if adaptive else 0.75,
            zorder=3 if adaptive else 2,
        )
    limit = rows.drop_duplicates("esno_db").sort_values("esno_db")
    axes.plot(limit["esno_db"], limit["capacity"], color=INK, linewidth=0.9, linestyle=":", zorder=2.5)
    axes.set_ylim(0, 1.12 * rows["goodput"].max())
    axes.margins(x=0.0)


# The zoo's tables.


def _zoo_tables() -> dict[str, list[dict[str, Any]]]:
    """Code family -> its tables."""
    paths = sorted((zoo_root() / "bler").glob("*/*.json"))
    if not paths:
        raise SimnetError(f"BLER tables: none in {zoo_root() / 'bler'}; make them with 'simnet link calibrate'")
    tables: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            tables.setdefault(table["code"], []).append(table)
            _, _ = table["mcs"].split(), table["points"][0]["bler_low"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            remedy = "'simnet link calibrate' makes it anew"
            raise SimnetError(f"BLER table {path}: cannot be read ({error!r}); {remedy}") from None
    return tables


def _zoo(family: str, tables: Sequence[dict[str, Any]]) -> Figure:
    sizes = sorted({table["k"] for table in tables})
    n_columns = min(len(sizes), _ZOO_COLUMNS)
    n_rows = math.ceil(len(sizes) / n_columns)
    figure = page(max(4.6, 3.4 * n_columns), 0.8 + 3.4 * n_rows)
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True, sharex=True)
    for axes in grid.flat[len(sizes) :]:
        axes.remove()
    for axes in grid.flat[len(sizes) - n_columns : len(sizes)]:  # below the others stand no more
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("$E_s/N_0$ (dB)")
    for axes, k in zip(grid.flat, sizes, strict=False):
        for table in tables:
            if table["k"] == k:
                _zoo_curve(axes, table)
        axes.set_yscale("log")
        axes.set_title(f"k = {k} bit")
        axes.margins(x=0.03)
    grid[0, 0].set_ylim(0.7 * min(point["bler"] for table in tables for point in table["points"]), 1.3)
    for axes in grid[:, 0]:
        axes.set_ylabel("block error rate")
    keys = {
        name: Line2D([], [], color=ARM_COLOURS[i], linewidth=1.2)
        for i, name in enumerate(MODULATIONS)
        if any(table["mcs"].startswith(f"{name} ") for table in tables)
    }
    keys |= {
        f"rate {rate}": Line2D([], [], color=INK, linewidth=1.2, linestyle=line)
        for rate, line in RATE_STYLES.items()
        if any(table["mcs"].endswith(f" {rate}") for table in tables)
    }
    _legend(figure, list(keys.values()), list(keys), title=f"{_said('code', family)}, AWGN, 95 % intervals")
    return figure


def _zoo_curve(axes: Axes, table: dict[str, Any]) -> None:
    modulation, rate = table["mcs"].split()
    colour = ARM_COLOURS[MODULATIONS.index(modulation)]
    points = table["points"]
    certain = sum(point["bler"] == 1 for point in points)
    points = points[max(0, certain - 1) :]  # where every block failed, curves would only cover each other
    x, y, low, high = (
        np.array([point[name] for point in points], dtype=float)
        for name in ("esno_db", "bler", "bler_low", "bler_high")
    )
    axes.fill_between(x, low, high, color=colour, alpha=0.45, linewidth=0)  # they are hardly wider than the line
    axes.plot(x, y, RATE_STYLES[rate], color=colour, linewidth=0.8)
