"""Two passes with a noisy return between them, for channel slices (paper 000, section III-C).

Equation (22), wf = cat[w^q, z], feeds back what the receiver got. To be causal it takes two passes:

    z = 0:  Ce(cat[w, 0]) -> first C channels  -> forward channel -> receiver
                                                                       |
            z  <-  reverse channel  <-  what it got, at unit power  <--+
            Ce(cat[w, z]) -> last C channels   -> forward channel -> receiver -> Cd(first and second, 2C channels)

Both directions are the same layer. The return has its own energy and channel uses: C channels' worth, control traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from simnet.core.errors import SimnetError
from simnet.phy.learned.channel import LearnedChannel
from simnet.phy.learned.draws import ChannelDraws
from simnet.phy.learned.mapping import to_features, to_symbols
from simnet.phy.learned.power import normalise_power


@dataclass(frozen=True, eq=False)
class FeedbackDraws:
    """Gains and noise of one exchange.

    Attributes:
        forward: of both passes, [B, 2k]: under block fading they meet one gain.
        reverse: of the return, [B, k].
    """

    forward: ChannelDraws
    reverse: ChannelDraws


class FeedbackReception(NamedTuple):
    """What came of one exchange.

    Attributes:
        features: what the receiver got in both passes, equalised, [B, 2C, H, W]; input of Cd.
        feedback: z, what the sender got in between, [B, C, H, W].
        forward_uses: complex symbols per image that the sender sent, C·H·W.
        reverse_uses: complex symbols per image that the receiver sent, C·H·W/2.
    """

    features: Tensor
    feedback: Tensor
    forward_uses: int
    reverse_uses: int


class FeedbackChannel(nn.Module):
    """The exchange drawn above.

    Args:
        forward_channel: sender to receiver.
        reverse_channel: receiver to sender.
        reciprocal: the return meets the gain of the forward symbols, as on one carrier whose h outlasts the exchange.
    """

    def __init__(
        self, forward_channel: LearnedChannel, reverse_channel: LearnedChannel, *, reciprocal: bool = False
    ) -> None:
        super().__init__()
        self.reciprocal = reciprocal
        self.forward_channel = forward_channel
        self.reverse_channel = reverse_channel

    def draw(self, features: Tensor, generator: torch.Generator) -> FeedbackDraws:
        """Fresh gains and noise for :meth:`forward` of these features [B, C, H, W]."""
        n_images, n_symbols = len(features), features[0].numel() // 2
        forward = self.forward_channel.draw(n_images, 2 * n_symbols, generator)
        reverse = self.reverse_channel.draw(n_images, n_symbols, generator)
        if self.reciprocal:
            reverse = ChannelDraws(forward.gain[:, :n_symbols], reverse.noise)
        return FeedbackDraws(forward, reverse)

    def forward(
        self,
        features: Tensor,
        encoder: Callable[[Tensor], Tensor],
        esno: Tensor,
        reverse_esno: Tensor,
        draws: FeedbackDraws,
    ) -> FeedbackReception:
        """Sends a batch of features; each pass and the return have mean power 1 per image.

        Args:
            features: w^q, [B, C, H, W] real, C·H·W even.
            encoder: Ce, [B, 2C, H, W] to [B, 2C, H, W].
            esno: of the forward channel, linear, [B].
            reverse_esno: of the reverse channel, linear, [B].
            draws: gains and noise.

        Raises:
            SimnetError: the encoder's output does not have 2C channels, or C·H·W is odd.
        """
        n_channels, shape = features.shape[1], features.shape[1:]
        first_draws, second_draws = draws.forward.split(features[0].numel() // 2)

        first = self._encode(features, torch.zeros_like(features), encoder)[:, :n_channels]
        first_pass = self.forward_channel(normalise_power(to_symbols(first)), esno, first_draws)

        returned = self.reverse_channel(normalise_power(first_pass.received), reverse_esno, draws.reverse)
        feedback = to_features(returned.symbols, shape)

        second = self._encode(features, feedback, encoder)[:, n_channels:]
        second_pass = self.forward_channel(normalise_power(to_symbols(second)), esno, second_draws)

        got = torch.cat([to_features(each.symbols, shape) for each in (first_pass, second_pass)], dim=1)
        n_symbols = first_pass.symbols.shape[1]
        return FeedbackReception(got, feedback, 2 * n_symbols, n_symbols)

    @staticmethod
    def _encode(features: Tensor, feedback: Tensor, encoder: Callable[[Tensor], Tensor]) -> Tensor:
        encoded = encoder(torch.cat((features, feedback.to(features.dtype)), dim=1))
        if encoded.shape[1] != 2 * features.shape[1]:
            raise SimnetError(
                f"channel encoder: got {encoded.shape[1]} channels; allowed {2 * features.shape[1]}, "
                "half of them for each pass"
            )
        return encoded
