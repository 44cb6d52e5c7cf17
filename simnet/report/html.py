"""One self-contained page: answer, tables, figures, images, scenario. No script, nothing from outside."""

from __future__ import annotations

import base64
import json
import os
from html import escape
from itertools import groupby
from typing import Any

from simnet.report.figures import Drawn
from simnet.report.page_style import CSS
from simnet.report.run_folder import RunFolder
from simnet.report.wording import NONE, answer, closed_form, kilobyte, number, percent, short_verdict

Summary = dict[str, Any]
SERVICE = ("requests", "satisfied", "population SS", "mean SS, all", "mean SS, delivered", "judge unsure")
SPARED_NOISE = (
    "Of codes that are symbols, what stands beside a picture is the delivery's; the picture itself met the highest "
    "Es/N0 at which such codecs are measured, not the delivery's."
)
LATENCY = "latency median · p95 (s)"


def write_page(folder: RunFolder, summary: Summary, figures: list[Drawn]) -> None:
    """Write ``report.html`` whole or not at all."""
    partial = folder.path / "report.html.tmp"
    partial.write_text(page(folder, summary, figures), encoding="utf-8")
    os.replace(partial, folder.path / "report.html")


def page(folder: RunFolder, summary: Summary, figures: list[Drawn]) -> str:
    """The page; every text that comes from data is escaped."""
    name = str(summary["scenario"] or folder.path.name)
    description = folder.scenario.get("description")
    parts = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="lead">{escape(str(description))}</p>' if description else "",
        '<section class="answer">' + "".join(f"<p>{escape(s)}</p>" for s in answer(summary)) + "</section>",
        _marks(summary, folder.manifest),
        "<h2>Arms</h2>",
        _arm_tables(summary),
        _source_tables(summary),
        _break_even(summary) if summary["break_even"] else "",
        _paired(summary) if summary["paired"] else "",
        "<h2>Figures</h2>" if figures else "",
        *(_figure(folder, drawn) for drawn in figures),
        _samples(folder),
        "<h2>Scenario</h2>",
        f'<p class="note">{escape(folder.misfit)}</p>' if folder.misfit else "",
        _details("scenario.yaml, as resolved", folder.scenario_text),
        _details("manifest.json", json.dumps(folder.manifest, indent=1, ensure_ascii=False)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)} · simnet</title><style>{CSS}</style></head>\n<body><main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer>simnet {escape(str(summary['simnet_version']))}, seed {summary['seed']}</footer>"
        "</main></body></html>\n"
    )


def _marks(summary: Summary, manifest: dict[str, Any]) -> str:
    """What a reader must know before believing the numbers."""
    notes = []
    if summary["oracle_arms"]:
        arms = ", ".join(summary["oracle_arms"])
        notes.append(f"ss_feedback: oracle in {arms}: the protocol was told the SS that no receiver can know.")
    if summary["judges"]:
        judges = ", ".join(f"{judge} ({source})" for source, judge in summary["judges"].items())
        notes.append(f"SS was judged by {judges}, outside the network.")
    if manifest.get("left_out"):
        notes.append(f"Left out: {manifest['left_out']}.")
    notes += _links_by_table(manifest) + _surrogates(manifest)
    return "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _links_by_table(manifest: dict[str, Any]) -> list[str]:
    """How far the BLER tables were trusted, and what the exact chain said to it."""
    notes = []
    if drawn := manifest.get("bler_tables"):
        blocks = drawn["below"] + drawn["measured"] + drawn["above"]
        notes.append(
            f"Fates of {blocks:,} blocks were drawn from BLER tables: {drawn['below']:,} below the measured Es/N0, all "
            f"lost, and {drawn['above']:,} above it, where {drawn['failures_expected_above']:.1f} are expected to fail."
        )
    if audit := manifest.get("audit"):
        notes.append(
            f"Audit: {audit['blocks']:,} of them went through the exact chain too; {audit['failed_exact']:,} failed, "
            f"{audit['failed_expected']:.1f} ± {audit['standard_error']:.1f} were expected to."
        )
    return notes


def _surrogates(manifest: dict[str, Any]) -> list[str]:
    """What was drawn in place of being run, and what networks said to it."""
    if not (surrogates := manifest.get("surrogates")):
        return []
    types = " and ".join(f"{n:,} like {like}" for like, n in surrogates["types"].items())
    notes = [
        f"Surrogates: {types}. Sizes, slices and traffic are their own; each item's code and SS are those of one "
        "calibration image of the type that it is like. They are reported together."
    ]
    if (audit := surrogates["audit"]) and audit["difference"] is not None:
        half = "" if audit["half_width"] is None else f" ± {audit['half_width']:.3f}"
        notes.append(
            f"Audit: {audit['measurements']:,} of their measurements were held against other images that networks "
            f"encoded and decoded: mean SS {audit['ss_surrogate']:.3f} drawn (n = {audit['n_surrogate']:,}), "
            f"{audit['ss_neural']:.3f} run (n = {audit['n_neural']:,}), difference {audit['difference']:+.3f}{half}."
        )
    return notes


def _arm_tables(summary: Summary) -> str:
    arms = summary["arms"].items()
    service = [[name, *_service(arm["all"]), _latency(arm["all"])] for name, arm in arms]
    heads = [
        "arm", "kB per delivered", "of it models", "link kB, first + retry", "channel uses",
        "tx + rx + compute (J)", "idle (J)", "given beforehand (kB)",
    ]  # fmt: skip
    cost = []
    for name, arm in arms:
        cell, energy = arm["all"], arm["energy"]
        uses, link = cell["channel_use"], cell["link_byte"]
        cost.append(
            [
                name,
                *_traffic(cell),
                " + ".join(kilobyte(sum(part[a] for part in link.values())) for a in ("first", "retry")),
                number(sum(sum(uses[c].values()) for c in link) + uses["overhead"]),
                number(energy["tx_j"] + energy["rx_j"] + energy["compute_j"]),
                number(energy["idle_j"]),
                kilobyte(arm["provisioned_byte"]),
            ]
        )
    return _table(["arm", *SERVICE, LATENCY], service) + _table(heads, cost)


def _source_tables(summary: Summary) -> str:
    """The same by source type, folded away."""
    tables = []
    for source in next(iter(summary["arms"].values()))["sources"]:
        service, cost = [], []
        for name, arm in summary["arms"].items():
            cell = arm["sources"][source]
            missed = cell["slices_missed"]
            counts = f" ({missed['hits']:,}/{missed['n']:,})" if missed["n"] else ""
            service.append([name, *_service(cell), number(cell["psnr_db_mean"]["value"])])
            cost.append([name, *_traffic(cell), percent(missed["value"]) + counts, _latency(cell)])
        tables.append(f"<h3>{escape(source)}</h3>" + _table(["arm", *SERVICE, "PSNR (dB)"], service))
        tables.append(_table(["arm", "kB per delivered", "of it models", "slices missed", LATENCY], cost))
    return f"<details><summary>By source type</summary>{''.join(tables)}</details>" if tables else ""


def _service(cell: dict[str, Any]) -> list[str]:
    satisfied = cell["satisfied"]
    return [
        f"{cell['requests']:,}",
        f"{percent(satisfied['value'])} ({satisfied['hits']:,})",
        *(_estimate(cell[key]) for key in ("ss_population", "ss_mean", "ss_mean_delivered")),
        f"{cell['judge_unsure']:,}",
    ]


def _traffic(cell: dict[str, Any]) -> list[str]:
    return [_estimate(cell["byte_per_delivered"], 1e-3), percent(cell["model_share"])]


def _estimate(found: dict[str, Any], scale: float = 1.0) -> str:
    """Value and 95 % interval."""
    if found["value"] is None:
        return NONE
    value, low, high = (None if found[key] is None else scale * found[key] for key in ("value", "low", "high"))
    return number(value) if low is None else f"{number(value)} [{number(low)}, {number(high)}]"


def _latency(cell: dict[str, Any]) -> str:
    return f"{number(cell['latency']['median_s'])} · {number(cell['latency']['p95_s'])}"


def _break_even(summary: Summary) -> str:
    baseline = summary["baseline"]
    text = (
        "J, c, M: mean end-to-end bytes of the rival's request, of the arm's without models, and of one "
        "fetch; failed requests and control included. p_miss: requests with a fetch; models win where it is "
        "below (J − c)/M. n*: uses of one holder that pay for one fetch, 95 % bootstrap interval. Measured: "
        "the request from which the arm's sum stays below the rival's; >n: expected at n, beyond this run. "
        "An arm that fetched nothing is charged with the decoders that its consumers were given beforehand. "
        "The same over link bytes and channel uses: summary.json."
    )
    rivals = list(dict.fromkeys(row["rival"] for row in summary["break_even"]))
    tables = {rival: _break_even_table(summary, rival) for rival in rivals}
    main = f"<h2>Break-even against {escape(baseline)}</h2><p>{escape(text)}</p>{tables.pop(baseline)}"
    others = (
        f"<details><summary>Against {escape(rival)}</summary>{table}</details>" for rival, table in tables.items()
    )
    return main + "".join(others)


def _break_even_table(summary: Summary, rival: str) -> str:
    heads = [
        "source type", "arm", "J (B)", "c (B)", "M (B)", "p_miss", "(J\u00a0−\u00a0c)/M", "n* = M/(J\u00a0−\u00a0c)",
        "measured", "holders paid off", "n*, headers stripped", "measured, headers stripped",
    ]  # fmt: skip
    rows = [row for row in summary["break_even"] if row["rival"] == rival]
    stripped = {(row["arm"], row["source_type"]): row for row in rows if row["basis"] == "stripped"}
    counted = [row for row in rows if row["basis"] == "counted"]
    order = list(dict.fromkeys(row["source_type"] for row in counted))
    cells = []
    for row in sorted(counted, key=lambda row: order.index(row["source_type"])):
        twin = stripped[row["arm"], row["source_type"]]
        cells.append(
            [
                row["source_type"],
                row["arm"],
                *(number(row[key]) for key in ("rival_mean", "use_mean", "model_mean")),
                f"{number(row['p_miss'], 2)} ({row['fetches']:,}/{row['requests']:,})",
                number(row["p_miss_limit"], 2),
                closed_form(row),
                short_verdict(row),
                f"{row['holders_crossed']:,}/{row['holders']:,}",
                closed_form(twin),
                short_verdict(twin),
            ]
        )
    return _table(heads, cells)


def _paired(summary: Summary) -> str:
    heads = ["arm", "traffic (B)", "satisfied (percentage points)", "latency (s)", "SS"]
    rows = [
        [
            arm,
            _estimate(found["end_to_end_byte"]),
            _estimate(found["satisfied"], 100),
            _estimate(found["latency_s"]),
            _estimate(found["ss"]),
        ]
        for arm, found in summary["paired"].items()
    ]
    text = (
        f"Mean difference per request to “{summary['baseline']}”, same requests, 95 % interval: consumers and items as "
        "clusters."
    )
    return f"<h2>Paired differences</h2><p>{escape(text)}</p>" + _table(heads, rows)


def _figure(folder: RunFolder, drawn: Drawn) -> str:
    source = _data_uri(folder.file_bytes(f"figures/{drawn.name}.svg"), "image/svg+xml")
    return (
        f"<figure><h3>{escape(drawn.title)}</h3>"
        f'<div class="plot"><img src="{source}" alt="{escape(drawn.title)}"></div>'
        f"<figcaption>{escape(drawn.caption)}</figcaption></figure>"
    )


def _samples(folder: RunFolder) -> str:
    """A row per item: the original, then what each arm's consumer saw."""
    if not folder.samples:
        return ""
    rows = []
    entries = sorted(folder.samples, key=lambda e: (str(e["source_type"]), str(e["item_id"])))
    for (source, item), group in groupby(entries, key=lambda e: (e["source_type"], e["item_id"])):
        of_item = sorted(group, key=lambda e: folder.arms.index(e["arm"]) if e["arm"] in folder.arms else 0)
        cards = [_card(folder, of_item[0]["original"], [f"{source} {item}", "original"])]
        cards += [_card(folder, entry["recovered"], _lines(entry)) for entry in of_item]
        rows.append(f'<div class="samples">{"".join(cards)}</div>')
    spared = any(entry.get("spared_noise") for entry in folder.samples)
    return "<h2>Images as delivered</h2>" + (f"<p>{escape(SPARED_NOISE)}</p>" if spared else "") + "".join(rows)


def _lines(entry: dict[str, Any]) -> list[str]:
    lines = [str(entry["arm"]), str(entry.get("codec", ""))]
    lines += [f"SS {number(entry['ss'])}"] if entry.get("ss") is not None else ["SS: judge unsure"]
    lines += [f"{entry['psnr_db']:.1f} dB"] if entry.get("psnr_db") is not None else []
    lines += [f"{entry['code_byte']:,} B"] if entry.get("code_byte") is not None else []
    return [*lines, "shown without noise"] if entry.get("spared_noise") else lines


def _card(folder: RunFolder, name: str, lines: list[str]) -> str:
    uri = _data_uri(folder.file_bytes(str(name)), "image/png")
    text = "<br>".join(escape(line) for line in lines if line)
    image = f'<img src="{uri}" alt="{escape(" ".join(lines))}">'
    return f'<figure class="card">{image}<figcaption>{text}</figcaption></figure>'


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _details(title: str, text: str) -> str:
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
