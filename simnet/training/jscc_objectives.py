"""What the four systems of paper 003 are trained for. Encoder, decoder and channel are the same in all of them."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.networks.jscc import STRIDE, Jscc, n_symbols
from simnet.data.base import ImageSet
from simnet.phy.learned.esno import EsnoRange
from simnet.tasks.networks.base import Classifier
from simnet.training.augmentation import Augmentation, Augmenter
from simnet.training.contrast import Denominator, Projection, follow, info_nce, supervised_contrast
from simnet.training.jscc_evaluation import psnr_of, transmitted, truth
from simnet.training.recipe import Strict

N_COLOURS = 3


class Semantics(Strict):
    """How meaning weighs against pixels (paper 003, sections IV-C, V and VI-A).

    ``guide``: zoo name of the classifier whose features or answers train DeepSC and SemCC; SemRE has none.
    ``reconstruction``: α of (10) and (11), the weight of the squared error; None: k/n of the head, as the paper does.
    ``temperature``: τ. ``projection``: axes of the semantic space. ``denominator``: of (13). ``momentum``: β of (14),
    after every ``update_every`` batches.
    """

    guide: str | None = None
    reconstruction: Annotated[float, Field(ge=0, le=1)] | None = None
    temperature: Annotated[float, Field(gt=0)] = 0.1
    projection: Annotated[int, Field(ge=2, le=512)] = 32
    denominator: Denominator = "paper"
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.99
    update_every: Annotated[int, Field(ge=1)] = 1

    def alpha(self, head: int) -> float:
        """Of a head with so many symbols for each 4 x 4 pixels."""
        return head / (N_COLOURS * STRIDE**2) if self.reconstruction is None else self.reconstruction


@dataclass(frozen=True)
class Common:
    """What all objectives take.

    Attributes:
        networks: to be trained.
        train: images and labels, one per image or one per pixel.
        test: those that the curve is measured on.
        esno: of training; the curve is measured at the middle.
    """

    networks: Jscc
    train: ImageSet
    test: ImageSet
    esno: EsnoRange
    augmentation: Augmentation
    device: torch.device


class Transmission:
    """Base of the objectives: every batch goes over the channel through one of the heads, drawn by chance."""

    def __init__(self, common: Common) -> None:
        networks, self.device, self._esno = common.networks, common.device, common.esno
        self.networks = networks.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module: nn.Module = self.networks
        self.n_items = len(common.train)
        self._augmenter = Augmenter(common.train.images, common.augmentation)
        self._labels = torch.tensor(common.train.labels, device=self.device)
        self._test = common.test
        self._channel = networks.shape.channel()

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        images = torch.from_numpy(self._augmenter.batch(indices, rng)).to(self.device) / 255
        heads = self.networks.shape.heads
        head = heads[int(rng.integers(len(heads)))]
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        esno = self._esno.sample(len(images), generator)
        size = (images.shape[2], images.shape[3])
        draws = self._channel.draw(len(images), n_symbols(size, head), generator)
        symbols = self.networks.encode(images, head)
        made = self.networks.decode(self._channel(symbols, esno, draws).symbols, head, size)
        return self.compare(images, self._labels[indices], symbols, made.float(), head)

    @abstractmethod
    def compare(self, images: Tensor, labels: Tensor, symbols: Tensor, made: Tensor, head: int) -> Tensor:
        """The loss (scalar).

        Args:
            images: x, [B, 3, H, W]; labels: [B], or one per pixel.
            symbols: s, [B, k] complex, as sent.
            made: x̂, float32.
        """

    def evaluate(self) -> dict[str, float]:
        """PSNR of each head at the middle of the trained Es/N0."""
        images, esno_db = self._test.images, (self._esno.low_db + self._esno.high_db) / 2
        made = {head: transmitted(self.networks, images, head, esno_db, 0) for head in self.networks.shape.heads}
        figures = {f"psnr_db_{head}": float(psnr_of(images, x).mean()) for head, x in made.items()}
        return figures | self.judged(made, torch.tensor(self._test.labels))

    def judged(self, made: dict[int, Tensor], labels: Tensor) -> dict[str, float]:
        """More figures, of those objectives that know a classifier."""
        return {}


class SquaredError(Transmission):
    """DeepJSCC: L_rec (9)."""

    def compare(self, images: Tensor, labels: Tensor, symbols: Tensor, made: Tensor, head: int) -> Tensor:
        return F.mse_loss(made, images)


class Guided(Transmission):
    """Base of those that a frozen classifier guides."""

    def __init__(self, common: Common, guide: Classifier, semantics: Semantics) -> None:
        super().__init__(common)
        self.guide = guide.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.semantics = semantics

    def judged(self, made: dict[int, Tensor], labels: Tensor) -> dict[str, float]:
        """The guide's accuracy on what arrives."""
        return {f"accuracy_{head}": float(truth(self.guide, x, labels)[0].mean()) for head, x in made.items()}


class TaskLoss(Guided):
    """DeepSC, and the second stage of SemCC: L₂ = α₂ L_rec + (1 − α₂) L_Task (11), (12)."""

    def compare(self, images: Tensor, labels: Tensor, symbols: Tensor, made: Tensor, head: int) -> Tensor:
        alpha, logits = self.semantics.alpha(head), self.guide(made).float()
        task = F.cross_entropy(logits, labels) / self.guide.n_classes
        loss: Tensor = alpha * F.mse_loss(made, images) + (1 - alpha) * task
        return loss


class SemanticContrast(Guided):
    """SemCC's first stage: L₁ = α₁ L_rec + (1 − α₁) L_sem (10), (8), in the guide's feature space."""

    def __init__(self, common: Common, guide: Classifier, semantics: Semantics) -> None:
        super().__init__(common, guide, semantics)
        self.projection = Projection(guide.head.in_features, semantics.projection).to(self.device)
        self.module = nn.ModuleList((self.networks, self.projection))

    def compare(self, images: Tensor, labels: Tensor, symbols: Tensor, made: Tensor, head: int) -> Tensor:
        alpha = self.semantics.alpha(head)
        with torch.no_grad():
            features = self.guide.features(images)
        sent, recovered = self.projection(features), self.projection(self.guide.features(made))
        contrast = info_nce(sent, recovered, self.semantics.temperature)
        return alpha * F.mse_loss(made, images) + (1 - alpha) * contrast


class ReEncoding(Transmission):
    """SemRE: the receiver encodes x̂ again; what it finds is held against what was sent (10), (13), (14)."""

    def __init__(self, common: Common, size: tuple[int, int], semantics: Semantics) -> None:
        super().__init__(common)
        self.semantics = semantics
        self.re_encoder = Follower(self.networks)
        self.projections = nn.ModuleDict(
            {str(c): Projection(2 * n_symbols(size, c), semantics.projection) for c in self.networks.shape.heads}
        ).to(self.device)
        self.module = nn.ModuleList((self.networks, self.re_encoder, self.projections))

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        """The re-encoder first follows the encoder as the last step has left it."""
        self.re_encoder.step(self.networks, self.semantics)
        return super().loss(indices, rng, done)

    def compare(self, images: Tensor, labels: Tensor, symbols: Tensor, made: Tensor, head: int) -> Tensor:
        s, alpha, project = self.semantics, self.semantics.alpha(head), self.projections[str(head)]
        again = self.re_encoder.networks.encode(made, head)
        sent, recovered = (project(torch.view_as_real(x).flatten(1)) for x in (symbols, again))
        contrast = supervised_contrast(sent, recovered, labels, s.temperature, s.denominator)
        return alpha * F.mse_loss(made, images) + (1 - alpha) * contrast


class Follower(nn.Module):
    """The re-encoder: a copy of the networks that follows them slowly; only its encoder is used."""

    n_batches: Tensor

    def __init__(self, networks: Jscc) -> None:
        super().__init__()
        self.networks = copy.deepcopy(networks).requires_grad_(False)
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.int64))

    def step(self, leader: Jscc, semantics: Semantics) -> None:
        """One batch more."""
        if self.n_batches and self.n_batches % semantics.update_every == 0:
            follow(self.networks, leader, semantics.momentum)
        self.n_batches += 1
