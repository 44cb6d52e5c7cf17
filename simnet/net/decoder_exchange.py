"""The life of a wish for the decoders alone: the consumer knows their ids, and has them brought."""

from __future__ import annotations

from simnet.net.exchange import Exchange, Process


class DecoderExchange(Exchange):
    """One wish for the decoders of an item's source type."""

    def _live(self) -> Process:
        wanted = self.arm.decoders_of(self.item.source_type)
        yield from self._gather(wanted, self.arm.propagation.obtain, side_by_side=len(wanted) > 1)
        self._check_deadline()
        self._end("satisfied")
