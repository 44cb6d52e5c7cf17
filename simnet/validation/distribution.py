"""How long it takes to give one decoder to N devices, against the bounds of client–server and peer-to-peer delivery."""

from __future__ import annotations

from simnet.core.tables import TransferRow
from simnet.net.arm import Arm
from simnet.statistics.interval import Interval
from simnet.traffic.base import RequestPlan
from simnet.validation.bench import Bench
from simnet.validation.finding import Finding, Theory
from simnet.validation.star import SERVER, arms, star

KUROSE = (
    "Kurose, Ross, Computer Networking, sec. 2.5: at least {bound}; derived: at most {copies} after the others ask, "
    "plus what requests and codes take"
)
_UPLINK_BIT_PER_S, _ACCESS_BIT_PER_S = 50e3, 200e3


def distribution(bench: Bench) -> list[Finding]:
    """A star of wires. One device asks at once, the others together when it has been served.

    ``with_code``: the server sends every copy. ``on_path``: the hub keeps one. ``nearest_copy``: the first device
    serves the others. No chance is involved: the interval is a point. The bounds hold for any schedule; the slack is
    what is known to be lost: whole slices are stored before they are forwarded, requests and codes share the wires,
    and the others begin when the first is done.
    """
    n = bench.n(8, 64)
    devices = [f"d{i}" for i in range(n)]
    simulation = star(
        n,
        seed=bench.seed,
        uplink_bit_per_s=_UPLINK_BIT_PER_S,
        access_bit_per_s=_ACCESS_BIT_PER_S,
        codecs={"z40": {"kind": "aesc", "model": "digits_z40"}},
        traffic={"kind": "trace", "requests": []},
        protocol={"codecs": {"digits": ["z40"]}, "repositories": []},
        arms={kind: {"propagation": kind} for kind in ("with_code", "on_path", "nearest_copy")},
    )
    return [_finding(kind, arm, devices) for kind, arm in arms(simulation).items()]


def _finding(kind: str, arm: Arm, devices: list[str]) -> Finding:
    n = len(devices)
    n_byte = sum(len(arm.slice_frame(slice_)) for slice_ in arm.decoders.values())
    up_s, down_s = 8 * n_byte / _UPLINK_BIT_PER_S, 8 * n_byte / _ACCESS_BIT_PER_S
    others_s = 1.5 * (up_s + down_s)
    wishes = [RequestPlan(others_s if i else 0.0, device, 0, 0) for i, device in enumerate(devices)]
    arm.start(iter(wishes))
    arm.clock.run(until=1e6)
    rows = arm.recorder.rows_of(TransferRow, arm.name)
    brought = [row for row in rows if _is_slice(row) and row.receiver in devices]
    assert {row.receiver for row in brought} == set(devices), "a device has no decoder: nothing was distributed"
    took_s = max(row.ended_s or 0.0 for row in brought)
    all_bit_per_s = _UPLINK_BIT_PER_S + n * _ACCESS_BIT_PER_S
    low_s, bound = max(up_s, down_s, 8 * n * n_byte / all_bit_per_s), "max{F/u_s, F/d, NF/(u_s + Σu)}"
    if kind == "with_code":
        low_s, bound = max(n * up_s, down_s), "max{NF/u_s, F/d}"
    copies_s, copies = {
        "with_code": ((n - 1) * up_s + down_s, "(N − 1)F/u_s + F/d"),
        "on_path": (down_s, "F/d"),
        "nearest_copy": (n * down_s, "(N − 1)F/u + F/d"),
    }[kind]
    return Finding(
        f"time to give a decoder of {n_byte} bytes to {n} devices, {kind}, s",
        Interval(took_s, 0.0, 1),
        Theory(low_s, others_s + copies_s + _rest_s(rows, devices), KUROSE.format(bound=bound, copies=copies)),
    )


def _rest_s(rows: list[TransferRow], devices: list[str]) -> float:
    """What requests and codes may hold up the last slice: all of them that share a wire with it, one after another."""
    shared = {SERVER, devices[0], devices[-1]}
    return sum(row.air_s for row in rows if not _is_slice(row) and shared & {row.sender, row.receiver})


def _is_slice(row: TransferRow) -> bool:
    return row.payload.startswith("SliceData")
