"""The physical layer's speed against pyldpc, CommPy and Sionna, measured in one run on one machine.

    python benchmarks/phy.py [--seconds 5] [--device cpu] [--json FILE]

Decoders work on BPSK in Gaussian noise at rate 1/2 and n = 2304: pyldpc on its own regular (3, 6) code, since it
refuses irregular ones, word by word, since its batches come out wrong; CommPy and Sionna on IEEE 802.16e; Sionna also
on the 5G code. First every decoder decodes the same words at 1.5 dB (regular code: 1.75 dB) with 2, 3, 4 ...
iterations, until it loses no more than the target; then it is timed at these iterations ("matched"), and at 2.0 dB with
20 iterations ("usual"). Ours is timed with and without early stopping, on 802.16e also on all cores; pyldpc and CommPy
stop early, Sionna never does.

The floor is the time in which the bytes that the decoder moves could be copied, were that all the work.
Libraries that are missing are left out and named.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy import qam
from simnet.phy.ldpc.code import Code, RateMatchedCode
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import ieee80216e
from simnet.phy.ldpc.kernel import flat_checks
from simnet.phy.ldpc.nr import NrRateMatched
from simnet.phy.reference import regular_code
from simnet.statistics.rate import wilson_interval

FOLDER = Path(__file__).parent / "results"
RESULTS = {"cpu": FOLDER / "phy.json", "cuda": FOLDER / "phy_cuda.json"}
"""Device -> the file from which the page takes its figures."""
N, CODE_RATE = 2304, 0.5
MATCHED_EBNO_DB = {"regular": 1.75, "802.16e": 1.5, "5G NR": 1.5}
TARGET_BLER, N_MATCHING, MATCHING_START = 0.1, 100, -1
USUAL_EBNO_DB, USUAL_ITERATIONS = 2.0, 20
ITERATIONS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 25, 30, 40, 60)
LARGE_BATCH = 4096
N_BATCH = 4
"""Different batches per decoder; they are decoded in turn."""

Llr = NDArray[np.float32]
Decode = Callable[[Llr], NDArray[np.uint8]]
"""LLRs [B, n], positive for bit 0 -> decisions on the bits that are compared, [B, bits]."""
SYMBOLS_PER_BATCH = 20_000


@dataclass(frozen=True)
class Contender:
    """A decoder, made for a number of iterations.

    Attributes:
        library: whose.
        kind: its rule and arithmetic.
        code: which words it decodes.
        batch: words at once.
        make: iterations -> decoder.
        stops_early: whether words that are done leave.
    """

    library: str
    kind: str
    code: str
    batch: int
    make: Callable[[int], Decode]
    stops_early: bool

    @property
    def name(self) -> str:
        stops = "" if self.stops_early else ", all iterations"
        return f"{self.library} {self.kind}{stops}"


class Words:
    """Random codewords in noise, functions of the code, Eb/N0 and their number."""

    def __init__(self, name: str, code: Code | RateMatchedCode, information_only: bool) -> None:
        self.name = name
        self.code = code
        self.information_only = information_only
        self.batch = lru_cache(maxsize=2 * N_BATCH)(self._batch)

    def _batch(self, ebno_db: float, n_words: int, start: int) -> tuple[NDArray[np.uint8], Llr]:
        """What is to be decided, and LLRs [B, n] of BPSK of amplitude 1 and noise variance 1/(2·rate·Eb/N0)."""
        rng = generator(1, "benchmark", self.name, str(ebno_db), start)
        info = torch.from_numpy(rng.integers(0, 2, (n_words, self.code.k), dtype=np.uint8))
        sent = self.code.encode(info).numpy()
        variance = 1 / (2 * CODE_RATE * db_to_linear(ebno_db))
        noise = rng.standard_normal(sent.shape, dtype=np.float32) * np.float32(variance**0.5)
        llr = (1 - 2 * sent.astype(np.float32) + noise) * np.float32(2 / variance)
        return (info.numpy() if self.information_only else sent), llr


def ours(words: Words, settings: DecoderSettings, device: str) -> Callable[[int], Decode]:
    def make(iterations: int) -> Decode:
        limited = replace(settings, max_iterations=iterations)
        code = words.code
        mother = code.mother if isinstance(code, NrRateMatched) else code
        decoder = LdpcDecoder(mother.parity, limited, device)

        def decode(llr: Llr) -> NDArray[np.uint8]:
            given = torch.from_numpy(llr).to(device)
            decoded = decoder.decode(code.recover(given) if isinstance(code, NrRateMatched) else given).bits
            return (decoded[:, : code.k] if words.information_only else decoded).cpu().numpy()

        return decode

    return make


def pyldpc_decoder(words: Words) -> Callable[[int], Decode]:
    import pyldpc

    matrix = words.code.matrix  # type: ignore[union-attr]

    def make(iterations: int) -> Decode:
        return lambda llr: np.stack(
            # snr = 0 dB is σ² = 1, and LLR = 2y/σ²
            [pyldpc.decode(matrix, word.astype(np.float64) / 2, 0.0, iterations) for word in llr]
        ).astype(np.uint8)

    return make


def commpy_decoder(words: Words) -> Callable[[int], Decode]:
    from commpy.channelcoding import ldpc_bp_decode

    matrix = sparse.csc_matrix(words.code.parity.to_matrix().astype(np.int8))  # type: ignore[union-attr]
    parameters = {"n_vnodes": N, "parity_check_matrix": matrix}

    def make(iterations: int) -> Decode:
        def decode(llr: Llr) -> NDArray[np.uint8]:
            decided, _ = ldpc_bp_decode(llr.astype(np.float64).ravel(), parameters, "SPA", iterations)
            decisions: NDArray[np.uint8] = decided.reshape(N, -1).T.astype(np.uint8)
            return decisions

        return decode

    return make


def sionna_decoder(words: Words, rule: str, device: str) -> Callable[[int], Decode]:
    """Sionna's LLRs are ln P(1)/P(0)."""
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder, LDPCBPDecoder

    def make(iterations: int) -> Decode:
        if isinstance(words.code, NrRateMatched):
            encoder = LDPC5GEncoder(words.code.k, words.code.n, device=device)
            decoder = LDPC5GDecoder(encoder, cn_update=rule, num_iter=iterations, hard_out=True, device=device)
        else:
            matrix = words.code.parity.to_matrix().toarray()
            decoder = LDPCBPDecoder(matrix, cn_update=rule, num_iter=iterations, hard_out=True, device=device)
        return lambda llr: decoder(-torch.from_numpy(llr).to(device)).cpu().numpy().astype(np.uint8)

    return make


def contenders(words: dict[str, Words], device: str) -> list[Contender]:
    """All decoders that are installed."""
    float32, int8 = DecoderSettings(), DecoderSettings(arithmetic="int8")
    found = []
    for name, each in words.items():
        for kind, settings in (("min-sum float32", float32), ("min-sum int8", int8)):
            for stops in (True, False):
                make = ours(each, replace(settings, early_stopping=stops), device)
                found.append(Contender("simnet", kind, name, LARGE_BATCH, make, stops))
    if find_spec("pyldpc"):
        found.append(Contender("pyldpc", "sum-product", "regular", 2, pyldpc_decoder(words["regular"]), True))
    if find_spec("commpy"):
        found.append(Contender("CommPy", "sum-product", "802.16e", 8, commpy_decoder(words["802.16e"]), True))
    if find_spec("sionna"):
        batch = 128 if device == "cpu" else LARGE_BATCH
        for name in ("802.16e", "5G NR"):
            for rule in ("boxplus", "boxplus-phi", "offset-minsum"):
                make = sionna_decoder(words[name], rule, device)
                found.append(Contender("Sionna", rule, name, batch, make, False))
    return found


def lost_words(decode: Decode, words: Words, batch: int, ebno_db: float) -> int:
    """Of the words by which decoders are matched, the same for every decoder."""
    sent, llr = words.batch(ebno_db, N_MATCHING, MATCHING_START)
    starts = range(0, N_MATCHING, batch)
    decided = np.concatenate([decode(llr[start : start + batch]) for start in starts])
    return int((decided != sent).any(1).sum())


def matched_iterations(contender: Contender, words: Words) -> tuple[int, int] | None:
    """The fewest iterations with which at most the target share of words is lost, and how many are; None if never."""
    for iterations in ITERATIONS:
        decode = contender.make(iterations)
        lost = lost_words(decode, words, contender.batch, MATCHED_EBNO_DB[contender.code])
        if lost <= TARGET_BLER * N_MATCHING:
            return iterations, lost
    return None


def timed(decode: Decode, words: Words, batch: int, ebno_db: float, seconds: float) -> dict[str, float]:
    """Decodes a few batches in turn for at least ``seconds``, after one uncounted; wall clock, decoding alone.

    Lost words are counted in each batch's first turn.
    """
    decode(words.batch(ebno_db, batch, 0)[1])
    n_decoded = n_words = lost = 0
    spent_s = 0.0
    for turn in count():
        if spent_s >= seconds and turn > 0:
            break
        sent, llr = words.batch(ebno_db, batch, turn % N_BATCH * batch)
        begin = time.perf_counter()
        decided = decode(llr)
        spent_s += time.perf_counter() - begin
        n_decoded += batch
        if turn < N_BATCH:
            n_words += batch
            lost += int((decided != sent).any(1).sum())
    low, high = wilson_interval(lost, n_words)
    return {
        "codewords_per_s": n_decoded / spent_s,
        "info_mbit_per_s": n_decoded / spent_s * words.code.k / 1e6,
        "words": n_words,
        "lost": lost,
        "bler": lost / n_words,
        "bler_low": low,
        "bler_high": high,
    }


def _all_words() -> dict[str, Words]:
    return {
        "regular": Words("regular", regular_code(N), False),
        "802.16e": Words("802.16e", ieee80216e(N), False),
        "5G NR": Words("5G NR", NrRateMatched(N // 2, N), True),
    }


def _side_by_side(job: tuple[str, str, bool, int, float, float]) -> float:
    """In a process of its own: codewords per second of one of our decoders."""
    code, arithmetic, stops, iterations, ebno_db, seconds = job
    torch.set_num_threads(1)
    words = _all_words()[code]
    settings = DecoderSettings(arithmetic=arithmetic, early_stopping=stops)  # type: ignore[arg-type]
    decode = ours(words, settings, "cpu")(iterations)
    return timed(decode, words, LARGE_BATCH, ebno_db, seconds)["codewords_per_s"]


def on_all_cores(code: str, arithmetic: str, stops: bool, iterations: int, ebno_db: float, seconds: float) -> float:
    """Codewords per second of one process per core."""
    n_core = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(n_core) as pool:
        return sum(pool.map(_side_by_side, [(code, arithmetic, stops, iterations, ebno_db, seconds)] * n_core))


def memory_floor(code: Code, lanes: int, element_byte: int) -> float:
    """Codeword-iterations per second if moving messages and posteriors were all the work.

    Per edge of the graph an iteration loads and stores a posterior and a message, and loads the posterior once more to
    check the parities. The bandwidth is that of copying as many bytes as the decoder works on.
    """
    _, bits = flat_checks(code.parity)
    working_set_byte = (code.n + len(bits)) * lanes * element_byte
    source, target = (np.zeros(working_set_byte // 2, np.uint8) for _ in range(2))
    best_s = float("inf")
    for _ in range(20):
        begin = time.perf_counter()
        for _ in range(50):
            np.copyto(target, source)
        best_s = min(best_s, (time.perf_counter() - begin) / 50)
    byte_per_s = 2 * len(source) / best_s
    return byte_per_s / (5 * len(bits) * element_byte)


def floor_shares(seconds: float) -> list[dict[str, Any]]:
    """Our decoder's codeword-iterations per second, all iterations run, over the floor's."""
    words = _all_words()["802.16e"]
    shares = []
    for arithmetic, lanes, element_byte in (("float32", 32, 4), ("int8", 64, 1)):
        settings = DecoderSettings(arithmetic=arithmetic, early_stopping=False)  # type: ignore[arg-type]
        decode = ours(words, settings, "cpu")(USUAL_ITERATIONS)
        rate = timed(decode, words, LARGE_BATCH, USUAL_EBNO_DB, seconds)["codewords_per_s"] * USUAL_ITERATIONS
        floor = memory_floor(words.code, lanes, element_byte)  # type: ignore[arg-type]
        shares.append(
            {"arithmetic": arithmetic, "iterations_per_s": rate, "floor_per_s": floor, "share_of_floor": rate / floor}
        )
    return shares


def demappers(device: str, seconds: float) -> list[dict[str, Any]]:
    """Soft demapping of 64-QAM in noise of 0.05 per unit energy: symbols per second."""
    m, variance = 6, 0.05
    rng = generator(1, "benchmark demapper")
    bits = rng.integers(0, 2, (SYMBOLS_PER_BATCH * m,), dtype=np.uint8)
    symbols = qam.modulate(torch.from_numpy(bits), m)
    noise = (rng.standard_normal((SYMBOLS_PER_BATCH, 2), dtype=np.float32) * (variance / 2) ** 0.5).view(np.complex64)
    received = (symbols + torch.from_numpy(noise[:, 0])).reshape(-1, 100).to(device)
    n0 = torch.full((1, 1), variance, device=device)

    def symbols_per_s(demap: Callable[[], Any], n_symbol: int) -> float:
        demap()
        n_call, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            demap()
            n_call += 1
        if device == "cuda":
            torch.cuda.synchronize()
        return n_call * n_symbol / (time.perf_counter() - begin)

    runs: list[tuple[str, str, Callable[[], Any], int]] = [
        ("simnet", "exact", lambda: qam.demodulate(received, n0, m), SYMBOLS_PER_BATCH),
        ("simnet", "max-log", lambda: qam.demodulate(received, n0, m, max_log=True), SYMBOLS_PER_BATCH),
    ]
    if find_spec("sionna"):
        from sionna.phy.mapping import Demapper

        for kind, method in (("exact", "app"), ("max-log", "maxlog")):
            theirs = Demapper(method, "qam", m, device=device)
            variance_ = torch.tensor(variance, device=device)
            runs.append(("Sionna", kind, lambda theirs=theirs, v=variance_: theirs(received, v), SYMBOLS_PER_BATCH))
    if find_spec("commpy") and device == "cpu":
        from commpy.modulation import QAMModem

        modem, few = QAMModem(2**m), received.numpy().ravel()[:200].astype(np.complex128) * 42**0.5
        runs.append(("CommPy", "exact", lambda: modem.demodulate(few, "soft", variance * 42), len(few)))
    return [{"library": library, "kind": kind, "symbols_per_s": symbols_per_s(f, n)} for library, kind, f, n in runs]


def decoders(device: str, seconds: float) -> list[dict[str, Any]]:
    """A row per decoder, code and way of timing."""
    words = _all_words()
    rows = []
    for contender in contenders(words, device):
        matched = matched_iterations(contender, words[contender.code])
        operations = [("usual", USUAL_EBNO_DB, USUAL_ITERATIONS)]
        if matched is not None:
            operations.append(("matched", MATCHED_EBNO_DB[contender.code], matched[0]))
        for operation, ebno_db, iterations in operations:
            row: dict[str, Any] = {
                "operation": operation, "code": contender.code, "decoder": contender.name,
                "library": contender.library, "kind": contender.kind, "stops_early": contender.stops_early,
                "ebno_db": ebno_db, "iterations": iterations,
                "lost_of_same_words": matched[1] if operation == "matched" and matched else None,
            }  # fmt: skip
            decode = contender.make(iterations)
            row |= timed(decode, words[contender.code], contender.batch, ebno_db, seconds)
            everywhere = device == "cpu" and contender.code == "802.16e"
            if contender.library == "simnet" and everywhere:
                arithmetic = contender.kind.split()[-1]
                row["codewords_per_s_all_cores"] = on_all_cores(
                    contender.code, arithmetic, contender.stops_early, iterations, ebno_db, seconds
                )
            if contender.library == "Sionna" and everywhere:
                torch.set_num_threads(os.cpu_count() or 1)
                both = timed(decode, words[contender.code], contender.batch, ebno_db, seconds)
                row["codewords_per_s_all_cores"] = both["codewords_per_s"]
                torch.set_num_threads(1)
            rows.append(row)
            print(_line(row), flush=True)
    return rows


def _line(row: dict[str, Any]) -> str:
    both = f"{row['codewords_per_s_all_cores']:12.1f}" if "codewords_per_s_all_cores" in row else " " * 12
    return (
        f"{row['operation']:8} {row['code']:8} {row['decoder']:38} {row['iterations']:3} "
        f"{row['codewords_per_s']:12.1f} {both} {row['info_mbit_per_s']:9.3f}  "
        f"{row['lost']:>6}/{row['words']:<8} [{row['bler_low']:.1e}, {row['bler_high']:.1e}]"
    )


def _best(rows: list[dict[str, Any]], key: str = "codewords_per_s", **where: Any) -> float:
    values = [row.get(key) for row in rows if all(row[name] == value for name, value in where.items())]
    return max((value for value in values if value is not None), default=float("nan"))


def summarise(rows: list[dict[str, Any]], maps: list[dict[str, Any]], floors: list[dict[str, Any]]) -> dict[str, Any]:
    """Ratios at matched BLER; of a peer's rules the fastest counts."""

    def ratio(peer: str, code: str, stops: bool, **keys: str) -> float:
        mine = {"library": "simnet", "code": code, "operation": "matched", "stops_early": stops}
        theirs = {"library": peer, "code": code, "operation": "matched"}
        return _best(rows, keys.get("mine", "codewords_per_s"), **mine) / _best(
            rows, keys.get("theirs", "codewords_per_s"), **theirs
        )

    every = "codewords_per_s_all_cores"
    exact = {row["library"]: row["symbols_per_s"] for row in maps if row["kind"] == "exact"}
    max_log = {row["library"]: row["symbols_per_s"] for row in maps if row["kind"] == "max-log"}
    usual = {"library": "simnet", "code": "802.16e", "operation": "usual", "stops_early": True}
    return {
        "ratio_pyldpc": ratio("pyldpc", "regular", True),
        "ratio_pyldpc_all_iterations": ratio("pyldpc", "regular", False),
        "ratio_commpy": ratio("CommPy", "802.16e", True),
        "ratio_sionna": ratio("Sionna", "802.16e", True),
        "ratio_sionna_all_iterations": ratio("Sionna", "802.16e", False),
        "ratio_sionna_both_cores": ratio("Sionna", "802.16e", True, mine=every, theirs=every),
        "ratio_sionna_both_cores_all_iterations": ratio("Sionna", "802.16e", False, mine=every, theirs=every),
        "ratio_sionna_5g": ratio("Sionna", "5G NR", True),
        "ratio_sionna_5g_all_iterations": ratio("Sionna", "5G NR", False),
        "ratio_demapper_sionna_exact": exact["simnet"] / exact.get("Sionna", float("nan")),
        "ratio_demapper_sionna_max_log": max_log["simnet"] / max_log.get("Sionna", float("nan")),
        "ratio_demapper_commpy": exact["simnet"] / exact.get("CommPy", float("nan")),
        "codewords_per_s": _best(rows, **usual),
        "info_mbit_per_s_per_core": _best(rows, "info_mbit_per_s", **usual),
        "share_of_floor": {row["arithmetic"]: row["share_of_floor"] for row in floors},
    }


def machine(device: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }
    return facts


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="time per decoder and operation (default 3)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of ours and of Sionna's")
    defaults = " or ".join(map(str, RESULTS.values()))
    parser.add_argument("--json", type=Path, help=f"file of the figures (default {defaults})")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no CUDA device here")
    target = options.json or RESULTS[options.device]
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Decoding stopped before convergence")
    missing = [name for name in ("pyldpc", "commpy", "sionna") if find_spec(name) is None]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    print(
        f"{'':8} {'code':8} {'decoder':38} it. {'codewords/s':>11} {'all cores':>12} {'Mbit/s':>9}  {'lost':>12}    "
        "BLER, 95 % interval"
    )
    rows = decoders(options.device, options.seconds)
    maps = demappers(options.device, options.seconds)
    for row in maps:
        print(f"demapper 64-QAM {row['library']:8} {row['kind']:8} {row['symbols_per_s']:14.0f} symbols/s")
    floors = floor_shares(options.seconds) if options.device == "cpu" else []
    for row in floors:
        print(f"{row['arithmetic']}: {row['share_of_floor']:.0%} of the memory floor")
    document = {
        "machine": machine(options.device),
        "settings": {"n": N, "code_rate": CODE_RATE, "seconds": options.seconds, "missing": missing,
                     "target_bler": TARGET_BLER, "matched_words": N_MATCHING, "decoder": asdict(DecoderSettings())},
        "decoders": rows, "demappers": maps, "floors": floors, "summary": summarise(rows, maps, floors),
    }  # fmt: skip
    for name, value in document["summary"].items():
        print(f"{name:42} {value if isinstance(value, dict) else format(value, ',.1f')}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
