"""One-tap equalisation, per symbol or subcarrier, and the variance of the noise that it leaves for the demapper.

The receiver has y = h·s + w with E|s|² = 1 and E|w|² = N0, and takes ĥ = h + e for h, with E|e|² = σ². So
y = ĥ·s + (w − e·s), and the noise about ĥ·s has the variance N0 + σ², on average over the symbols: LLRs take that.

- Zero forcing: y/ĥ = s + noise of variance (N0 + σ²)/|ĥ|².
- MMSE: ĥ*·y/(|ĥ|² + N0 + σ²) = β·s + noise of variance β(1 − β), with the bias β = |ĥ|²/(|ĥ|² + N0 + σ²). A demapper
  expects s, so the bias must be divided out. What comes out is y/ĥ with variance (1 − β)/β = (N0 + σ²)/|ĥ|²: for a
  scalar channel, unbiased MMSE and zero forcing are the same, symbols and LLRs. The biased symbols have the smaller
  mean square error, which is what a learned decoder may want.

e is independent of w if it stems from other symbols (pilots). It is not independent of ĥ when that is a least squares
estimate, E|ĥ|² = E|h|² + σ²: no prior of h is assumed here; :func:`simnet.phy.channels.estimate.shrink` brings one in.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from simnet.phy.channels import flat


def zero_forcing(
    received: Tensor, estimate: Tensor, noise_variance: Tensor, error_variance: Tensor | float = 0.0
) -> tuple[Tensor, Tensor]:
    """Symbols y/ĥ and the variance (N0 + σ²)/|ĥ|² of the noise left on them.

    Args:
        received: y, [B, S] complex.
        estimate: ĥ, [B] or [B, S] complex.
        noise_variance: N0, [B] or [B, S] real.
        error_variance: σ² of the estimate, shaped as N0; 0 if h is known.

    Returns:
        Symbols [B, S], and the variance [B, 1], or [B, S] where an argument is.
    """
    return flat.equalise(received, estimate, noise_variance + error_variance)


@dataclass(frozen=True, eq=False)
class MmseSymbols:
    """Biased symbols β·s + noise of variance β(1 − β).

    Attributes:
        symbols: [B, S] complex.
        bias: β in [0, 1), [B, 1] or [B, S].
    """

    symbols: Tensor
    bias: Tensor

    def unbiased(self) -> tuple[Tensor, Tensor]:
        """Symbols s + noise, and its variance (1 − β)/β: for the demapper."""
        bias = self.bias.clamp(min=flat.WEAKEST)
        return self.symbols / bias, (1 - self.bias) / bias


def mmse(
    received: Tensor, estimate: Tensor, noise_variance: Tensor, error_variance: Tensor | float = 0.0
) -> MmseSymbols:
    """ĥ*·y/(|ĥ|² + N0 + σ²), of least mean square error; arguments as of :func:`zero_forcing`."""
    gain = flat.per_symbol(estimate)
    power = gain.abs().square()
    total = (power + flat.per_symbol(noise_variance + error_variance)).clamp(min=flat.WEAKEST)
    return MmseSymbols(received * gain.conj() / total, power / total)
