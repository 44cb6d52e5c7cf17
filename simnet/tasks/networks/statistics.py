"""Per-channel mean and deviation of the training images in [0, 1]."""

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_DEVIATION = (0.2470, 0.2435, 0.2616)
GREY_MEAN = (0.1307,)
GREY_DEVIATION = (0.3081,)
"""Of MNIST; they serve Fashion-MNIST too, where batch normalisation takes up the rest."""
CAMVID_MEAN = (0.411, 0.425, 0.432)
CAMVID_DEVIATION = (0.304, 0.308, 0.304)
