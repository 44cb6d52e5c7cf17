"""Theory as judge of planted faults: each must make ``simnet validate`` fail; without one, all must pass.

Monkeypatching stands for a slip in the product's own code; the checks themselves are untouched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from torch import Tensor

from simnet.cli import main
from simnet.core import streams
from simnet.net.queues import Fifo, Priority
from simnet.phy.channels import flat
from simnet.store.eviction_queue import ByOrder
from simnet.store.store import Store
from simnet.store.stored_slice import StoredSlice
from simnet.validation.checks import CHECKS, validate
from simnet.validation.wishes import wishes

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def fresh_draws() -> Iterator[None]:
    """Requests that were drawn with a fault serve no other test."""
    wishes.cache_clear()
    yield
    wishes.cache_clear()


def lru_evicts_the_wrong_end(patch: Patch) -> None:
    patch.setattr(ByOrder, "__iter__", lambda self: iter(list(reversed(self._slices.values()))))


def lru_ignores_uses(patch: Patch) -> None:
    patch.setattr(ByOrder, "used", lambda self, slice_: None)


def ttl_is_counted_from(attribute: str) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        def expiry_s(store: Store, slice_: StoredSlice) -> float:
            return float("inf") if store.ttl_s is None else float(getattr(slice_, attribute)) + store.ttl_s

        patch.setattr(Store, "_expiry_s", expiry_s)

    return plant


def fifo_is_lifo(patch: Patch) -> None:
    patch.setattr(Fifo, "pop", lambda self: self._waiting.pop())


def priority_is_reversed(patch: Patch) -> None:
    def push(queue: Priority[Any], transfer: Any) -> None:
        import heapq

        heapq.heappush(queue._heap, (-transfer.urgency, transfer.order, transfer))

    patch.setattr(Priority, "push", push)


def noise_is_off_by(factor: float) -> Callable[[Patch], None]:
    right = flat.pass_through

    def plant(patch: Patch) -> None:
        def pass_through(symbols: Tensor, gain: Tensor, noise_variance: Tensor, noise: Tensor) -> Tensor:
            return right(symbols, gain, factor * noise_variance, noise)

        patch.setattr(flat, "pass_through", pass_through)

    return plant


def streams_ignore_a_part(index: int) -> Callable[[Patch], None]:
    right = streams._digest

    def plant(patch: Patch) -> None:
        def digest(seed: int, names: tuple[streams.Name, ...], size: int) -> bytes:
            return right(seed, tuple(n for i, n in enumerate(names) if i != index), size)

        patch.setattr(streams, "_digest", digest)

    return plant


def streams_ignore_the_seed(patch: Patch) -> None:
    right = streams._digest
    patch.setattr(streams, "_digest", lambda seed, names, size: right(0, names, size))


FAULTS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "lru evicts the wrong end": (lru_evicts_the_wrong_end, "lru"),
    "lru is fifo": (lru_ignores_uses, "lru"),
    "ttl is not renewed on use": (ttl_is_counted_from("fetched_s"), "ttl"),
    "ttl from fetch is renewed": (ttl_is_counted_from("used_s"), "ttl"),
    "fifo is lifo": (fifo_is_lifo, "md1"),
    "priority is reversed": (priority_is_reversed, "priority"),
    "noise 3 dB too strong, seen by bits": (noise_is_off_by(2.0), "ber"),
    "noise 3 dB too strong, seen by blocks": (noise_is_off_by(2.0), "bler"),
    "noise 3 dB too weak, seen by itself": (noise_is_off_by(0.5), "noise"),
    "streams ignore the first name": (streams_ignore_a_part(0), "streams"),
    "streams ignore the third name": (streams_ignore_a_part(2), "streams"),
    "streams ignore the seed": (streams_ignore_the_seed, "streams"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_ends_with_3(fault: str, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["simnet", "validate", "--short", "--quiet", "--only", check])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert "comparisons fail" in capsys.readouterr().out


def test_without_a_fault_all_pass() -> None:
    rows = list(validate())
    assert {row.check for row in rows} == set(CHECKS)
    assert [row for row in rows if row.verdict == "fail"] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_other_seeds_raise_no_false_alarm(seed: int) -> None:
    assert [row for row in validate(seed=seed) if row.verdict == "fail"] == []
