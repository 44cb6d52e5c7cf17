"""Which runs a sweep needs, and how many replications a point has: a function of its rows, never of their timing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from simnet.scenario.load import FilePlace, digests, files
from simnet.scenario.schema import Scenario
from simnet.statistics.replications import enough
from simnet.sweep.identity import Settings, code_digest, model_digests, run_ids, versions
from simnet.sweep.job import Job
from simnet.sweep.schema import Sequential
from simnet.sweep.sweep import Sweep


@dataclass(frozen=True)
class Plan:
    """A sweep on a device.

    Args:
        sweep: what is to be found out.
        device: cpu or cuda.
        mixed: runs may come from several kinds of processors.
    """

    sweep: Sweep
    device: str
    mixed: bool = False

    @property
    def settings(self) -> Settings:
        """What decides rows besides scenarios."""
        return Settings(self.device, self.sweep.file.warm_up, self.sweep.file.keep)

    @cached_property
    def ids(self) -> list[tuple[str, ...]]:
        """[points][most] the name of every run that may be needed."""
        return [
            run_ids(point.scenario, self.sweep.seeds, self.settings, named)
            for point, named in zip(self.sweep.points, self._digests, strict=True)
        ]

    @cached_property
    def _digests(self) -> list[dict[FilePlace, str]]:
        """[points] of the files that they name, as they are when runs get their names."""
        return [digests(point.scenario) for point in self.sweep.points]

    @cached_property
    def users(self) -> dict[str, list[int]]:
        """Run -> points that it serves; a scenario that occurs twice is run once."""
        found: dict[str, list[int]] = {}
        for index, ids in enumerate(self.ids):
            for id_ in ids:
                found.setdefault(id_, []).append(index)
        return found

    @property
    def models(self) -> dict[str, str]:
        """Models and families of BLER tables that points need -> their digests."""
        found: dict[str, str] = {}
        for point in self.sweep.points:
            found |= model_digests(point.scenario)
        return found

    def scenario(self, id_: str) -> Scenario:
        """The scenario of a run."""
        point = self.users[id_][0]
        return self.sweep.points[point].replication(self.sweep.seeds[self.ids[point].index(id_)])

    def job(self, id_: str, *, ship_files: bool) -> Job:
        """A run as workers get it; ``ship_files``: with the files that its scenario names."""
        scenario = self.scenario(id_)
        shipped = files(scenario).items() if ship_files else ()
        contents = {place: (path.name, path.read_bytes()) for place, path in shipped}
        models, named = model_digests(scenario), self._digests[self.users[id_][0]]
        return Job(id_, scenario.model_dump_json(), self.settings, code_digest(), versions(), models, named, contents)

    def wanted(self, point: int, value: Callable[[str], float | None], finished: Set[str], n: int = 0) -> int:
        """Replications that a point has, as far as its finished runs tell.

        With ``until``: ``least``, then one more as long as replications 0 … n − 1 are finished and not precise enough,
        at most ``most``; a point of which a run has failed gets no more. So the number depends on the rows alone.

        Args:
            point: its index.
            value: finished run -> the metric that is judged; None where the run has no such number.
            finished: runs.
            n: that it has so many is known already.
        """
        replications = self.sweep.file.replications
        if not isinstance(replications, Sequential):
            return replications
        ids = self.ids[point]
        n = max(n, replications.least)
        while n < replications.most and all(id_ in finished for id_ in ids[:n]):
            values = [number for id_ in ids[:n] if (number := value(id_)) is not None]
            if enough(values, replications.until.half_width, least=replications.least):
                break
            n += 1
        return n

    def order(self, wanted: Mapping[int, int]) -> Iterator[str]:
        """Runs that are wanted, replication by replication, so that early results speak of every point."""
        for replication in range(max(wanted.values(), default=0)):
            for point, n in wanted.items():
                if replication < n:
                    yield self.ids[point][replication]

    def judged(self, rows: pd.DataFrame) -> float | None:
        """The metric by which replications are judged, of one run; None where the run has no such number."""
        replications = self.sweep.file.replications
        assert isinstance(replications, Sequential)
        until = replications.until
        found = rows.loc[(rows["arm"] == until.arm) & (rows["source_type"] == until.source_type), until.metric]
        return None if found.empty or pd.isna(found.iloc[0]) else float(found.iloc[0])
