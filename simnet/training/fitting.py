"""Whether images fit the networks that they train, asked before the training."""

from __future__ import annotations

from simnet.core.errors import SimnetError
from simnet.data.base import ImageSet
from simnet.tasks.networks.base import Classifier
from simnet.training.run import TrainingRun


def require_images(run: TrainingRun, images: ImageSet, what: str, takes: tuple[int, int, int]) -> None:
    """Images are of the shape that a network takes.

    Args:
        what: the network, as the recipe says it.
        takes: (C, H, W).

    Raises:
        SimnetError: they are of another.
    """
    got = images.images.shape[1:]
    if got != takes:
        raise SimnetError(
            f"{run.recipe_path}: {what}: takes images of {list(takes)} (C, H, W); {images.name} has {list(got)}; name "
            "another network or data set"
        )


def require_classes(run: TrainingRun, images: ImageSet, what: str, network: Classifier) -> None:
    """Images are of the shape that a classifier takes, and it has a class for each of their labels.

    Raises:
        SimnetError: they aren't, or it hasn't.
    """
    require_images(run, images, what, network.image_shape)
    if images.labels.ndim > 1:
        raise SimnetError(
            f"{run.recipe_path}: {what}: takes sets with a label per image; {images.name} has one per pixel; name "
            "another data set"
        )
    largest = int(images.labels.max())
    if largest >= network.n_classes:
        raise SimnetError(
            f"{run.recipe_path}: {what}: got {network.n_classes} classes; {images.name} has labels up to {largest}; "
            f"allowed {largest + 1} or more"
        )
