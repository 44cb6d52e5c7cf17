"""A downstream task: infers something from images, and scores it against the truth (ST, DESIGN §2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class Task(ABC):
    """Base of the task plug-ins.

    A node runs :meth:`infer` only. :meth:`st` needs the truth: only the judge outside the network calls it.
    """

    name: ClassVar[str]
    sure_st: ClassVar[float] = 0.5
    """SS of a delivery is defined only if ST(original) is at least this; else the judge is unsure."""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images that :meth:`infer` takes."""

    @property
    @abstractmethod
    def flop_per_image(self) -> int:
        """FLOPs of one inference; a multiply-add counts as 2."""

    @abstractmethod
    def infer(self, images: Tensor) -> Tensor:
        """What the task's network says of each image, e.g. probabilities [B, K].

        Args:
            images: [B, C, H, W] float32 in [0, 1].
        """

    @abstractmethod
    def st(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """ST of each image, [B] float32 in [0, 1].

        Args:
            inferred: what :meth:`infer` gave.
            truth: the true answers, e.g. class indices [B] int64.

        Returns:
            NaN where the truth leaves nothing to be inferred.
        """

    def recognised(self, inferred: Tensor, truth: Tensor) -> Tensor | None:
        """Whether each image was recognised, [B] bool: what recognition rates count; None if the task knows no hits."""
        return None

    @abstractmethod
    def confidence(self, inferred: Tensor) -> Tensor:
        """How sure the network is of what it says, [B] in [0, 1]: what a receiver could see."""

    @abstractmethod
    def agreement(self, recovered: Tensor, original: Tensor) -> Tensor:
        """How well what it says of recovered images fits what it says of the originals, [B]: what a sender could see.

        Args:
            recovered, original: what :meth:`infer` gave.
        """
