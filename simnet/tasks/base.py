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

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images that :meth:`infer` takes."""

    @property
    @abstractmethod
    def flops_per_image(self) -> int:
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
        """

    @abstractmethod
    def recognised(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """Whether each image was recognised, [B] bool: what recognition rates count."""
