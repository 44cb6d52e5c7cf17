"""A LeNet-like classifier for 28 x 28 grey images (LeCun et al., 1998; with batch normalisation, ReLU)."""

from __future__ import annotations

from torch import Tensor, nn

from simnet.tasks.networks.base import Classifier, conv_bn_relu
from simnet.tasks.networks.statistics import GREY_DEVIATION, GREY_MEAN


class LeNet(Classifier):
    """Two 5 x 5 convolutions with pooling, one hidden layer of 128, linear head."""

    name = "lenet"

    def __init__(self, *, width: int = 16, n_features: int = 128, n_classes: int = 10) -> None:
        super().__init__(
            (1, 28, 28), mean=GREY_MEAN, deviation=GREY_DEVIATION, n_features=n_features, n_classes=n_classes
        )
        self.blocks = nn.Sequential(
            conv_bn_relu(1, width, kernel=5, padding=2),
            nn.MaxPool2d(2),
            conv_bn_relu(width, 2 * width, kernel=5, padding=0),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(2 * width * 5 * 5, n_features, bias=False),
            nn.BatchNorm1d(n_features),
            nn.ReLU(),
        )

    def body(self, x: Tensor) -> Tensor:
        features: Tensor = self.blocks(x)
        return features
