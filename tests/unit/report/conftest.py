"""A run folder with plausible rows, written through the recorder, for the report to be tested on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simnet.core.records import Recorder
from simnet.core.tables import DeliveryRow, NodeRow, RequestRow, StoreRow, TransferRow

SOURCES = ("digits", "clothes", "vehicles", "animals")
CODE_BYTE = {"digits": 24, "clothes": 48, "vehicles": 320, "animals": 330}
DECODER_BYTE = {"digits": 8_100, "clothes": 11_900, "vehicles": 39_000, "animals": 39_100}
JPEG_BYTE = {"digits": 330, "clothes": 390, "vehicles": 640, "animals": 760}
HEADER_BYTE = 290
SS = {"aesc": 0.96, "jpeg": 0.975, "webp": 0.985}
ARMS = ("preload", "on_demand", "no_store", "jpeg", "webp")


@dataclass(frozen=True)
class Shape:
    """How large the synthetic run is, and what it contains."""

    arms: tuple[str, ...] = ARMS
    n_requests: int = 3000
    n_devices: int = 112
    n_gateways: int = 16
    duration_s: float = 7200.0
    seed: int = 3
    delivers: bool = True
    wireless: bool = True


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run folder of the given :class:`Shape`; returns its path."""

    def make(name: str = "city-0123abcd", **shape: Any) -> Path:
        return write_run(tmp_path / name, Shape(**shape))

    return make


def write_run(folder: Path, shape: Shape) -> Path:
    """A run folder as ``simnet run`` leaves it, before the report."""
    folder.mkdir(parents=True)
    city = _City(shape)
    for arm in shape.arms:
        city.run(arm)
    rows = city.recorder.write(folder)
    (folder / "scenario.yaml").write_text(
        "# synthetic <b>city</b>\nname: city\nsources:\n"
        + "".join(f"  {s}: {{dataset: mnist, judge: classifier/{s}}}\n" for s in SOURCES)
        + "protocol: {codecs: {}}\narms:\n"
        + "".join(f"  {arm}: {{}}\n" for arm in shape.arms)
    )
    city.samples(folder)
    manifest = {
        "simnet_version": "0.1.0",
        "scenario": "city",
        "seed": shape.seed,
        "arms": list(shape.arms),
        "fidelity": {"radio": "table"},
        "bler_tables": {"below": 7, "measured": 2000, "above": 30000, "failures_expected_above": 0.25},
        "audit": {"blocks": 900, "failed_exact": 4, "failed_expected": 4.9, "standard_error": 1.9},
        "wall_s": {"run": 60.0},
        "rows": rows,
        "accounting": {"bytes": "closed"},
        "duration_s": shape.duration_s,
        "sources": list(SOURCES),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


class _City:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.recorder = Recorder()
        rng = np.random.default_rng(shape.seed)
        self.gateways = [(500 + 1000 * (i % 4), 500 + 1000 * (i // 4)) for i in range(shape.n_gateways)]
        self.gateways = [(x + rng.uniform(-250, 250), y + rng.uniform(-250, 250)) for x, y in self.gateways]
        self.home = rng.integers(shape.n_gateways, size=shape.n_devices)
        self.places = [
            (self.gateways[g][0] + rng.normal(0, 150), self.gateways[g][1] + rng.normal(0, 150)) for g in self.home
        ]
        n = shape.n_requests
        self.created_s = np.sort(rng.uniform(0, shape.duration_s, n))
        self.consumer = (rng.zipf(1.3, size=n) - 1) % shape.n_devices
        # a consumer has its favourite: so its store mostly suffices
        self.source = np.where(rng.uniform(size=n) < 0.97, self.consumer % 4, rng.integers(4, size=n))
        self.item = np.minimum(rng.zipf(1.4, size=n), 200) + 1000 * self.source
        self.transfer_id = 0

    def run(self, arm: str) -> None:
        rng = np.random.default_rng([self.shape.seed, 7])
        stores: dict[int, dict[str, float]] = {}
        for k in range(self.shape.n_requests):
            self._request(arm, k, rng, stores)
        self._nodes(arm, stores)

    def _request(self, arm: str, k: int, rng: np.random.Generator, stores: dict[int, dict[str, float]]) -> None:
        source, consumer = SOURCES[self.source[k]], int(self.consumer[k])
        neural = arm in ("preload", "on_demand", "no_store")
        codec = f"aesc_{source}_z40" if neural else arm
        row = RequestRow(
            arm=arm,
            request_id=k,
            consumer=f"device-{consumer}",
            owner=f"device-{(consumer + 5) % 7}",
            item_id=int(self.item[k]),
            source_type=source,
            created_s=float(self.created_s[k]),
            wish_ss=0.9,
            deadline_s=10.0,
            identified_as=source,
            codec=codec,
            predicted_ss=0.95,
            attempts=1,
        )
        self.recorder.add(row)
        u, noise, retry = rng.uniform(), rng.normal(size=4), rng.uniform() < 0.1
        row.control_byte = 120
        if neural:
            row.code_byte, row.slices_needed = CODE_BYTE[source] + 22 + int(abs(noise[0]) * 3), 1
            self._slices(arm, row, consumer, stores)
        else:
            size = JPEG_BYTE[source] if arm == "jpeg" else 0.75 * JPEG_BYTE[source]
            row.code_byte = 22 + int(size * math.exp(0.15 * noise[0]))
            row.stripped_byte = HEADER_BYTE if arm == "jpeg" else 30
        row.air_s = (row.code_byte + row.control_byte) * 8 / 125e3
        row.queue_s = 0.02 * abs(float(noise[1])) + (0.1 if arm == "no_store" else 0.01)
        row.propagation_s, row.compute_s = 0.004, 0.05 + 0.01 * abs(float(noise[2]))
        total_s = row.air_s + row.queue_s + row.propagation_s + row.compute_s + row.model_fetch_s
        row.ended_s = row.created_s + total_s
        self._transfers(row, retry)
        if not self.shape.delivers or u < 0.02:
            row.outcome, row.ss = "link_failed" if u < 0.01 else "timeout", 0.0
            return
        good = float(SS["aesc" if neural else arm])
        item_good = np.random.default_rng([row.item_id, len(codec)]).uniform(size=2)
        unsure = item_good[0] > 0.99
        recovered = bool(item_good[1] < good)
        row.ss = None if unsure else min(1.0, 0.9 + 0.1 * item_good[1]) if recovered else 0.3
        row.outcome = "satisfied" if unsure or (row.ss or 0.0) >= 0.9 else "below_wish"
        self.recorder.add(
            DeliveryRow(
                arm=arm,
                request_id=k,
                consumer=row.consumer,
                item_id=row.item_id,
                source_type=source,
                codec=codec,
                time_s=row.ended_s,
                slices=f"id-{source}" if neural else "",
                code_byte=row.code_byte - 22,
                header_byte=row.stripped_byte,
                damaged=False,
                st_original=0.4 if unsure else 0.99,
                st_recovered=0.9,
                ss=row.ss,
                judge_unsure=bool(unsure),
                correct_original=not unsure,
                correct_recovered=recovered and not unsure,
                psnr_db=20.0 + float(noise[3]),
                ssim=0.9,
            )
        )

    def _slices(self, arm: str, row: RequestRow, consumer: int, stores: dict[int, dict[str, float]]) -> None:
        if arm == "preload":
            return
        held = stores.setdefault(consumer, {})
        source, size = row.source_type, DECODER_BYTE[row.source_type]
        hit = arm == "on_demand" and source in held
        self._store(arm, row, "hit" if hit else "miss", source, held)
        if not hit:
            row.model_byte, row.slices_missed = size + 60, 1
            row.model_fetch_s = size * 8 / 250e3
        if arm == "on_demand":
            held[source] = row.created_s
            while sum(DECODER_BYTE[s] for s in held) > 64_000:
                oldest = min(held, key=lambda s: held[s])
                del held[oldest]
                self._store(arm, row, "evict", oldest, held)

    def _store(self, arm: str, row: RequestRow, event: Any, source: str, held: dict[str, float]) -> None:
        for node, tier in (
            (row.consumer, "device"),
            (f"gateway-{self.home[int(row.consumer[7:])]}", "gateway"),
        ):
            if tier == "gateway" and (event != "miss" or arm == "no_store"):
                continue
            first = event == "miss" and tier == "gateway" and row.request_id % 3 > 0
            self.recorder.add(
                StoreRow(
                    arm=arm,
                    time_s=row.created_s,
                    node=node,
                    tier=tier,
                    event="hit" if first else event,
                    slice=f"aesc_{source}_z40/decoder",
                    slice_id=f"id-{source}",
                    slice_byte=DECODER_BYTE[source],
                    occupancy_byte=sum(DECODER_BYTE[s] for s in held),
                    capacity_byte=64_000,
                )
            )

    def _transfers(self, row: RequestRow, retry: bool) -> None:
        gateway = f"gateway-{self.home[int(row.consumer[7:])]}"
        payloads: list[tuple[Any, int]] = [("control", row.control_byte), ("code", row.code_byte)]
        payloads += [("model", row.model_byte)] if row.model_byte else []
        for payload_class, size in payloads:
            for hop in range(2):
                again = size // 4 if retry and hop else 0
                radio = hop == 1 and self.shape.wireless
                self.transfer_id += 1
                row.link_byte += size + again
                self.recorder.add(
                    TransferRow(
                        arm=row.arm,
                        transfer_id=self.transfer_id,
                        request_id=row.request_id,
                        link=f"{gateway}/{row.consumer}" if radio else f"edge-0/{gateway}",
                        link_class="radio" if radio else "access",
                        sender=gateway,
                        receiver=row.consumer,
                        payload_class=payload_class,
                        payload=payload_class.upper(),
                        payload_byte=size,
                        queued_s=row.created_s,
                        started_s=row.created_s,
                        ended_s=row.ended_s,
                        outcome="delivered",
                        burst_count=1,
                        attempt_count=2 if again else 1,
                        first_byte=size,
                        retry_byte=again,
                        delivered_byte=size,
                        lost_byte=again,
                        first_channel_use=4 * size if radio else 0,
                        retry_channel_use=4 * again if radio else 0,
                        overhead_channel_use=64 if radio else 0,
                        tx_j=size * 1e-6,
                        rx_j=size * 5e-7,
                    )
                )

    def _nodes(self, arm: str, stores: dict[int, dict[str, float]]) -> None:
        def add(name: str, tier: str, place: tuple[float, float], up: str | None, held: list[str]) -> None:
            stored = [f"aesc_{s}_z40/decoder" for s in held]
            size = sum(DECODER_BYTE[s] for s in held)
            self.recorder.add(
                NodeRow(
                    arm=arm,
                    node=name,
                    tier=tier,
                    x_m=float(place[0]),
                    y_m=float(place[1]),
                    attached_to=up,
                    mean_esno_db=12.0,
                    radio="radio",
                    store_capacity_byte=64_000,
                    store_occupancy_byte=0 if arm == "preload" else size,
                    provisioned_byte=size if arm == "preload" else 0,
                    stored=" ".join(stored),
                    requests=1,
                    tx_j=0.5,
                    rx_j=0.4,
                    compute_j=0.3,
                    idle_j=7.0,
                    flop=1e9,
                    busy_s=3.0,
                )
            )
            if arm == "preload":
                for s in held:
                    self.recorder.add(
                        StoreRow(
                            arm=arm,
                            time_s=0.0,
                            node=name,
                            tier=tier,
                            event="provision",
                            slice=f"aesc_{s}_z40/decoder",
                            slice_id=f"id-{s}",
                            slice_byte=DECODER_BYTE[s],
                            occupancy_byte=0,
                            capacity_byte=64_000,
                        )
                    )

        neural = arm in ("preload", "on_demand", "no_store")
        add("cloud-0", "cloud", (302_000, 2000), None, list(SOURCES) if neural else [])
        for i in range(4):
            place = (1000 + 2000 * (i % 2), 1000 + 2000 * (i // 2))
            add(f"edge-{i}", "edge", place, "cloud-0", list(SOURCES[: i + 1]) if arm == "on_demand" else [])
        for g, place in enumerate(self.gateways):
            held = [s for i, s in enumerate(SOURCES) if (g + i) % 3] if arm == "on_demand" else []
            add(f"gateway-{g}", "gateway", place, f"edge-{g // 4}", held)
        for d, place in enumerate(self.places):
            held = list(SOURCES) if arm == "preload" else sorted(stores.get(d, {}))
            add(f"device-{d}", "device", place, f"gateway-{self.home[d]}", held)

    def samples(self, folder: Path) -> None:
        (folder / "samples").mkdir()
        rng = np.random.default_rng(0)
        entries = []
        for i, source in enumerate(SOURCES):
            size = (28, 28) if i < 2 else (32, 32, 3)
            pixels = rng.integers(256, size=size, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "samples" / f"{i}.png")
            for arm in self.shape.arms:
                Image.fromarray(pixels // 2 + 30).save(folder / "samples" / f"{i}-{arm}.png")
                entries.append(
                    {
                        "source_type": source,
                        "item_id": i,
                        "arm": arm,
                        "codec": "aesc & co",
                        "original": f"samples/{i}.png",
                        "recovered": f"samples/{i}-{arm}.png",
                        "ss": 0.97,
                        "psnr_db": 21.5,
                        "code_byte": 40,
                    }
                )
        (folder / "samples" / "index.json").write_text(json.dumps(entries))
