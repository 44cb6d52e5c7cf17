"""Whether points' networks have the link classes that they need: cheap enough to look at before anything is run."""

from __future__ import annotations

import json

from pydantic import ValidationError

from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.net.plan import check_links
from simnet.scenario.schema import Scenario


class LinkClasses:
    """Looks at each kind of network once.

    Args:
        seed: that the networks are drawn with.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._seen: set[str] = set()

    def check(self, scenario: Scenario) -> None:
        """That a network can't be drawn at all, which another seed may mend, is left to its runs.

        Raises:
            TopologyError: a link is of a class that the scenario hasn't, or a carrier's are of several.
        """
        parts = json.dumps(scenario.model_dump(mode="json", include={"topology", "radios", "wires"}))
        if parts in self._seen:
            return
        self._seen.add(parts)
        try:
            plan = KINDS["topology"].load(scenario.topology.kind)(scenario.topology.params).build(seed=self.seed)
        except (SimnetError, ValidationError):
            return
        check_links(scenario, plan)
