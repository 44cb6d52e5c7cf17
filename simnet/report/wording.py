"""Numbers and verdicts in words, the same in the terminal's table and on the page."""

from __future__ import annotations

from typing import Any

NONE = "–"
"""Stands for a number that does not exist."""


def number(value: float | None, digits: int = 3) -> str:
    """Thousands separated; at least ``digits`` significant digits, no exponent from 0.0001 on."""
    if value is None:
        return NONE
    if value == int(value) or abs(value) >= 10 ** (digits - 1):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{digits}g}" if abs(value) >= 1e-4 else f"{value:.1e}"
    return text.replace("-", "−")


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as a percentage."""
    return NONE if share is None else f"{100 * share:.{decimals}f} %"


def kilobyte(byte: float | None) -> str:
    """Bytes in kB (1000 B), three significant digits."""
    return NONE if byte is None else number(byte / 1000)


def duration(seconds: float) -> str:
    """Simulated time in the unit that reads best."""
    if seconds >= 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 180 else f"{seconds:.3g} s"


def verdict(row: dict[str, Any]) -> str:
    """The measured crossing of one break-even row: a number, "never", or what is to be expected."""
    if row["verdict"] == "crossed":
        return f"{row['crossing_request']:,}"
    if row["verdict"] == "beyond_run":
        return f"beyond this run, expected at n = {row['expected_request']:,}"
    return "never"


def short_verdict(row: dict[str, Any]) -> str:
    """The same in a few characters; "> n" is expected beyond this run."""
    return f">{row['expected_request']:,}" if row["verdict"] == "beyond_run" else verdict(row)


def closed_form(row: dict[str, Any]) -> str:
    """n* = M/(J − c) with its interval, or "never"."""
    if row["n_star"] is None:
        return "never"
    if row["n_star_low"] is None:
        return number(row["n_star"])
    high = "∞" if row["n_star_high"] is None else number(row["n_star_high"])
    return f"{number(row['n_star'])} ({number(row['n_star_low'])}–{high})"


def answer(summary: dict[str, Any]) -> list[str]:
    """The run's question, answered in two or three sentences with its numbers."""
    arms = summary["arms"]
    baseline = summary["baseline"]
    n = max(cell["all"]["requests"] for cell in arms.values())
    sentences = [
        f"In {duration(summary['duration_s'])} of simulated time each arm got {n:,} request{'' if n == 1 else 's'}."
    ]
    arm = _headline_arm(summary)
    if arm is None:
        return [*sentences, f"Arm “{baseline}”: {_cost(arms[baseline]['all'])}."]
    travels = arms[arm]["all"]["fetches"] > 0
    text = f"With {'models that travel' if travels else 'models in place beforehand'} (arm “{arm}”): "
    text += _cost(arms[arm]["all"])
    if baseline == arm:
        return [*sentences, text + "."]
    sentences.append(f"{text}; without models (arm “{baseline}”): {_cost(arms[baseline]['all'])}.")
    for basis, words in (
        ("counted", "Against “{0}”, headers counted"),
        ("stripped", "With headers stripped"),
    ):
        rows = [
            r
            for r in summary["break_even"]
            if (r["arm"], r["rival"], r["basis"]) == (arm, baseline, basis) and r["source_type"] != "all"
        ]
        if rows:
            parts = [f"{r['source_type']} {_when(r)}" for r in rows]
            sentences.append(words.format(baseline) + ": " + "; ".join(parts) + ".")
    return sentences


def _when(row: dict[str, Any]) -> str:
    if row["n_star"] is None:
        return "never pays off (a code costs no less than the rival)"
    if row["verdict"] == "never":
        if not row["fetches"]:
            return "never pays off if requests go on saving as little as in the run's second half"
        return (
            f"never pays off while decoders are fetched again so often ({percent(row['p_miss'], 2)} of requests with a "
            f"fetch; it pays below {percent(row['p_miss_limit'], 2)})"
        )
    closed = f" (one holder, one fetch: n* = {number(row['n_star'])})"
    if row["verdict"] == "crossed":
        return f"paid off after {verdict(row)} requests{closed}"
    return f"has not paid off in this run, expected at n = {row['expected_request']:,}{closed}"


def _cost(cell: dict[str, Any]) -> str:
    ss = cell["ss_population"]["value"]
    satisfied = cell["satisfied"]
    models = f", of which {percent(cell['model_share'], 0)} models" if cell["fetches"] else ""
    return (
        f"{kilobyte(cell['byte_per_delivered']['value'])} kB per delivered image{models}, population SS "
        f"{NONE if ss is None else f'{ss:.3f}'}, {percent(satisfied['value'])} satisfied "
        f"({satisfied['hits']:,} of {satisfied['n']:,})"
    )


def _headline_arm(summary: dict[str, Any]) -> str | None:
    """Of the arms whose models travel that with the least traffic; else the first with models; or None."""
    needing: dict[str, Any] = {name: arm["all"] for name, arm in summary["arms"].items() if arm["needs_models"]}
    travelling = {name: cell for name, cell in needing.items() if cell["fetches"]}
    if travelling:
        return min(travelling, key=lambda name: int(travelling[name]["end_to_end_byte"]["total"]))
    return next(iter(needing), None)
