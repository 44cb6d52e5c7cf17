"""Our demapper, matrix and decoder against CommPy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from simnet.core.streams import generator
from simnet.phy import qam
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import Ieee80216eCode

modulation = pytest.importorskip("commpy.modulation")
channelcoding = pytest.importorskip("commpy.channelcoding")


def our_points(m: int) -> np.ndarray:
    """Our constellation in float64, indexed by the label, first bit highest."""
    label = np.arange(2**m)[:, None] >> np.arange(m - 1, -1, -1) & 1
    levels = qam.pam_levels(m).numpy()
    weight = 2 ** np.arange(m // 2 - 1, -1, -1)
    points: np.ndarray = levels[label[:, 0::2] @ weight] + 1j * levels[label[:, 1::2] @ weight]
    return points


@pytest.mark.parametrize("noise_variance", [0.02, 0.2, 2.0])
@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_llrs_are_commpys_with_the_other_sign(m: int, noise_variance: float) -> None:
    modem = modulation.Modem(our_points(m), reorder_as_gray=False)
    draws = generator(1, "commpy", m).standard_normal((2, 60))
    received = (draws[0] + 1j * draws[1]) * 0.7
    theirs = -modem.demodulate(received, "soft", noise_variance)
    ours = qam.demodulate(torch.from_numpy(received), torch.tensor(noise_variance, dtype=torch.float64), m)
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6, atol=1e-9)


def test_mapping_of_bits_is_commpys_up_to_its_constellation() -> None:
    bits = generator(1, "commpy bits").integers(0, 2, 240, dtype=np.uint8)
    for m in qam.BITS_PER_SYMBOL:
        theirs = modulation.Modem(our_points(m), reorder_as_gray=False).modulate(bits)
        ours = qam.modulate(torch.from_numpy(bits), m).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def alist_checks(path: Path) -> set[frozenset[int]]:
    """The checks of CommPy's design file, as sets of bits counted from 0."""
    lines = path.read_text().splitlines()
    n, n_checks = map(int, lines[0].split())
    checks = lines[4 + n : 4 + n + n_checks]
    return {frozenset(int(bit) - 1 for bit in line.split()) for line in checks}


def test_the_matrix_of_n_1440_is_commpys() -> None:
    path = Path(channelcoding.__file__).parent / "designs" / "ldpc" / "wimax" / "1440.720.txt"
    theirs = alist_checks(path)
    matrix = Ieee80216eCode(1440).parity.to_matrix()
    ours = {frozenset(row.tolist()) for row in np.split(matrix.indices, matrix.indptr[1:-1])}
    assert len(theirs) == 720
    assert ours == theirs


def test_sum_product_decides_as_commpy_does_on_802_16e() -> None:
    n, n_words, iterations = 576, 12, 20
    code = Ieee80216eCode(n)
    bits = torch.from_numpy(generator(1, "commpy words").integers(0, 2, (n_words, code.k), dtype=np.uint8))
    codewords = code.encode(bits)
    variance = 0.78
    noise = torch.from_numpy(generator(1, "commpy noise").standard_normal((n_words, n))) * variance**0.5
    llr = (1 - 2 * codewords.double() + noise) * 2 / variance
    settings = DecoderSettings("sum_product", "flooding", max_iterations=iterations)
    ours = LdpcDecoder(code.parity, settings).decode(llr)

    parameters = {"n_vnodes": n, "parity_check_matrix": sparse.csc_matrix(code.parity.to_matrix().astype(np.int8))}
    # CommPy clips its argument in place, hence the copy; a positive LLR is bit 0 for its decoder as for ours.
    theirs, _ = channelcoding.ldpc_bp_decode(llr.numpy().ravel().copy(), parameters, "SPA", iterations)
    theirs = torch.from_numpy(theirs.T.astype(np.uint8))
    assert 0 < int(ours.converged.sum()) < n_words
    assert torch.equal(ours.bits[ours.converged], theirs[ours.converged])
    assert torch.equal((ours.bits != codewords).any(1), (theirs != codewords).any(1))
