"""Procedural street scenes, 96 x 128, with exact labels: no files, no licence, the same pictures everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from simnet.core.streams import generator
from simnet.data.base import Dataset, ImageSet, Labels, Split, content_hash
from simnet.data.street_classes import STREET_CLASSES

HEIGHT, WIDTH = 96, 128
N_PICTURES: dict[Split, int] = {"train": 400, "val": 64, "test": 96, "sample": 96}
SEED = 2022
Colour = tuple[int, int, int]


class Streets(Dataset):
    """A road seen along, with pavement, buildings, trees, fences, poles, signs, cars and people; light and haze vary.

    ``sample`` is ``test``. A picture is a function of its split and number.
    """

    name = "streets"
    class_names = STREET_CLASSES
    image_shape = (3, HEIGHT, WIDTH)
    splits = ("train", "val", "test", "sample")
    dense = True

    def load(self, split: Split, root: Path | None = None) -> ImageSet:
        """The pictures of one split; ``root`` has no meaning: they are drawn."""
        images, labels = self._read(self._known(split), Path())
        indices = np.arange(len(labels)) if split == "sample" else None
        return ImageSet(self.name, split, images, labels, self.class_names, content_hash(images, labels), indices)

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], Labels]:
        named: Split = "test" if split == "sample" else split  # type: ignore[assignment]
        scenes = [_Scene(generator(SEED, "street", named, i)).picture() for i in range(N_PICTURES[named])]
        return np.stack([image for image, _ in scenes]), np.stack([labels for _, labels in scenes])


class _Scene:
    """Draws pixels and labels side by side, from far to near.

    Args:
        rng: every draw of the picture.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._image = Image.new("RGB", (WIDTH, HEIGHT))
        self._labels = Image.new("L", (WIDTH, HEIGHT))
        self._ink, self._label = ImageDraw.Draw(self._image), ImageDraw.Draw(self._labels)
        self._horizon = int(rng.integers(36, 50))
        self._vanishing = float(rng.uniform(48, 80))

    def picture(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Pixels [3, H, W] and labels [H, W]."""
        self._sky()
        self._ground()
        for side in (-1, 1):
            self._buildings(side)
            self._verge(side)
        for depth in sorted(self._rng.uniform(0.15, 0.9, self._rng.integers(1, 5))):
            self._car(depth)
        for depth in sorted(self._rng.uniform(0.25, 0.95, self._rng.integers(1, 6))):
            self._person(depth, rides=bool(self._rng.random() < 0.35))
        return self._lit()

    def _draw(self, shape: str, where: list[tuple[float, float]], colour: Colour, name: str) -> None:
        if shape in ("rectangle", "ellipse"):  # from corner to corner, whichever
            (x0, y0), (x1, y1) = where
            where = [(min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))]
        getattr(self._ink, shape)(where, fill=colour)
        getattr(self._label, shape)(where, fill=STREET_CLASSES.index(name))

    def _colour(self, base: Colour, spread: int = 18) -> Colour:
        drawn = np.add(base, self._rng.integers(-spread, spread + 1, 3)).clip(0, 255)
        r, g, b = drawn.tolist()
        return r, g, b

    def _row(self, depth: float) -> float:
        """Where something at this depth (0 at the horizon, 1 at the camera) stands."""
        return float(self._horizon + depth**1.5 * (HEIGHT - self._horizon))

    def _edge(self, side: int, depth: float, metre: float) -> float:
        """Column at this many road halves from the middle."""
        return float(self._vanishing + side * metre * 58 * depth**1.5 + (64 - self._vanishing) * depth)

    def _sky(self) -> None:
        top, low = np.array(self._colour((120, 160, 215), 40)), np.array(self._colour((205, 215, 225), 25))
        for row in range(self._horizon + 1):
            r, g, b = (top + (low - top) * row / self._horizon).astype(int).tolist()
            self._draw("line", [(0, row), (WIDTH, row)], (r, g, b), "sky")

    def _ground(self) -> None:
        self._draw("rectangle", [(0, self._horizon), (WIDTH, HEIGHT)], self._colour((150, 140, 130)), "pavement")
        edges = [(self._edge(-1, d, 1), self._row(d)) for d in (0.0, 0.3, 0.6, 1.0)]
        edges += [(self._edge(1, d, 1), self._row(d)) for d in (1.0, 0.6, 0.3, 0.0)]
        self._draw("polygon", edges, self._colour((92, 92, 96)), "road")
        for start in np.arange(float(self._rng.uniform(0.1, 0.2)), 1.0, 0.16):
            end = min(1.0, start + 0.07)
            mark = [(self._edge(s, d, 0.03), self._row(d)) for s, d in ((-1, start), (1, start), (1, end), (-1, end))]
            self._draw("polygon", mark, (222, 222, 214), "road")

    def _buildings(self, side: int) -> None:
        depth = 0.05
        while depth < 0.95:
            far, depth = depth, depth + float(self._rng.uniform(0.12, 0.3))
            if self._rng.random() < 0.2:
                continue
            tall = float(self._rng.uniform(0.6, 1.5))
            wall = self._colour((150, 120, 100), 45)
            columns = [self._edge(side, d, 1.75) for d in (far, depth)]
            tops = [self._row(d) - tall * (12 + 62 * d**1.3) for d in (far, depth)]
            feet = [self._row(d) for d in (far, depth)]
            near_end = WIDTH if side > 0 else 0
            corners = [(columns[0], tops[0]), (columns[1], tops[1]), (columns[1], feet[1]), (columns[0], feet[0])]
            self._draw("polygon", corners, wall, "building")
            if depth >= 0.95 and 0 <= columns[1] <= WIDTH:  # its near end, where the picture ends before it does
                self._draw("rectangle", [(columns[1], tops[1]), (near_end, feet[1])], wall, "building")
            self._windows(columns, tops, feet, wall)

    def _windows(self, columns: list[float], tops: list[float], feet: list[float], wall: Colour) -> None:
        dark = self._colour((max(0, wall[0] - 60), max(0, wall[1] - 55), max(0, wall[2] - 35)), 10)
        for u in np.arange(0.15, 0.9, 0.28):
            for v in np.arange(0.12, 0.8, 0.22):
                x = columns[0] + (columns[1] - columns[0]) * u
                top, foot = tops[0] + (tops[1] - tops[0]) * u, feet[0] + (feet[1] - feet[0]) * u
                y, size = top + (foot - top) * v, 0.07 * (foot - top)
                if size >= 1:
                    self._draw("rectangle", [(x, y), (x + size, y + 1.5 * size)], dark, "building")

    def _verge(self, side: int) -> None:
        """What stands between pavement and buildings: fences, trees, poles with and without signs."""
        if self._rng.random() < 0.5:
            start = float(self._rng.uniform(0.15, 0.5))
            top = [(self._edge(side, d, 1.6), self._row(d) - 3 - 12 * d) for d in (start, start + 0.35)]
            foot = [(self._edge(side, d, 1.6), self._row(d)) for d in (start + 0.35, start)]
            self._draw("polygon", top + foot, self._colour((110, 100, 80)), "fence")
        for depth in sorted(self._rng.uniform(0.1, 0.85, self._rng.integers(2, 6))):
            x, y, scale = self._edge(side, depth, 1.35), self._row(depth), 4 + 40 * depth
            if self._rng.random() < 0.5:
                crown = 0.45 * scale
                trunk = [(x - 0.04 * scale, y - scale), (x + 0.04 * scale, y)]
                self._draw("rectangle", trunk, self._colour((80, 62, 45)), "tree")
                green = self._colour((70, 105, 60), 25)
                for dx, dy in ((0, 0), (-0.5, 0.3), (0.5, 0.3), (0, 0.5)):
                    cx, cy = x + dx * crown, y - 1.2 * scale + dy * crown
                    self._draw("ellipse", [(cx - crown, cy - crown), (cx + crown, cy + crown)], green, "tree")
                continue
            width = max(0.6, 0.03 * scale)
            self._draw("rectangle", [(x - width, y - 1.5 * scale), (x + width, y)], self._colour((90, 90, 92)), "pole")
            if self._rng.random() < 0.7:
                s = 0.18 * scale + 1
                ink = self._colour(((200, 40, 40), (40, 70, 180), (215, 180, 40))[self._rng.integers(3)], 15)
                self._draw("rectangle", [(x - s, y - 1.5 * scale - s), (x + s, y - 1.5 * scale + s)], ink, "sign")

    def _car(self, depth: float) -> None:
        x = self._edge(1, depth, float(self._rng.uniform(-0.85, 0.85)))
        y, w = self._row(depth), 3 + 15 * depth**1.3
        paint = self._colour(((170, 30, 30), (30, 50, 120), (200, 200, 205), (40, 40, 44))[self._rng.integers(4)], 20)
        self._draw("rectangle", [(x - w, y - 0.8 * w), (x + w, y - 0.15 * w)], paint, "car")
        roof = [(x + dx * w, y - dy * w) for dx, dy in ((-0.8, 0.8), (-0.55, 1.4), (0.55, 1.4), (0.8, 0.8))]
        self._draw("polygon", roof, paint, "car")
        self._draw("rectangle", [(x - 0.5 * w, y - 1.25 * w), (x + 0.5 * w, y - 0.85 * w)], (60, 75, 90), "car")
        for wheel in (-0.65, 0.65):
            cx, r = x + wheel * w, 0.22 * w
            self._draw("ellipse", [(cx - r, y - 2 * r), (cx + r, y)], (25, 25, 27), "car")

    def _person(self, depth: float, *, rides: bool) -> None:
        side = 1 if self._rng.random() < 0.5 else -1
        x = self._edge(side, depth, float(self._rng.uniform(0.5, 0.95) if rides else self._rng.uniform(1.05, 1.3)))
        y, h = self._row(depth), 4 + 26 * depth**1.3
        name = "bicyclist" if rides else "pedestrian"
        if rides:
            for dx in (-0.3, 0.3):
                r = 0.2 * h
                self._draw("ellipse", [(x + dx * h - r, y - 2 * r), (x + dx * h + r, y)], (45, 45, 48), name)
        w = 0.14 * h
        self._draw("rectangle", [(x - w, y - 0.8 * h), (x + w, y - 0.42 * h)], self._colour((120, 80, 90), 80), name)
        self._draw("rectangle", [(x - w, y - 0.45 * h), (x + w, y)], self._colour((50, 52, 70), 25), name)
        r = 0.1 * h + 0.4
        face = [(x - r, y - 0.98 * h), (x + r, y - 0.98 * h + 2 * r)]
        self._draw("ellipse", face, self._colour((205, 165, 140), 30), name)

    def _lit(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Texture, grain, haze towards the horizon, and the day's light."""
        rng, pixels = self._rng, np.asarray(self._image, np.float64)
        coarse = rng.normal(0, 1, (HEIGHT // 4, WIDTH // 4, 1))
        pixels = pixels + 5 * np.kron(coarse, np.ones((4, 4, 1))) + rng.normal(0, 4, pixels.shape)
        far = np.exp(-np.abs(np.arange(HEIGHT) - self._horizon) / 14.0)[:, None, None] * rng.uniform(0, 0.45)
        pixels = pixels * (1 - far) + 205 * far
        pixels = (pixels - 128) * rng.uniform(0.75, 1.1) + 128 + rng.uniform(-30, 20)
        image = np.clip(pixels, 0, 255).round().astype(np.uint8).transpose(2, 0, 1)
        return np.ascontiguousarray(image), np.asarray(self._labels).copy()
