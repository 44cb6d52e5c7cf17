"""The results of a sweep or a run, asked in words: means, ratios and differences over replications."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simnet.core.errors import UnknownName
from simnet.core.tables import TABLES
from simnet.report.metrics import ALL
from simnet.results import source
from simnet.results.choice import Columns, Names, Where, axes_of, check_metric, chosen, in_order, names_of
from simnet.results.errors import ResultsError
from simnet.results.estimates import SEED, estimate, groups, known
from simnet.results.front import check_reference, hypervolume, pareto
from simnet.results.labels import label, value_text
from simnet.results.markdown import markdown
from simnet.statistics.ratio import ratio_of_means
from simnet.statistics.replications import student_t

N_POINTS, FIRST, SECOND = "number of points", "first value", "second value"
"""Columns while a frame is made: no axis' name has spaces."""


@dataclass(frozen=True)
class Results:
    """Flat rows of many runs, and what they were made for.

    What the methods share:

    - **by** names the axis columns whose values are kept apart; None: all of them. Points that ``by`` doesn't tell
      apart are averaged within each replication, each point with the same weight, and only then the interval is taken
      over replications: points and arms share random numbers, so only replications are independent. A replication
      in which one of the points has no value is left out (``n_left_out``).
    - **arm**, **source_type** choose one name or several; None: each for itself. Arms are never averaged.
    - **where** chooses points: axis column (or ``point``, ``replication``, ``seed``) -> value or list of values;
      None is null.

    Estimates come with ``n`` (replications), ``low`` and ``high``, NaN where there is no interval (n < 2).

    Args:
        source: the rows and their description.
    """

    source: source.Source

    @property
    def name(self) -> str:
        """Name of the sweep or scenario."""
        return self.source.name

    @property
    def question(self) -> str:
        """What the sweep was made to answer, or the first sentence of a run's description; empty if it doesn't say."""
        return self.source.question

    @property
    def runs(self) -> pd.DataFrame:
        """One row per run, arm and source type: ids, axis columns, ``arm``, ``source_type``, metrics.

        The metrics are :data:`simnet.report.metrics.METRICS`; units are in their names.
        """
        return self.source.runs

    @property
    def axes(self) -> dict[str, list[Any]]:
        """Axis column -> its values in the sweep's order, None for null."""
        return self.source.axes

    @property
    def arms(self) -> list[str]:
        """In the scenario's order."""
        return self.source.arms

    @property
    def source_types(self) -> list[str]:
        """Source types that were requested, without "all"."""
        return self.source.source_types

    @property
    def points(self) -> pd.DataFrame:
        """One row per point: ``point`` and the axis columns."""
        return self.runs[["point", *self.axes]].drop_duplicates("point", ignore_index=True)

    @property
    def failed(self) -> list[Any]:
        """Runs that left no rows, as ``sweep.json`` lists them."""
        return self.source.failed

    def values(
        self,
        metrics: str | Sequence[str],
        by: Columns = None,
        arm: Names = None,
        source_type: Names = ALL,
        where: Where = None,
    ) -> pd.DataFrame:
        """The numbers that estimates are made of: one row per group and replication.

        Returns:
            The columns of ``by``, ``arm``, ``source_type`` if several were asked for, ``seed``, then the metrics; null
            where the replication has no value.

        Raises:
            UnknownName: a metric, axis, arm or source type that isn't there.
            ResultsError: ``where`` leaves nothing.
        """
        asked = [metrics] if isinstance(metrics, str) else list(metrics)
        if not asked:
            raise ResultsError("values: got no metric; allowed one or several (simnet.report.metrics.METRICS)")
        for metric in asked:
            check_metric(self.source, metric, source_type)
        metrics = list(dict.fromkeys(asked))
        keys = [*axes_of(self.source, by), "arm", *([] if isinstance(source_type, str) else ["source_type"])]
        table = chosen(self.source, arm, source_type, where)
        by_seed = table.groupby([*keys, SEED], dropna=False, sort=False, observed=True)
        sums, counts = by_seed[metrics].sum(), by_seed[metrics].count()
        n_points = table.groupby(keys, dropna=False, sort=False, observed=True)["point"].nunique().rename(N_POINTS)
        wide = sums.reset_index().merge(n_points.reset_index(), on=keys, how="left")
        for metric in metrics:
            whole = counts[metric].to_numpy() == wide[N_POINTS].to_numpy()
            wide[metric] = np.where(whole, wide[metric] / wide[N_POINTS], np.nan)
        return in_order(self.source, wide.drop(columns=N_POINTS), [*keys, SEED])

    def mean(
        self, metric: str, by: Columns = None, arm: Names = None, source_type: Names = ALL, where: Where = None
    ) -> pd.DataFrame:
        """Mean of a metric over replications with its 95 % Student-t interval, one row per group.

        Returns:
            The columns of ``by``, ``arm``, then ``n``, ``mean``, ``low``, ``high``, ``half_width``, ``n_left_out``.
        """
        check_metric(self.source, metric)
        table = self.values(metric, by, arm, source_type, where)
        return pd.DataFrame(
            [
                {**key, **estimate(student_t(known(part[metric]))), "n_left_out": int(part[metric].isna().sum())}
                for key, part in groups(table, _keys(table, metric))
            ]
        )

    def ratio(
        self,
        numerator: str,
        denominator: str,
        by: Columns = None,
        arm: Names = None,
        over: str | None = None,
        source_type: Names = ALL,
        where: Where = None,
    ) -> pd.DataFrame:
        """Ratio of two metrics' means over the same replications, with Fieller's 95 % interval.

        Args:
            numerator, denominator: metrics; may be the same if ``over`` is given.
            over: the arm whose denominator it is, for all rows; None: each row's own arm.
            by, arm, source_type, where: see the class.

        Returns:
            The columns of ``by``, ``arm`` (and ``over``), then ``n``, ``ratio``, ``low``, ``high``, ``n_left_out``;
            ±inf: without bound.
        """
        for metric in (numerator, denominator):
            check_metric(self.source, metric)
        top = self.values(numerator, by, arm, source_type, where).rename(columns={numerator: FIRST})
        bottom = self.values(denominator, by, over if over is not None else arm, source_type, where)
        rows = []
        for key, a, b in _pairs(top, bottom.rename(columns={denominator: SECOND}), over, "over"):
            both = np.isfinite(a) & np.isfinite(b)
            row = {**key, "n": int(both.sum()), "ratio": np.nan, "low": np.nan, "high": np.nan}
            if both.any():
                found = ratio_of_means(a[both], b[both])
                row["ratio"] = found.value
                row["low"] = np.nan if found.low is None else found.low
                row["high"] = np.nan if found.high is None else found.high
            rows.append({**row, "n_left_out": int((~both).sum())})
        return pd.DataFrame(rows)

    def difference(
        self, metric: str, arm: Names, minus: str, by: Columns = None, source_type: Names = ALL, where: Where = None
    ) -> pd.DataFrame:
        """Mean of arm − minus, replication by replication, so that common random numbers cancel.

        Args:
            metric: what is compared.
            arm: one or several; None: every other one.
            minus: the arm that is subtracted.
            by, source_type, where: see the class.

        Returns:
            The columns of ``by``, ``arm``, ``minus``, then ``n`` (replications that both have), ``mean`` of the
            differences, ``low``, ``high``, ``half_width``, ``n_left_out``.

        Raises:
            ResultsError: an arm against itself, or no other arm.
        """
        check_metric(self.source, metric)
        if names_of("arm", minus, self.arms) != [minus]:
            raise ResultsError(f"minus: got {minus!r}; allowed one arm of {', '.join(self.arms)}")
        if self.arms == [minus]:
            raise ResultsError(f"differences to {minus}: no other arm to compare; the sweep has {minus} only")
        if arm is not None and minus in names_of("arm", arm, self.arms):
            raise ResultsError(f"difference: got {minus!r} as arm and as minus; allowed others, or None for all others")
        arms = [name for name in self.arms if name != minus] if arm is None else arm
        first = self.values(metric, by, arms, source_type, where).rename(columns={metric: FIRST})
        second = self.values(metric, by, minus, source_type, where).rename(columns={metric: SECOND})
        rows = []
        for key, a, b in _pairs(first, second, minus, "minus"):
            step = a - b
            found = student_t(step[np.isfinite(step)])
            rows.append({**key, **estimate(found), "n_left_out": int((~np.isfinite(step)).sum())})
        return pd.DataFrame(rows)

    def front(
        self,
        cost: str,
        gain: str,
        by: Columns = None,
        arm: Names = None,
        source_type: Names = ALL,
        where: Where = None,
    ) -> pd.DataFrame:
        """Means of two metrics, and which groups are dominated: another costs no more and gains no less.

        Returns:
            The columns of ``by``, ``arm``; per metric ``<metric>``, ``<metric>_low``, ``<metric>_high``; ``n`` (the
            smaller of the two), ``dominated``; by rising cost. See :func:`simnet.results.pareto`.

        Raises:
            ResultsError: a group without a cost or a gain in any replication.
        """
        for metric in (cost, gain):
            check_metric(self.source, metric)
        table = self.values([cost, gain], by, arm, source_type, where)
        rows = []
        for key, part in groups(table, _keys(table, cost, gain)):
            row: dict[str, Any] = dict(key)
            found = {metric: estimate(student_t(known(part[metric]))) for metric in (cost, gain)}
            for metric, one in found.items():
                if not one["n"]:
                    whose = ", ".join(f"{column} {value_text(value)}" for column, value in key.items())
                    raise ResultsError(f"front: got no {metric} at {whose}; leave it out with where={{…}} or arm=…")
                row |= {metric: one["mean"], f"{metric}_low": one["low"], f"{metric}_high": one["high"]}
            rows.append({**row, "n": min(one["n"] for one in found.values())})
        return pareto(pd.DataFrame(rows), cost, gain)

    def hypervolume(
        self,
        cost: str,
        gain: str,
        reference: tuple[float, float],
        by: Columns = (),
        arm: Names = None,
        source_type: str = ALL,
        where: Where = None,
    ) -> pd.DataFrame:
        """Area that the points of an arm dominate, as a mean over replications with its interval.

        The front is taken anew in each replication. So the mean is a little above the area of the front of means:
        the best of noisy points looks better than it is. Compare arms with each other, not with that area.

        Args:
            cost, gain: metrics; less cost and more gain are better.
            reference: (cost, gain) of the worst corner; points beyond it count nothing.
            by: axis columns that make a front each; default: none, all points of an arm make one front.
            arm, source_type, where: see the class.

        Returns:
            The columns of ``by``, ``arm``, then the estimate; its unit is that of cost × gain.
        """
        check_reference(reference)
        kept = axes_of(self.source, by)
        table = self.values([cost, gain], None, arm, source_type, where)
        rows = []
        for key, part in groups(table, [*kept, "arm"]):
            n_points = len(part.drop(columns=[SEED, cost, gain]).drop_duplicates())
            areas, n_left_out = [], 0
            for _, one in groups(part, [SEED]):
                points = one[[cost, gain]].to_numpy(float)
                if len(points) < n_points or not np.isfinite(points).all():
                    n_left_out += 1
                else:
                    areas.append(hypervolume(points, reference))
            rows.append({**key, **estimate(student_t(areas)), "n_left_out": n_left_out})
        return pd.DataFrame(rows)

    def table(
        self,
        metrics: str | Sequence[str],
        by: Columns = None,
        arm: Names = None,
        source_type: Names = ALL,
        where: Where = None,
    ) -> str:
        """A Markdown table: one row per group, per metric ``mean ± half width (n = …)``; headings with units."""
        metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        table = self.values(metrics, by, arm, source_type, where)
        rows = []
        for key, part in groups(table, _keys(table, *metrics)):
            settings = {column: value_text(value) for column, value in key.items()}
            rows.append({**settings, **{metric: str(student_t(known(part[metric]))) for metric in metrics}})
        return markdown(pd.DataFrame(rows).rename(columns=label))

    def records(
        self,
        table: str,
        run: str | None = None,
        point: int | None = None,
        replication: int | None = None,
        arm: Names = None,
    ) -> pd.DataFrame:
        """Rows of one of the tables that runs left (docs/records.md), where the runs' records were kept.

        Args:
            table: ``requests``, ``deliveries``, ``transfers``, ``stores`` or ``nodes``.
            run, point, replication: which runs; None: any.
            arm: whose rows; None: all arms.

        Returns:
            ``point``, ``run``, ``replication``, ``seed`` and the table's columns, run after run. ``points`` says what a
            point's settings are.

        Raises:
            ResultsError: no such run, or its records were not kept.
        """
        if table not in TABLES:
            raise UnknownName("table", table, TABLES)
        arms = names_of("arm", arm, self.arms)
        wanted = {"run": run, "point": point, "replication": replication}
        rows = self.runs[list(source.IDS)].drop_duplicates(["point", "seed"])
        for column, value in wanted.items():
            rows = rows if value is None else rows[rows[column] == value]
        if rows.empty:
            asked = ", ".join(f"{k} {v}" for k, v in wanted.items() if v is not None)
            raise ResultsError(f"records: got {asked}; there is no such run: see the frame 'runs'")
        parts = []
        for ids in rows.to_dict("records"):
            folder = self.source.records.get(ids["run"])
            if folder is None:
                raise ResultsError(
                    f"records: run {ids['run']} kept none; set 'keep: records' in the sweep's file and run it again, "
                    f"or choose one of the {len(self.source.records)} runs that kept theirs"
                )
            part = source.read_table(folder / f"{table}.parquet")
            part = part[part["arm"].isin(arms)]
            parts.append(pd.concat([pd.DataFrame(ids, index=part.index), part], axis=1))
        return pd.concat(parts, ignore_index=True)


def load(path: str | Path | Iterable[str | Path]) -> Results:
    """Read a sweep's folder, a run's folder, or several of one kind.

    Args:
        path: ``sweeps/<name>``, ``runs/<name>-<hash>``, or a list of such folders. Runs of one scenario with different
            seeds become replications of one point.

    Raises:
        ResultsError: no results there, unfinished or damaged ones, or folders that don't belong into one table.

    Warns:
        UserWarning: some of the sweep's runs failed, so that points have fewer replications, or none; or a run's
            ``scenario.yaml`` was changed after it; or sweeps that are joined have other arms.
    """
    found = source.read(Path(path)) if isinstance(path, str | Path) else source.read_all([Path(one) for one in path])
    if found.failed:
        warnings.warn(
            f"{found.name}: {len(found.failed)} runs failed and have no rows; 'failed' lists them", stacklevel=2
        )
    for misfit in found.misfits:
        warnings.warn(misfit, stacklevel=2)
    return Results(found)


def _keys(table: pd.DataFrame, *values: str) -> list[str]:
    return [column for column in table.columns if column not in (SEED, *values)]


def _pairs(
    first: pd.DataFrame, second: pd.DataFrame, arm: str | None, called: str
) -> Iterable[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Per group of the first frame its values and those of the second, seed by seed; NaN where one has none.

    Args:
        first, second: from :meth:`Results.values`, the numbers to pair in the columns ``FIRST`` and ``SECOND``.
        arm: the second's only arm, which is then named in a column of its own; None: pairs have the same arm.
        called: that column.
    """
    keys = _keys(first, FIRST)
    on = keys if arm is None else [key for key in keys if key != "arm"]
    second = second if arm is None else second.drop(columns="arm")
    both = first.merge(second, on=[*on, SEED], how="left")
    for key, part in groups(both, keys):
        named = key if arm is None else {**key, called: arm}
        yield named, part[FIRST].to_numpy(float), part[SECOND].to_numpy(float)
