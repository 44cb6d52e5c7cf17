"""docs/performance.md, made from what the benchmarks have left in benchmarks/results.

python benchmarks/page.py
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def load(name: str) -> dict[str, Any] | None:
    path = RESULTS / name
    if not path.exists():
        return None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Markdown; all columns but the first are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def count(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


DECODER_HEAD = (
    "decoder", "Eb/N0 (dB)", "iterations", "codewords/s", "all cores", "information Mbit/s", "lost of the same words",
    "lost while timed, 95 % interval",
)  # fmt: skip


def decoder_rows(document: dict[str, Any], operation: str) -> Iterable[Sequence[str]]:
    for row in document["decoders"]:
        if row["operation"] == operation:
            interval = f"{row['lost']}/{row['words']} [{row['bler_low']:.1e}, {row['bler_high']:.1e}]"
            lost = row["lost_of_same_words"]
            yield (
                f"{row['code']}: {row['decoder']}", f"{row['ebno_db']:.2f}", str(row["iterations"]),
                count(row["codewords_per_s"]), count(row.get("codewords_per_s_all_cores")),
                f"{row['info_mbit_per_s']:.3f}", "" if lost is None else str(lost), interval,
            )  # fmt: skip


def phy(document: dict[str, Any]) -> list[str]:
    machine, summary, settings = document["machine"], document["summary"], document["settings"]
    lines = [
        f"Machine: {machine['processor']}, {machine['cores']} cores; torch {machine['torch']} on {machine['device']}; "
        "one thread but for the column *all cores* (ours: one process per core; Sionna: torch's threads). "
        f"`python benchmarks/phy.py{'' if machine['device'] == 'cpu' else ' --device cuda'}`.",
        "",
        f"At equal error rates (n = {settings['n']}, rate {settings['code_rate']}; each decoder at the fewest "
        f"iterations that lose at most {settings['target_bler']:.0%} of the same {settings['matched_words']} words):",
        "",
        *table(DECODER_HEAD, decoder_rows(document, "matched")),
        "As they are used:",
        "",
        *table(DECODER_HEAD, decoder_rows(document, "usual")),
        "Ratios at equal error rates, ours over theirs, of each library's fastest rule:",
        "",
    ]
    words = {
        "ratio_pyldpc": "pyldpc, both stopping early, per core",
        "ratio_pyldpc_all_iterations": "pyldpc, ours running all iterations, per core",
        "ratio_commpy": "CommPy, both stopping early, per core",
        "ratio_sionna": "Sionna, ours stopping early, per core",
        "ratio_sionna_all_iterations": "Sionna, both running all iterations, per core",
        "ratio_sionna_both_cores": "Sionna, ours stopping early, all cores",
        "ratio_sionna_both_cores_all_iterations": "Sionna, both running all iterations, all cores",
        "ratio_sionna_5g": "Sionna's 5G decoder, ours stopping early, per core",
        "ratio_sionna_5g_all_iterations": "Sionna's 5G decoder, both running all iterations, per core",
        "ratio_demapper_sionna_exact": "Sionna's demapper, 64-QAM, exact",
        "ratio_demapper_sionna_max_log": "Sionna's demapper, 64-QAM, max-log",
        "ratio_demapper_commpy": "CommPy's demapper, 64-QAM, exact",
    }
    lines += table(("against", "times as fast"), ((text, count(summary[key])) for key, text in words.items()))
    lines += table(
        ("demapper, 64-QAM", "symbols/s"),
        ((f"{row['library']}, {row['kind']}", count(row["symbols_per_s"])) for row in document["demappers"]),
    )
    if document["floors"]:
        lines += ["How near the decoder comes to what its loads and stores alone cost:", ""]
        lines += table(
            ("arithmetic", "codeword-iterations/s", "floor", "share"),
            (
                (
                    row["arithmetic"],
                    count(row["iterations_per_s"]),
                    count(row["floor_per_s"]),
                    f"{row['share_of_floor']:.0%}",
                )
                for row in document["floors"]
            ),
        )
    if document["settings"]["missing"]:
        lines += [f"Not installed, left out: {', '.join(document['settings']['missing'])}.", ""]
    return lines


def gaps(document: dict[str, Any]) -> list[str]:
    rows = [
        (f"n = {gap['n']}, {gap['decoder']}", f"{gap['ebno_db_at_target']:.3f}", f"{gap['gap_db']:+.3f}")
        for gap in document["gaps"]
        if gap["gap_db"] is not None
    ]
    return [
        "Eb/N0 at a block error rate of 10⁻², IEEE 802.16e, rate 1/2, layered, 20 iterations at most "
        f"({document['rows'][0]['words']:,} words per point; `python benchmarks/decoders.py`):",
        "",
        *table(("decoder", "Eb/N0 (dB)", "against sum-product (dB)"), rows),
    ]


def fidelity(document: dict[str, Any]) -> list[str]:
    summary, settings = document["summary"], document["settings"]
    rows = (
        (
            f"{row['arm']}: {row['measure'].replace('_', ' ')}",
            f"{row['table_mean']:.4f} ± {row['table_half_width']:.4f}",
            f"{row['difference_mean']:+.5f} ± {row['difference_half_width']:.5f}",
        )
        for row in document["rows"]
    )
    return [
        f"The city, {settings['duration_s']:.0f} s, {settings['seeds']} seeds, means with 95 % Student intervals "
        "(`python benchmarks/fidelity.py`). Exact links draw each block's noise, table links its fate; "
        f"{summary['within_replication_interval']} of {summary['of']} differences lie within their own or the "
        f"replication interval. It took {summary['table_s']:.0f} s by table and {summary['exact_s']:.0f} s exactly, "
        f"{summary['exact_over_table']:.2f} times as long.",
        "",
        *table(("arm: measure", "table", "exact − table"), rows),
    ]


def engine(document: dict[str, Any]) -> list[str]:
    settings, summary, tree = document["settings"], document["summary"], document["tree"]
    cities = [
        (
            f"{city['nodes']:,}", f"{city['us_per_request']:.0f}", f"{city['hops_per_request']:.1f}",
            f"{city['us_per_request'] / city['hops_per_request']:.1f}", f"{city['built_s']:.1f}",
            f"{city['built_byte_per_node'] / 1e3:.1f}", f"{city['peak_byte'] / 1e9:.2f}",
        )
        for city in document["cities"]
    ]  # fmt: skip
    quarters = ", ".join(f"{us:.0f}" for us in tree["us_per_request_by_quarter"])
    return [
        f"`python benchmarks/engine.py` on {document['machine']['processor']}, one process, Python "
        f"{document['machine']['python']}. Icarus' tree: {settings['nodes']} nodes, LRU stores of "
        f"{settings['store_slices']} slices, {settings['contents']:,} decoders of {settings['decoder_byte']:,} bytes, "
        f"Zipf {settings['zipf_exponent']}, {settings['rate_per_s']:.0f} requests a second, "
        f"{settings['requests']:,} requests:",
        "",
        f"- {summary['requests_per_s']:,.0f} requests/s, each with {tree['hops_per_request']:.1f} hops and "
        f"{tree['store_events_per_request']:.1f} events of stores: {summary['events_per_s']:,.0f} recorded events/s. "
        f"By quarters of the run a request took {quarters} µs.",
        "- With accounts checked and tables written: "
        f"{tree['requests_per_s_with_accounts_and_tables']:,.0f} requests/s.",
        f"- SimPy alone: {summary['simpy_timeouts_per_s']:,.0f} timeouts/s; a request needs "
        f"{tree['scheduled_events_per_request']:.1f} of its events.",
        f"- A timeline in words costs {summary['tracing_overhead']:+.0%}.",
        "",
        "A growing city of devices at gateways, copies left on the way (peak memory includes torch and all records):",
        "",
        *table(("nodes", "µs a request", "hops", "µs a hop", "built in s", "kB a node when built", "peak GB"), cities),
    ]


def lsci_times(document: dict[str, Any]) -> list[str]:
    def milliseconds(seconds: float | None) -> str:
        return "–" if seconds is None else f"{seconds * 1e3:,.3g}"

    rows = [
        (row["name"], milliseconds(row["s"]), milliseconds(row["paper_s"]))
        for part in ("source", "channel")
        for row in document[part]
    ]
    return [
        f"One picture of 256 × 256 on {document['machine']}, one thread (`python benchmarks/lsci_times.py`). The "
        "paper's figures are of another machine; what its LDPC carries it doesn't say, ours carries JPEG 2000 at 0.3 "
        "bpp.",
        "",
        *table(("what", "here (ms)", "paper 000, Tables IV and V (ms)"), rows),
    ]


def scenarios(document: dict[str, Any]) -> list[str]:
    rows = (
        (
            f"`{row['scenario']}`",
            str(row["arms"]),
            f"{row['requests']:,}",
            *(f"{row[of]:.0f}" for of in ("wall_s", "cpu_s")),
        )
        for row in document["rows"]
    )
    return [
        f"From the command to the report, start and figures included, on {document['machine']} "
        "(`python benchmarks/scenarios.py`):",
        "",
        *table(("scenario", "arms", "requests in all arms", "s", "processor s"), rows),
    ]


def sweep(document: dict[str, Any]) -> list[str]:
    return [
        f"{document['points']} points on {document['machine']} (`python benchmarks/sweep.py`): two workers are "
        f"{document['sweep_speed_up']:.2f} times as fast as one, their start included. Two independent processes of "
        f"single-threaded torch, measured in between, get {document['torch_speed_up']:.2f} times the work of one done.",
        "",
    ]


def main() -> None:
    sections = [
        ("The physical layer on a CPU", "phy.json", phy),
        ("The physical layer on a GPU", "phy_cuda.json", phy),
        ("Min-sum against sum-product, integers against floats", "decoders.json", gaps),
        ("Links by table and exactly", "fidelity.json", fidelity),
        ("The event loop", "engine.json", engine),
        ("The shipped scenarios", "scenarios.json", scenarios),
        ("Sweeps", "sweep.json", sweep),
        ("LSCI and its rivals", "lsci_times_cpu.json", lsci_times),
    ]
    made = "Made by `python benchmarks/page.py` from `benchmarks/results`; nothing here is typed by hand."
    lines = ["# Performance", "", made, ""]
    for title, name, make in sections:
        document = load(name)
        missing = [f"Not measured yet: there is no `benchmarks/results/{name}`.", ""]
        lines += [f"## {title}", "", *(missing if document is None else make(document))]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
