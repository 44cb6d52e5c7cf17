"""What min-sum costs in dB against sum-product, and integers against floats: BLER over Eb/N0 of the same words.

    python benchmarks/decoders.py [--words 20000]

BPSK in Gaussian noise, IEEE 802.16e at rate 1/2, layered schedule, 20 iterations at most. The gap is the difference in
Eb/N0 at a BLER of 10⁻², log BLER interpolated over dB. Prints a table and writes benchmarks/results/decoders.json.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from math import log10
from pathlib import Path

import numpy as np
import torch

from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import ieee80216e
from simnet.statistics.rate import wilson_interval

RESULTS = Path(__file__).parent / "results" / "decoders.json"
KINDS = {
    "sum-product": DecoderSettings("sum_product"),
    "normalised min-sum": DecoderSettings(),
    "offset min-sum": DecoderSettings(alpha=1.0, beta=0.4),
    "normalised min-sum int8": DecoderSettings(arithmetic="int8"),
}
EBNO_DB = {576: (1.5, 2.0, 2.5), 2304: (1.2, 1.4, 1.6, 1.8)}
TARGET_BLER = 1e-2


def lost_words(n: int, ebno_db: float, n_words: int) -> dict[str, int]:
    """Of the same words, per decoder."""
    code = ieee80216e(n)
    decoders = {name: LdpcDecoder(code.parity, settings) for name, settings in KINDS.items()}
    lost = dict.fromkeys(KINDS, 0)
    variance = 1 / db_to_linear(ebno_db)  # 1/(2·rate·Eb/N0) at rate 1/2
    for start in range(0, n_words, 1000):
        rng = generator(1, "decoders", n, str(ebno_db), start)
        size = min(1000, n_words - start), code.k
        words = code.encode(torch.from_numpy(rng.integers(0, 2, size, dtype=np.uint8)))
        noise = torch.from_numpy(rng.standard_normal(tuple(words.shape), dtype=np.float32)) * variance**0.5
        llr = (1 - 2 * words.float() + noise) * (2 / variance)
        for name, decoder in decoders.items():
            lost[name] += int((decoder.decode(llr).bits != words).any(1).sum())
    return lost


def ebno_db_at_target(points: list[tuple[float, int]], n_words: int) -> float | None:
    """Where log BLER, linear in dB between points, meets the target; None if the points do not enclose it."""
    for (x0, lost0), (x1, lost1) in pairwise(points):
        if lost1 and lost0 / n_words >= TARGET_BLER >= lost1 / n_words:
            y0, y1 = log10(lost0 / n_words), log10(lost1 / n_words)
            return x0 + (x1 - x0) * (log10(TARGET_BLER) - y0) / (y1 - y0)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=20_000, help="words per point (default 20000)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, gaps = [], []
    for n, ladder in EBNO_DB.items():
        counts = {ebno_db: lost_words(n, ebno_db, options.words) for ebno_db in ladder}
        for name in KINDS:
            points = [(ebno_db, counts[ebno_db][name]) for ebno_db in ladder]
            for ebno_db, lost in points:
                low, high = wilson_interval(lost, options.words)
                rows.append(
                    {"n": n, "decoder": name, "ebno_db": ebno_db, "words": options.words, "lost": lost,
                     "bler": lost / options.words, "bler_low": low, "bler_high": high}
                )  # fmt: skip
                print(f"n = {n:4} {name:24} {ebno_db:4.2f} dB: {lost}/{options.words} lost, [{low:.1e}, {high:.1e}]")
            gaps.append({"n": n, "decoder": name, "ebno_db_at_target": ebno_db_at_target(points, options.words)})
    for gap in gaps:
        exact = next(g["ebno_db_at_target"] for g in gaps if g["n"] == gap["n"])
        at = gap["ebno_db_at_target"]
        gap["gap_db"] = None if at is None or exact is None else at - exact  # type: ignore[operator]
        if gap["gap_db"] is not None:
            print(f"n = {gap['n']:4} {gap['decoder']:24} BLER 1e-2 at {at:.3f} dB, {gap['gap_db']:+.3f} dB")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": rows, "gaps": gaps}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
