"""What a block error rate is measured of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from simnet.core.errors import SimnetError
from simnet.phy.blocks import BlockFormat
from simnet.phy.curves.channel import ChannelSettings
from simnet.phy.ldpc.decoder import DecoderSettings


@dataclass(frozen=True)
class BlerSetup:
    """One curve.

    Attributes:
        format: of the blocks.
        channel: between symbols sent and received.
        harq: receptions of each block, over independent channels; their symbols are added up (Chase combining).
        decoder: its settings.

    Raises:
        SimnetError: ``harq`` is below 1.
    """

    format: BlockFormat
    channel: ChannelSettings = field(default_factory=ChannelSettings)
    harq: int = 1
    decoder: DecoderSettings = field(default_factory=DecoderSettings)

    def __post_init__(self) -> None:
        if self.harq < 1:
            raise SimnetError(f"receptions of a block (harq): got {self.harq}; allowed 1 or more")


def decoder_settings(
    rule: Literal["min_sum", "sum_product"], arithmetic: Literal["float32", "int8"], max_iterations: int | None
) -> DecoderSettings:
    """The decoder's defaults with these changes; None keeps the default.

    Raises:
        SimnetError: they do not go together, or the iterations are below 1.
    """
    settings = replace(DecoderSettings(), rule=rule, arithmetic=arithmetic)
    return settings if max_iterations is None else replace(settings, max_iterations=max_iterations)
