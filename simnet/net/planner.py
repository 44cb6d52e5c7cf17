"""The owner's planner: the cheapest plan whose predicted SS meets the wish (DESIGN §4.3)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from simnet.net.assembly import AnyLink
from simnet.net.routing import Routes
from simnet.scenario.schema import Planner as PlannerSpec
from simnet.signal.plane import CodecProfile
from simnet.wire.slices import Slice


@dataclass(frozen=True)
class Plan:
    """One way of serving a request.

    Args:
        missing: decoder slices that the consumer doesn't hold, each after those that it requires.
        cost: in the planner's unit, missing slices spread over ``expected_uses``.
    """

    codec: CodecProfile
    missing: tuple[Slice, ...]
    predicted_ss: float
    cost: float


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
        consumer: str, mean_esno_db: float | None,
    ) -> list[Plan]:  # fmt: skip
        """Plans, best first: those that meet the wish by cost, then the others by predicted SS, best first.

        Args:
            held: ids of the slices that the consumer's REQUEST named.
            mean_esno_db: of the route's worst unprotected link; None if every link repairs its errors.
        """
        plans = []
        for codec in codecs:
            card = codec.card(source_type)
            missing = tuple(s for s in codec.decoder_slices if s.id not in held)
            if missing and not self.may_fetch:
                continue
            cost = self._cost(owner, consumer, math.ceil(card.code_byte))
            for slice_ in missing:
                cost += self._cost(owner, consumer, slice_.n_byte) / self.spec.expected_uses
            plans.append(Plan(codec, missing, card.ss_at(mean_esno_db), cost))
        enough = wish_ss + self.spec.ss_margin
        meets = sorted((p for p in plans if p.predicted_ss >= enough), key=lambda p: (p.cost, p.codec.name))
        short = sorted((p for p in plans if p.predicted_ss < enough), key=lambda p: (-p.predicted_ss, p.codec.name))
        return meets + short

    def _cost(self, owner: str, consumer: str, n_byte: int) -> float:
        return self.routes.cost(owner, consumer, n_byte, self.spec.cost)
