"""The classes of the street scenes, and the groups that a wish or an enhancement may name."""

from __future__ import annotations

STREET_CLASSES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "unlabelled",
)
"""CamVid's eleven classes in SegNet's order; the last is left out of losses and scores."""
CLASS_GROUPS: dict[str, tuple[str, ...]] = {
    "foreground": ("pole", "sign", "car", "pedestrian", "bicyclist"),
    "background": ("sky", "building", "road", "pavement", "tree", "fence"),
    "all": STREET_CLASSES[:-1],
}
