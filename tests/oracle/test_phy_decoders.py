"""Our decoder against Sionna's and CommPy's, on the same words in the same noise.

Equality is judged on pairs: of the words that exactly one of two decoders loses, each loses as many as a fair coin
says.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import Tensor

from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import Ieee80216eCode
from simnet.phy.ldpc.nr import NrRateMatched

Decide = Callable[[Tensor], Tensor]


def words(
    code: Ieee80216eCode | NrRateMatched, ebno_db: float, n_words: int, name: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Information bits [B, k], bits sent [B, n], LLRs [B, n] float32 of BPSK in Gaussian noise."""
    rng = generator(1, "decoders", name, str(ebno_db))
    info = torch.from_numpy(rng.integers(0, 2, (n_words, code.k), dtype=np.uint8))
    sent = code.encode(info)
    variance = 1 / (2 * code.k / code.n * db_to_linear(ebno_db))
    noise = torch.from_numpy(rng.standard_normal(tuple(sent.shape), dtype=np.float32)) * variance**0.5
    return info, sent, (1 - 2 * sent.float() + noise) * (2 / variance)


def assert_as_many_lost(ours: Tensor, theirs: Tensor) -> None:
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    assert abs(only_ours - only_theirs) <= 4 * sqrt(max(only_ours + only_theirs, 1))


SUM_PRODUCT = DecoderSettings("sum_product", "flooding", max_iterations=20)


@pytest.mark.parametrize(
    ("n", "rate", "ebno_db"), [(576, "1/2", 2.0), (1152, "2/3A", 2.35), (960, "3/4B", 2.75), (576, "5/6", 3.6)]
)
def test_sum_product_loses_as_many_words_as_sionna(n: int, rate: str, ebno_db: float) -> None:
    ldpc = pytest.importorskip("sionna.phy.fec.ldpc")
    code = Ieee80216eCode(n, rate)
    _, sent, llr = words(code, ebno_db, 400, f"sionna {n}")
    ours = (LdpcDecoder(code.parity, SUM_PRODUCT).decode(llr).bits != sent).any(1)
    matrix = code.parity.to_matrix().toarray()
    decoder = ldpc.LDPCBPDecoder(matrix, cn_update="boxplus", num_iter=20, hard_out=True, device="cpu")
    theirs = (decoder(-llr).to(torch.uint8) != sent).any(1)  # Sionna's LLRs are ln P(1)/P(0)
    assert 0.02 < float(theirs.float().mean()) < 0.6
    assert_as_many_lost(ours, theirs)


@pytest.mark.parametrize(
    ("k", "n", "ebno_db"),
    [
        (200, 300, 3.0),
        pytest.param(288, 576, 2.1, marks=pytest.mark.slow),
        pytest.param(1000, 1500, 2.25, marks=pytest.mark.slow),
    ],
)
def test_the_5g_code_comes_within_a_tenth_of_a_db_of_sionna_at_a_bler_of_one_percent(
    k: int, n: int, ebno_db: float
) -> None:
    """0.1 dB more, and either loses no more than the other: sum-product, enough iterations for both schedules."""
    ldpc = pytest.importorskip("sionna.phy.fec.ldpc")
    code = NrRateMatched(k, n)
    settings = DecoderSettings("sum_product", "layered", max_iterations=20)
    decoder = LdpcDecoder(code.mother.parity, settings)
    encoder = ldpc.LDPC5GEncoder(k, n, device="cpu")
    sionna = ldpc.LDPC5GDecoder(encoder, cn_update="boxplus", num_iter=40, hard_out=True, device="cpu")
    n_words = 1200

    def lost(decide: Decide, ebno_db: float) -> int:
        info, _, llr = words(code, ebno_db, n_words, "5g")
        return int((decide(llr)[:, :k] != info).any(1).sum())

    def ours(llr: Tensor) -> Tensor:
        return decoder.decode(code.recover(llr)).bits

    def theirs(llr: Tensor) -> Tensor:
        return sionna(-llr).to(torch.uint8)  # type: ignore[no-any-return]

    at, later = ebno_db, ebno_db + 0.1
    rates = {"ours": (lost(ours, at), lost(ours, later)), "theirs": (lost(theirs, at), lost(theirs, later))}
    assert 0.003 < rates["theirs"][0] / n_words < 0.03
    assert rates["ours"][1] <= rates["theirs"][0] + 4 * sqrt(rates["theirs"][0] + rates["ours"][1])
    assert rates["theirs"][1] <= rates["ours"][0] + 4 * sqrt(rates["ours"][0] + rates["theirs"][1])


@pytest.mark.parametrize(("n", "rate", "ebno_db"), [(960, "3/4A", 2.4), (1440, "1/2", 1.4)])
def test_sum_product_loses_as_many_words_as_commpy(n: int, rate: str, ebno_db: float) -> None:
    channelcoding = pytest.importorskip("commpy.channelcoding")
    code = Ieee80216eCode(n, rate)
    _, sent, llr = words(code, ebno_db, 60, f"commpy {n}")
    ours = (LdpcDecoder(code.parity, SUM_PRODUCT).decode(llr.double()).bits != sent).any(1)
    matrix = sparse.csc_matrix(code.parity.to_matrix().astype(np.int8))
    parameters = {"n_vnodes": n, "parity_check_matrix": matrix}
    decided, _ = channelcoding.ldpc_bp_decode(llr.double().numpy().ravel(), parameters, "SPA", 20)
    theirs = (torch.from_numpy(decided.reshape(n, -1).T.astype(np.uint8)) != sent).any(1)
    assert 0.02 < float(theirs.float().mean()) < 0.7
    assert_as_many_lost(ours, theirs)


def test_min_sum_comes_close_to_sum_product() -> None:
    """At n = 1152 normalised min-sum needs 0.15 dB more than sum-product at most, both layered, floats or integers."""
    code = Ieee80216eCode(1152)
    _, sent, llr = words(code, 1.65, 600, "gap")
    exact = DecoderSettings("sum_product", "layered", max_iterations=20)
    lost = int((LdpcDecoder(code.parity, exact).decode(llr).bits != sent).any(1).sum())
    assert 10 < lost < 200
    _, sent, llr = words(code, 1.80, 600, "gap")
    for arithmetic in ("float32", "int8"):
        settings = DecoderSettings(arithmetic=arithmetic)  # type: ignore[arg-type]
        with_min_sum = int((LdpcDecoder(code.parity, settings).decode(llr).bits != sent).any(1).sum())
        assert with_min_sum <= lost + 4 * sqrt(lost + with_min_sum)
