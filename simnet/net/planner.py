"""The owner's planner: the cheapest plan whose predicted SS meets the wish (DESIGN §4.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from simnet.net.assembly import AnyLink
from simnet.net.radio import RadioLink
from simnet.net.routing import Routes
from simnet.phy.learned.on_air import Analog
from simnet.scenario.schema import Planner as PlannerSpec
from simnet.signal.plane import CodecProfile
from simnet.wire.slices import Slice


@dataclass(frozen=True)
class Plan:
    """One way of serving a request.

    Args:
        decoder: whose decoder slices the consumer decodes with: the codec's own, or another version's that it holds.
        missing: slices of that decoder that the consumer doesn't hold, each after those that it requires.
        cost: in the planner's unit, missing slices spread over ``expected_uses``.
    """

    codec: CodecProfile
    decoder: CodecProfile
    missing: tuple[Slice, ...]
    predicted_ss: float
    cost: float

    @property
    def mixed(self) -> bool:
        """Whether encoder and decoder are of different versions."""
        return self.decoder is not self.codec

    @property
    def names(self) -> tuple[str, str]:
        """Of codec and decoder."""
        return self.codec.name, self.decoder.name


def analog_link(analog: Analog, links: Sequence[AnyLink]) -> RadioLink | None:
    """The link that carries an analog code's symbols: a radio link of the right fading that is the whole route."""
    if len(links) != 1 or not isinstance(links[0], RadioLink):
        return None
    return links[0] if links[0].radio.fading in analog.fadings else None


class Planner:
    """Ranks plans.

    Args:
        spec: which cost counts, and over how many uses a slice's cost is spread.
        may_fetch: whether missing slices can be brought at all; if not, codecs with such are left out.
    """

    def __init__(self, spec: PlannerSpec, routes: Routes[AnyLink], *, may_fetch: bool) -> None:
        self.spec = spec
        self.routes = routes
        self.may_fetch = may_fetch

    def rank(
        self, codecs: Sequence[CodecProfile], source_type: str, *, wish_ss: float, held: Collection[str], owner: str,
        consumer: str, mean_esno_db: float | None, fetch_byte: Callable[[Slice], int] | None = None,
        others: Callable[[CodecProfile], Sequence[CodecProfile]] | None = None,
    ) -> list[Plan]:  # fmt: skip
        """Plans, best first: those that meet the wish by cost, of equal ones the better first; then the others by SS.

        Args:
            held: ids of the slices that the consumer's REQUEST named.
            mean_esno_db: of the route's worst unprotected link; None if every link repairs its errors.
            fetch_byte: bytes by which a missing slice comes; None: it comes whole.
            others: other versions of a codec whose decoders the consumer holds, if it may decode with them.
        """
        plans = []
        for codec in codecs:
            analog, link = codec.analog, None
            if analog is not None:
                link = analog_link(analog, self.routes.path(owner, consumer))
                if link is None:
                    continue
            card = codec.card(source_type)
            missing = tuple(s for s in codec.decoder_slices if s.id not in held)
            if missing and others is not None and analog is None:  # nobody has measured what mixing gives over the air
                for decoder in others(codec):
                    mixed = codec.mixed_card(source_type, decoder)
                    if mixed is not None:
                        ss = min(mixed.ss, card.ss_at(mean_esno_db))
                        cost = self._cost(owner, consumer, math.ceil(mixed.code_byte))
                        plans.append(Plan(codec, decoder, (), ss, cost))
            if missing and not self.may_fetch:
                continue
            esno_db, cost = mean_esno_db, self._cost(owner, consumer, math.ceil(card.code_byte))
            if analog is not None and link is not None:
                esno_db = link.esno_db(consumer)
                cost += self._analog_cost(analog, link, owner)
            for slice_ in missing:
                n_byte = slice_.n_byte if fetch_byte is None else fetch_byte(slice_)
                cost += self._cost(owner, consumer, n_byte) / self.spec.expected_uses
            plans.append(Plan(codec, codec, missing, card.ss_at(esno_db), cost))
        enough = wish_ss + self.spec.ss_margin
        meets = [p for p in plans if p.predicted_ss >= enough]
        meets.sort(key=lambda p: (p.cost, -p.predicted_ss, *p.names))
        short = sorted((p for p in plans if p.predicted_ss < enough), key=lambda p: (-p.predicted_ss, *p.names))
        return meets + short

    def _analog_cost(self, analog: Analog, link: RadioLink, owner: str) -> float:
        """Of the symbols; ``bytes`` would count them as nothing, and is refused when a run is built."""
        if self.spec.cost == "airtime":
            return link.analog_airtime_s(analog.uses)
        return link.analog_energy_j(analog.uses, owner)

    def _cost(self, owner: str, consumer: str, n_byte: int) -> float:
        return self.routes.cost(owner, consumer, n_byte, self.spec.cost)
