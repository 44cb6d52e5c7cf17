"""Which class does the image show? ST is the probability given to the true one."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.tasks.base import Task
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks import load_network
from simnet.tasks.networks.base import Classifier


class Classification(Task):
    """Recognition by a classifier network of the zoo.

    Args:
        network: frozen, in evaluation mode; its device is the task's.
    """

    name = "classification"

    def __init__(self, network: Classifier) -> None:
        self.network = network

    @classmethod
    def from_zoo(cls, model: str) -> Classification:
        """The task with the zoo's network ``model``, e.g. ``classifier/digits_judge``."""
        return cls(load_network(model_dir(model) / "weights.safetensors"))

    @classmethod
    def judge_of(cls, data_set: str, shape: tuple[int, ...], model: str, where: str) -> Classification:
        """:meth:`from_zoo`, for a data set's images of (C, H, W) = ``shape``; ``where`` the model is named, for errors.

        Raises:
            SimnetError: the network takes other images.
        """
        judge = cls.from_zoo(model)
        if judge.image_shape != shape:
            raise SimnetError(
                f"{where}: {model} takes images of {judge.image_shape}, {data_set} has {shape}; name a judge that was "
                "trained on it"
            )
        return judge

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.network.image_shape

    @cached_property
    def flop_per_image(self) -> int:
        return flop_per_image(self.network, self.network.image_shape)

    def infer(self, images: Tensor) -> Tensor:
        """Class probabilities [B, K] float32 of images [B, C, H, W] float32 in [0, 1]."""
        logits: Tensor = self.network(images)
        return logits.softmax(dim=1)

    def st(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """Probability of the true class, [B]."""
        return inferred.gather(1, truth.view(-1, 1)).squeeze(1)

    def recognised(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """Whether the most probable class is the true one, [B] bool."""
        return inferred.argmax(dim=1) == truth

    def confidence(self, inferred: Tensor) -> Tensor:
        """Highest class probability, [B]."""
        return inferred.amax(dim=1)

    def agreement(self, recovered: Tensor, original: Tensor) -> Tensor:
        """Probability of the original's most likely class, recovered over original, [B]."""
        index = original.argmax(dim=1).view(-1, 1)
        return (recovered.gather(1, index) / original.gather(1, index)).squeeze(1)
