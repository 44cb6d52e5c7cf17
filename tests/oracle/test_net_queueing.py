"""Carriers and wires against queueing theory, routes against networkx, stores and break-even through whole runs.

Waiting times of one long run are correlated, so standard errors are those of means over batches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pytest

from simnet.core import streams
from simnet.core.tables import TransferRow
from simnet.net.clock import Clock
from simnet.net.routing import REFERENCE_BYTE, Routes
from simnet.net.wired import WiredLink
from simnet.scenario.schema import Wire
from simnet.wire.messages import Code, Request, SliceData, encode_message
from tests.support.links import Ether, Sent, send_all
from tests.support.tiny import Tiny
from tests.support.world import simulate

N_BATCH = 20
SHORT_S, LONG_S = 0.00288, 0.01152
"""Codewords of 33 and 141 bytes at 100,000 symbols per second."""


def arrivals(rate_per_s: float, n: int, name: str) -> list[float]:
    gaps = (streams.exponential(5, name, i) / rate_per_s for i in range(n))
    return list(itertools.accumulate(gaps))


def assert_mean(values: Sequence[float], expected: float) -> None:
    """Within four standard errors, estimated from the means of batches."""
    batches = [np.mean(batch) for batch in np.array_split(np.asarray(values), N_BATCH)]
    error = float(np.std(batches, ddof=1)) / math.sqrt(N_BATCH)
    assert error < 0.1 * expected  # else the test would let anything pass
    assert abs(float(np.mean(values)) - expected) < 4 * error


def waits_s(rows: Sequence[TransferRow]) -> list[float]:
    assert all(row.outcome == "delivered" for row in rows)
    return [row.queue_s for row in rows]


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_size_waits_as_in_m_d_1(load: float) -> None:
    """Pollaczek–Khinchine: E[W] = ρ·D / (2(1 − ρ))."""
    rows = Ether().send_all([Sent(t) for t in arrivals(load / SHORT_S, 6000, "md1")])
    assert_mean(waits_s(rows), load * SHORT_S / (2 * (1 - load)))


def test_two_sizes_up_and_down_wait_as_in_m_g_1() -> None:
    """E[W] = λ·E[S²] / (2(1 − ρ)): the carrier is one server for both directions."""
    rate_per_s, share_long = 80.0, 0.4
    sent = []
    for i, t in enumerate(arrivals(rate_per_s, 6000, "mg1")):
        long = streams.uniform(5, "size", i) < share_long
        sent.append(Sent(t, "device" if i % 3 else "gateway", 141 if long else 33))
    mean_s = share_long * LONG_S + (1 - share_long) * SHORT_S
    mean_square = share_long * LONG_S**2 + (1 - share_long) * SHORT_S**2
    load = rate_per_s * mean_s
    assert 0.4 < load < 0.6
    assert_mean(waits_s(Ether().send_all(sent)), rate_per_s * mean_square / (2 * (1 - load)))


def test_priority_waits_as_cobham_says() -> None:
    """Non-preemptive: E[W_k] = R / ((1 − σ_{k−1})(1 − σ_k)), R = Σ λ_i·E[S_i²]/2, σ_k the load of class k and above."""
    classes = {"control": (60.0, SHORT_S, 33), "code": (50.0, SHORT_S, 33), "model": (30.0, LONG_S, 141)}
    sent = [
        Sent(t, n_byte=n_byte, payload_class=name)  # type: ignore[arg-type]
        for name, (rate, _, n_byte) in classes.items()
        for t in arrivals(rate, int(rate * 120), name)
    ]
    rows = Ether(scheduler="priority").send_all(sorted(sent))
    residual_s = sum(rate * service_s**2 / 2 for rate, service_s, _ in classes.values())
    above = 0.0
    for name, (rate, service_s, _) in classes.items():
        upto = above + rate * service_s
        waits = waits_s([row for row in rows if row.payload_class == name])
        assert_mean(waits, residual_s / ((1 - above) * (1 - upto)))
        above = upto
    assert 0.6 < above < 0.8


@pytest.mark.parametrize("scheduler", ["round_robin", "priority"])
def test_work_is_conserved_whoever_is_served(scheduler: str) -> None:
    """The carrier is busy at the same times under every scheduler: the last end of each busy period is the same."""
    times = arrivals(150.0, 400, "work")
    sent = [Sent(t, payload_class="model" if i % 2 else "control") for i, t in enumerate(times)]
    ends = [sorted(row.ended_s or 0 for row in Ether(scheduler=s).send_all(sent)) for s in ("fifo", scheduler)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)  # payloads of one length: even the same instants


def test_wires_follow_lindley_exactly() -> None:
    """W_{n+1} = max(0, W_n + S_n − A_n)."""
    clock = Clock()
    wire = WiredLink("w", "w", ("a", "b"), Wire(rate_bit_per_s=1e5), 0.0)
    times = arrivals(20.0, 2000, "lindley")
    sizes = [100 + int(1000 * streams.uniform(5, "bytes", i)) for i in range(2000)]
    rows = send_all(clock, wire, [Sent(t, "a", n) for t, n in zip(times, sizes, strict=True)])
    expected, wait_s = [], 0.0
    for i, size in enumerate(sizes):
        expected.append(wait_s)
        if i + 1 < len(times):
            wait_s = max(0.0, wait_s + 8 * size / 1e5 - (times[i + 1] - times[i]))
    assert max(expected) > 0.5
    assert [row.queue_s for row in rows] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("bler", [0.1, 0.5])
def test_arq_takes_a_geometric_number_of_attempts(bler: float) -> None:
    """Mean 1/(1 − BLER), variance BLER/(1 − BLER)²; the loss after m attempts is BLER^m."""
    n = 2500
    rows = Ether(bler=bler, max_attempts=200).send_all([Sent(float(i)) for i in range(n)])
    mean = np.mean([row.attempt_count for row in rows])
    assert abs(mean - 1 / (1 - bler)) < 4 * math.sqrt(bler) / (1 - bler) / math.sqrt(n)
    assert all(row.air_s == pytest.approx(SHORT_S * row.attempt_count) for row in rows)
    lost = [row.outcome for row in Ether(bler=bler, max_attempts=3).send_all([Sent(float(i)) for i in range(n)])]
    rate = bler**3
    assert abs(lost.count("lost") / n - rate) < 4 * math.sqrt(rate * (1 - rate) / n)


def test_fading_is_rayleigh_and_independent_from_interval_to_interval() -> None:
    """|h|² is exponential with mean 1 (Kolmogorov–Smirnov at 0.1 %) and uncorrelated from one interval to the next."""
    link = Ether(fading="rayleigh", coherence_time_s=0.1, max_burst_s=0.1).link
    n = 20_000
    gains = np.array([link.state(0.1 * i + 0.05) for i in range(n)])
    power = np.abs(gains) ** 2
    assert abs(power.mean() - 1) < 4 / math.sqrt(n)
    ordered = np.sort(power)
    distance = np.max(np.abs(1 - np.exp(-ordered) - (np.arange(n) + 0.5) / n))
    assert distance < 1.95 / math.sqrt(n)
    for lag in (1, 2, 7):
        correlation = np.mean(gains[lag:] * gains[:-lag].conj())
        assert abs(correlation) < 4 / math.sqrt(n - lag)
    assert abs(np.mean(gains**2)) < 4 * math.sqrt(2 / n)  # circular


class Edge:
    """A link of different lengths in its two directions."""

    def __init__(self, a: str, b: str, lengths_s: tuple[float, float]) -> None:
        self.ends = {a: lengths_s[0], b: lengths_s[1]}

    def other(self, node: str) -> str:
        a, b = self.ends
        return b if node == a else a

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        raise AssertionError("routes go by the usual airtime")

    def usual_airtime_s(self, n_byte: int, sender: str) -> float:
        assert n_byte == REFERENCE_BYTE
        return self.ends[sender]

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        raise AssertionError("routes don't ask for energy")


@pytest.mark.parametrize("seed", range(5))
def test_routes_are_networkx_s_shortest_paths(seed: int) -> None:
    graph = nx.gnp_random_graph(30, 0.12, seed=seed)
    directed = nx.DiGraph()
    directed.add_nodes_from(map(str, graph))
    links_of: dict[str, list[Edge]] = {str(node): [] for node in graph}
    for a, b in graph.edges:
        there, back = (streams.uniform(seed, "length", a, b, way) for way in (0, 1))
        edge = Edge(str(a), str(b), (there, back))
        directed.add_edge(str(a), str(b), weight=there)
        directed.add_edge(str(b), str(a), weight=back)
        links_of[str(a)].append(edge)
        links_of[str(b)].append(edge)
    routes: Routes[Any] = Routes(links_of)
    for origin in links_of:
        lengths, paths = nx.single_source_dijkstra(directed, origin)
        for target in links_of:
            if target not in lengths:
                assert routes.distance_s(origin, target) == math.inf
                continue
            assert routes.distance_s(origin, target) == pytest.approx(lengths[target])
            nodes = [origin]
            for link in routes.path(origin, target):
                nodes.append(link.other(nodes[-1]))
            assert nodes == paths[target]


@pytest.mark.parametrize("header_byte", [0, 100])
def test_models_break_even_at_m_over_j_minus_c(header_byte: int) -> None:
    """DESIGN §1: one holder, one fetch: the cumulative bytes cross at n* = M/(J − c), headers counted and stripped."""
    aesc = Tiny(name="aesc", decoder_byte=3000, code_byte=40)
    jpeg = Tiny(name="jpeg", n_slice=0, code_byte=240, header_byte=header_byte)
    wishes = [(0.1 * i, "reader", i % 8) for i in range(40)]
    arms = {"aesc": {"codecs": {"shapes": ["aesc"]}}, "jpeg": {"codecs": {"shapes": ["jpeg"]}}}
    changes = {"arms": arms, "protocol.codecs": {"shapes": ["aesc", "jpeg"]}, "radios.radio.bandwidth_hz": 1e6}
    run = simulate(wishes, changes, codecs={"aesc": aesc, "jpeg": jpeg})
    (decoder,) = aesc.decoder_slices

    def request_byte(index: int, *held: bytes) -> int:
        return len(encode_message(Request(index, index % 8, "classification", 0.9, 8.0, held)))

    per_request = {
        "aesc": len(encode_message(Code(0, "aesc", bytes(range(40))))) + request_byte(0, bytes(8)),
        "jpeg": len(encode_message(Code(0, "jpeg", bytes(range(header_byte, 240))))) + request_byte(0),
    }
    model_byte = len(encode_message(SliceData(0, decoder.id, decoder.payload)))
    fixed_byte = model_byte - 8  # the first REQUEST has no hash to name
    n_star = fixed_byte / (per_request["jpeg"] - per_request["aesc"])
    assert n_star % 1 > 0.01
    total = {}
    for arm in per_request:
        rows = run.requests(arm)
        assert [row.outcome for row in rows] == ["satisfied"] * 40
        sums = [row.control_byte + row.model_byte + row.code_byte - row.stripped_byte for row in rows]
        total[arm] = list(itertools.accumulate(sums))
    crossed = next(n for n in range(1, 41) if total["aesc"][n - 1] < total["jpeg"][n - 1])
    assert crossed == math.ceil(n_star)


@pytest.mark.parametrize("ttl_from", ["from_fetch", "renewed_on_use"])
@pytest.mark.parametrize("rate_ttl", [0.5, 2.0])
def test_a_ttl_misses_as_theory_says_through_the_whole_simulator(ttl_from: str, rate_ttl: float) -> None:
    """At Poisson rate λ: 1/(1 + λT) counted from the fetch, e^(−λT) renewed on each use (DESIGN §1)."""
    n, rate_per_s = 1500, 0.05
    times = arrivals(rate_per_s, n, f"ttl {ttl_from}")
    changes = {
        "duration_s": times[-1] + 1,
        "protocol.store": {"ttl_s": rate_ttl / rate_per_s, "ttl_from": ttl_from},
        "radios.radio.bandwidth_hz": 1e7,  # a fetch takes no time against the mean gap of 20 s
    }
    run = simulate([(t, "reader", 0) for t in times], changes, codecs={"tiny": Tiny(decoder_byte=64, code_byte=16)})
    misses = [row.slices_missed for row in run.requests()]
    expected = 1 / (1 + rate_ttl) if ttl_from == "from_fetch" else math.exp(-rate_ttl)
    if ttl_from == "renewed_on_use":  # gaps are independent, so misses are
        assert abs(np.mean(misses) - expected) < 4 * math.sqrt(expected * (1 - expected) / n)
    else:
        assert_mean(misses, expected)
    assert len(run.transfers("SliceData")) == sum(misses)
