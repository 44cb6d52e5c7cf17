"""ResNet-20 for 32 x 32 images, 0.27 M parameters (He et al., CVPR 2016, section 4.2, shortcuts A)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.base import Cifar10Classifier, conv_bn_relu


class BasicBlock(nn.Module):
    """relu(shortcut(x) + bn(conv(relu(bn(conv(x)))))); the shortcut subsamples, new channels are 0."""

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.n_new = n_out - n_in
        self.first = conv_bn_relu(n_in, n_out, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x[:, :, :: self.stride, :: self.stride] if self.stride > 1 else x
        if self.n_new:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.n_new))
        return F.relu(shortcut + self.second(self.first(x)))


class ResNet20(Cifar10Classifier):
    """3 stages of 3 basic blocks with 16, 32, 64 channels, global mean, linear head."""

    name = "resnet20"

    def __init__(self, *, width: int = 16, n_classes: int = 10) -> None:
        super().__init__(n_features=4 * width, n_classes=n_classes)
        blocks: list[nn.Module] = [conv_bn_relu(3, width)]
        n_in = width
        for stage in range(3):
            for block in range(3):
                n_out = width << stage
                blocks.append(BasicBlock(n_in, n_out, stride=2 if stage and not block else 1))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)
