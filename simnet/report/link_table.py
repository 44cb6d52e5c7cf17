"""A link's points as a table for the terminal, readable at 100 columns; rows are those of the CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from simnet.report.wording import NONE

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]
MOST_ROWS = 25
"""Of a goodput table; every n-th Es/N0 is shown. The file has them all."""


def ber_table(rows: Sequence[Row]) -> Table:
    """Of ``simnet link ber``."""
    columns: list[Column] = [
        ("modulation", lambda row: row["modulation"]),
        ("Es/N0 (dB)", lambda row: f"{row['esno_db']:.2f}"),
        ("bit errors", lambda row: f"{row['bit_errors']:,}/{row['bits']:,}"),
        ("BER", _rate_of("ber")),
        ("95 % interval", lambda row: _interval(row, "ber")),
        ("theory", _rate_of("ber_theory")),
    ]
    return _table(_title("Uncoded bit error rate", rows), columns, rows)


def bler_table(rows: Sequence[Row]) -> Table:
    """Of ``simnet link bler``; columns without any value are left out."""
    columns: list[Column] = [("MCS", lambda row: row["mcs"])]
    if len({row["k"] for row in rows}) > 1:
        columns.append(("k", lambda row: str(row["k"])))
    columns += [
        ("Es/N0", lambda row: f"{row['esno_db']:.2f}"),
        ("lost", lambda row: f"{row['block_errors']}/{row['blocks']}"),
        ("BLER", _rate_of("bler")),
        ("95 % interval", lambda row: _interval(row, "bler")),
        ("BER", _rate_of("ber")),
        ("iter.", lambda row: f"{row['mean_iterations']:.1f}"),
    ]
    for heading, name in (("table", "bler_table"), ("normal", "bler_normal_approximation"), ("outage", "bler_outage")):
        if any(row[name] is not None for row in rows):
            columns.append((heading, _rate_of(name)))
    if any(row["undetected"] for row in rows):
        columns.append(("undet.", lambda row: str(row["undetected"])))
    return _table(_title("Block error rate", rows), columns, rows)


def limits_text(rows: Sequence[Row]) -> str:
    """Where capacity and BICM capacity equal the rate, scheme by scheme; empty where no such limit is."""
    said = {
        f"{row['mcs']}, k = {row['k']}": f"{row['capacity_esno_db']:.2f} dB, BICM {row['bicm_esno_db']:.2f} dB"
        for row in rows
        if row["capacity_esno_db"] is not None
    }
    return "Capacity equals the rate at Es/N0: " + "; ".join(map(": ".join, said.items())) + "." if said else ""


def goodput_table(rows: Sequence[Row]) -> Table:
    """Of ``simnet link throughput``: capacity and the adaptive choice, at some of the Es/N0."""
    adaptive = [row for row in rows if row["scheme"] == "adaptive"]
    steps_db = sorted({row["esno_db"] for row in adaptive})
    shown = steps_db[:: -(-len(steps_db) // MOST_ROWS)]
    found = {(row["channel"], row["protection"], row["esno_db"]): row for row in adaptive}
    columns: list[Column] = [("Es/N0 (dB)", lambda row: f"{row['esno_db']:.2f}")]
    for channel in dict.fromkeys(row["channel"] for row in adaptive):
        columns += [
            (f"{channel}: capacity", _goodput_of(found, channel, "arq", "capacity")),
            ("ARQ", _goodput_of(found, channel, "arq", "goodput")),
            ("HARQ", _goodput_of(found, channel, "harq", "goodput")),
        ]
    title = f"Adaptive goodput in payload bits per channel use, {rows[0]['code']}, k = {rows[0]['k']}"
    return _table(title, columns, [{"esno_db": esno_db} for esno_db in shown])


def _goodput_of(
    found: Mapping[tuple[str, str, float], Row], channel: str, protection: str, name: str
) -> Callable[[Row], str]:
    return lambda row: f"{found[channel, protection, row['esno_db']][name]:.3f}"


def _title(what: str, rows: Sequence[Row]) -> str:
    first = rows[0]
    settings = f" ({first['channel_settings']})" if first["channel_settings"] else ""
    said = [f"{what}: {first['channel']}{settings}"]
    if "code" in first:
        sizes = " and ".join(map(str, dict.fromkeys(row["k"] for row in rows)))
        said += [first["code"], f"k = {sizes}", f"csi {first['csi']}"]
        said += [f"{first['harq']} receptions"] if first["harq"] > 1 else []
    return ", ".join(said)


def _table(title: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    for index, (heading, _) in enumerate(columns):
        table.add_column(heading, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(show(row)) for _, show in columns))
    return table


def _rate(value: float | None) -> str:
    return NONE if value is None else f"{value:.1e}" if value > 0 else "0"


def _rate_of(name: str) -> Callable[[Row], str]:
    return lambda row: _rate(row[name])


def _interval(row: Row, name: str) -> str:
    return f"[{row[f'{name}_low']:.1e}, {row[f'{name}_high']:.1e}]"
