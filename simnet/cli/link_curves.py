"""``simnet link ber | bler | throughput | plot``: curves of one link over Es/N0, and figures of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simnet.cli.characters import print_exactly
from simnet.cli.group import Device, Quiet
from simnet.cli.link import app
from simnet.cli.report import WIDTH_OF_FILES

if TYPE_CHECKING:
    from rich.table import Table

_LADDER = "start:stop:step, or values with commas between them"

Out = Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Keep every point here as soon as it is measured.")]
Again = Annotated[bool, typer.Option("--again", help="Make the file anew if it is there already.")]
Seed = Annotated[int, typer.Option(help="Of bits, channels and noise.")]
MaxBlocks = Annotated[int, typer.Option(min=1, help="Blocks per point at most.")]
TargetErrors = Annotated[int, typer.Option(min=1, help="Wrong blocks that a point aims at.")]
ChannelName = Annotated[str, typer.Option("--channel", help="awgn, rayleigh_…, rician_… (block, fast), tdl_a … e.")]
KFactor = Annotated[
    float | None, typer.Option(min=-300.0, max=300.0, help="rician_…: line of sight over the rest, dB.  [6]")
]
DelaySpread = Annotated[float | None, typer.Option(min=0.0, max=1.0, help="tdl_…: RMS delay spread, s.  [1e-6]")]
Doppler = Annotated[float | None, typer.Option(help="tdl_…: maximum Doppler shift, Hz.  [0]")]
Subcarriers = Annotated[int | None, typer.Option(help="tdl_…: OFDM subcarriers.  [64]")]
Spacing = Annotated[float | None, typer.Option(help="tdl_…: distance of subcarriers, Hz.  [15000]")]
Prefix = Annotated[int | None, typer.Option(help="tdl_…: cyclic prefix, samples.  [longest delay]")]
CodeName = Annotated[str, typer.Option("--code", help="LDPC code family: ieee80216e or nr.")]


@app.command("ber")
def ber(
    modulation: Annotated[
        list[str] | None, typer.Option(help="QPSK, 16-QAM, 64-QAM or 256-QAM; may be repeated.  [all]")
    ] = None,
    esno_db: Annotated[str, typer.Option(metavar="RANGE", help=f"Mean Es/N0, dB: {_LADDER}.")] = "0:30:2",
    channel: ChannelName = "awgn",
    k_factor_db: KFactor = None,
    rms_delay_spread_s: DelaySpread = None,
    doppler_hz: Doppler = None,
    subcarriers: Subcarriers = None,
    subcarrier_spacing_hz: Spacing = None,
    cyclic_prefix: Prefix = None,
    target_errors: TargetErrors = 100,
    max_blocks: MaxBlocks = 10_000,
    seed: Seed = 1,
    out: Out = None,
    again: Again = False,
    quiet: Quiet = False,
) -> None:
    """Measure uncoded bit error rates, in blocks of 256 symbols, beside their closed form."""
    from simnet.core.mcs import MODULATIONS
    from simnet.phy.curves.ber import ber_curves
    from simnet.phy.curves.channel import ChannelSettings
    from simnet.phy.curves.keep import keep
    from simnet.phy.curves.ladder import parse_range
    from simnet.phy.tables.calibration import StopRule
    from simnet.report.link_table import ber_table

    settings = ChannelSettings(
        channel,
        k_factor_db=k_factor_db,
        rms_delay_spread_s=rms_delay_spread_s,
        doppler_hz=doppler_hz,
        subcarriers=subcarriers,
        subcarrier_spacing_hz=subcarrier_spacing_hz,
        cyclic_prefix=cyclic_prefix,
    )
    steps_db = parse_range(esno_db, "--esno-db")
    points = ber_curves(
        modulation or list(MODULATIONS), settings, steps_db, StopRule(target_errors, max_blocks), seed=seed
    )
    rows = keep((([point.row()], str(point)) for point in points), out, again=again, quiet=quiet)
    _close(None if quiet else ber_table(rows), out)


@app.command("bler")
def bler(
    mcs: Annotated[
        list[str] | None, typer.Option(help="May be repeated; see 'simnet list mcs'.  [QPSK 1/2 and 16-QAM 3/4]")
    ] = None,
    bits: Annotated[
        list[int] | None, typer.Option(help="Information bits of a block, CRC included; may be repeated.  [1152]")
    ] = None,
    code: CodeName = "ieee80216e",
    channel: ChannelName = "awgn",
    csi: Annotated[
        Literal["perfect", "pilot"], typer.Option(help="Whether the receiver knows the channel or estimates it.")
    ] = "perfect",
    k_factor_db: KFactor = None,
    n_pilot: Annotated[int | None, typer.Option(help="Flat channels, csi pilot: pilots of a block.  [8]")] = None,
    rms_delay_spread_s: DelaySpread = None,
    doppler_hz: Doppler = None,
    subcarriers: Subcarriers = None,
    subcarrier_spacing_hz: Spacing = None,
    cyclic_prefix: Prefix = None,
    pilots: Annotated[
        Literal["comb", "block"] | None, typer.Option(help="tdl_…, csi pilot: where pilots are.  [comb]")
    ] = None,
    pilot_spacing: Annotated[int | None, typer.Option(help="tdl_…, csi pilot: their distance.  [4]")] = None,
    rule: Annotated[Literal["min_sum", "sum_product"], typer.Option(help="The decoder's.")] = "min_sum",
    arithmetic: Annotated[Literal["float32", "int8"], typer.Option(help="The decoder's.")] = "float32",
    iterations: Annotated[int | None, typer.Option(help="The decoder's at most.  [its default]")] = None,
    harq: Annotated[int, typer.Option(min=1, help="Receptions of each block, combined (Chase).")] = 1,
    esno_db: Annotated[
        str | None, typer.Option(metavar="RANGE", help=f"Mean Es/N0, dB: {_LADDER}.  [around the waterfall]")
    ] = None,
    ebno_db: Annotated[str | None, typer.Option(metavar="RANGE", help="Mean Eb/N0, dB, in place of Es/N0.")] = None,
    target_errors: TargetErrors = 100,
    max_blocks: MaxBlocks = 10_000,
    seed: Seed = 1,
    device: Device = "cpu",
    out: Out = None,
    again: Again = False,
    quiet: Quiet = False,
) -> None:
    """Measure block error rates of the coded chain, beside capacity, the normal approximation, outage and tables."""
    from simnet.phy.curves.bler import bler_curves
    from simnet.phy.curves.channel import ChannelSettings
    from simnet.phy.curves.keep import keep
    from simnet.phy.curves.ladder import Ladder, parse_range
    from simnet.phy.curves.setup import BlerSetup, decoder_settings
    from simnet.phy.tables.calibration import StopRule
    from simnet.phy.tables.making import block_formats
    from simnet.report.link_table import bler_table, limits_text

    settings = ChannelSettings(
        channel,
        csi,
        k_factor_db,
        n_pilot,
        rms_delay_spread_s,
        doppler_hz,
        subcarriers,
        subcarrier_spacing_hz,
        cyclic_prefix,
        pilots,
        pilot_spacing,
    )
    decoder = decoder_settings(rule, arithmetic, iterations)
    formats = block_formats(code, bits or [1152], mcs or ["QPSK 1/2", "16-QAM 3/4"])
    ladder = Ladder(
        None if esno_db is None else parse_range(esno_db, "--esno-db"),
        None if ebno_db is None else parse_range(ebno_db, "--ebno-db"),
    )
    points = bler_curves(
        [BlerSetup(each, settings, harq, decoder) for each in formats],
        ladder,
        StopRule(target_errors, max_blocks),
        device=device,
        seed=seed,
    )
    rows = keep((([point.row()], str(point)) for point in points), out, again=again, quiet=quiet)
    _close(None if quiet else bler_table(rows), out, "" if quiet else limits_text(rows))


@app.command("throughput")
def throughput(
    mcs: Annotated[list[str] | None, typer.Option(help="May be repeated; see 'simnet list mcs'.  [all]")] = None,
    bits: Annotated[int, typer.Option(help="Information bits of a block, CRC included.")] = 1152,
    code: CodeName = "ieee80216e",
    channel: Annotated[list[str] | None, typer.Option(help="awgn or rayleigh_block; may be repeated.  [both]")] = None,
    esno_db: Annotated[str, typer.Option(metavar="RANGE", help=f"Mean Es/N0, dB: {_LADDER}.")] = "-6:36:0.5",
    target_bler: Annotated[float, typer.Option(help="Of the adaptive choice.")] = 0.1,
    attempts: Annotated[int, typer.Option(min=1, help="Transmissions of a block at most, with HARQ.")] = 4,
    out: Out = None,
    again: Again = False,
    quiet: Quiet = False,
) -> None:
    """Reckon the goodput of every MCS and of the adaptive choice, ARQ and HARQ, from the zoo's BLER tables."""
    from simnet.core.mcs import MCS_NAMES
    from simnet.phy.curves.keep import keep
    from simnet.phy.curves.ladder import parse_range
    from simnet.phy.curves.throughput import CHANNELS, Link, goodput_curves
    from simnet.phy.tables.making import block_formats
    from simnet.report.link_table import goodput_table

    link = Link(tuple(block_formats(code, [bits], mcs or MCS_NAMES)), target_bler, attempts)
    curves = goodput_curves(link, channel or CHANNELS, parse_range(esno_db, "--esno-db"))
    rows = keep(((curve.rows(), str(curve)) for curve in curves), out, again=again, quiet=quiet)
    _close(None if quiet else goodput_table(rows), out)


@app.command("plot")
def plot(
    files: Annotated[list[Path] | None, typer.Argument(help="CSV files of one kind.  [the zoo's BLER tables]")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Figure; its endings are .png, .svg and .pdf.  [beside the first file]")
    ] = None,
    over: Annotated[Literal["esno", "ebno"], typer.Option(help="The x axis.")] = "esno",
    quantity: Annotated[
        Literal["bler", "ber"], typer.Option(help="Of coded blocks: their error rate, or that of bits after decoding.")
    ] = "bler",
) -> None:
    """Draw the points of CSV files, or all BLER tables of the zoo, as PNG, SVG and PDF."""
    from simnet.cli.points_file import check_whole
    from simnet.report.figures.link_curves import draw_files, draw_zoo

    for file in files or ():
        check_whole(file)
    for path in draw_files(files, out, over=over, quantity=quantity) if files else draw_zoo(out):
        print_exactly(path)


def _close(table: Table | None, out: Path | None, below: str = "") -> None:
    """Print the table, what stands below it, and where the points are."""
    if table is not None:
        from rich.console import Console

        console = Console()
        if not console.is_terminal:  # a file has room for every column
            wide = Console(width=1000).measure(table).maximum
            console = Console(width=max(WIDTH_OF_FILES, wide))
        console.print(table, below, sep="")
    if out is not None:
        print_exactly(out)
