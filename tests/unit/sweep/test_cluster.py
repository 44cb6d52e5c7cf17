"""Which clusters are refused, before anything is run there."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from simnet.core.errors import SimnetError
from simnet.sweep.cluster import ClusterWorkers, parsed_resources, refuse_misfits
from simnet.sweep.identity import code_digest, versions


def facts(**changes: Any) -> dict[str, Any]:
    same = {"code": code_digest(), "versions": versions(), "machine": "abacus", "threads": 1, "resources": {}}
    return same | changes


def test_workers_that_are_alike_may_work() -> None:
    assert refuse_misfits({"a": facts(), "b": facts()}, {}, mixed=False) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": "other"}, "worker b: has another simnet than this machine; install the same"),
        ({"versions": versions() | {"torch": "0.1"}}, r"worker b: other libraries: torch 0\.1 \(here .*\); install"),
        ({"threads": 4}, "worker b: has 4 threads; allowed 1: start it with --nthreads 1"),
        ({"machine": "slide rule"}, "several kinds of processors.*'abacus': a; 'slide rule': b.*--mixed"),
    ],
)
def test_a_worker_that_would_give_other_rows_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        refuse_misfits({"a": facts(), "b": facts(**change)}, {}, mixed=False)


def test_kinds_of_processors_may_be_mixed_on_request() -> None:
    assert refuse_misfits({"a": facts(), "b": facts(machine="slide rule")}, {}, mixed=True) == 2


def test_only_workers_that_have_the_resources_count() -> None:
    workers = {"a": facts(resources={"GPU": 1.0}), "b": facts(machine="slide rule", code="other")}
    assert refuse_misfits(workers, {"GPU": 1}, mixed=False) == 1
    with pytest.raises(SimnetError, match=r"--resources GPU=2: no worker has that; start workers with .*GPU=2"):
        refuse_misfits(workers, {"GPU": 2}, mixed=False)


def test_a_worker_without_simnet_is_named() -> None:
    with pytest.raises(SimnetError, match=r"worker b: cannot say what it is: ModuleNotFoundError.*is simnet installed"):
        refuse_misfits({"a": facts(), "b": ModuleNotFoundError("simnet")}, {}, mixed=False)


def test_resources_are_numbers_by_name() -> None:
    assert parsed_resources(["GPU=1", "memory=2.5"]) == {"GPU": 1.0, "memory": 2.5}
    for wrong in ("GPU", "GPU=", "GPU=x", "=1", "GPU=0", "GPU=-1", "GPU=nan"):
        with pytest.raises(SimnetError, match="allowed NAME=NUMBER above 0, as GPU=1"):
            parsed_resources([wrong])


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimnetError, match=r"pip install 'simnet\[cluster\]'"):
        ClusterWorkers("tcp://127.0.0.1:1")
