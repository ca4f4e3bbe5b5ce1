"""Networks of the lecture.

What you can do here: build `lenet`, `alexnet` and `resnet`.  (`lenet5` has a chapter of its own.)
"""

from __future__ import annotations

import numpy as np

from ..layers.functions import Flatten, GlobalAvgPool, LocalResponseNorm, ReLU
from ..layers.module import Module, Sequential
from ..layers.pools import MaxPool2d
from ..layers.regular import BatchNorm2d, Dropout
from ..layers.settings import positive
from ..layers.weighted import Conv2d, Dense, Residual


def lenet(classes: int = 10, seed: int = 0) -> Sequential:
    """LeNet in its modern form: relu, max pooling, and one score for each class.  Takes 1 x 32 x 32 images.

    The layers have the names of the paper (see `lenet5` for the network of 1998 itself).

    >>> net = lenet()
    >>> sum(p.size for p in net.parameters()), net(np.zeros((2, 1, 32, 32), np.float32)).shape
    (61706, (2, 10))
    """
    rng = np.random.default_rng(seed)
    return Sequential(
        C1=Conv2d(1, 6, 5, rng=rng),  # (n, 6, 28, 28)
        relu1=ReLU(),
        S2=MaxPool2d(2),  # (n, 6, 14, 14)
        C3=Conv2d(6, 16, 5, rng=rng),  # (n, 16, 10, 10)
        relu3=ReLU(),
        S4=MaxPool2d(2),  # (n, 16, 5, 5)
        flatten=Flatten(),
        C5=Dense(400, 120, rng=rng),
        relu5=ReLU(),
        F6=Dense(120, 84, rng=rng),
        relu6=ReLU(),
        output=Dense(84, classes, rng=rng),
    )


def alexnet(classes: int = 1000, seed: int = 0) -> Sequential:
    """The network that won the ImageNet challenge of 2012.  Takes 3 x 227 x 227 images.

    The groups are the paper's two graphics cards, which exchange their maps before conv3 and the dense layers only; its
    pools overlap; its alpha = 1e-4 multiplies a sum over 5 channels, where ours multiplies their mean.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional networks, NIPS 2012.

    >>> net = alexnet(classes=2)
    >>> net.conv2, net.conv2.weight.shape
    (Conv2d(96, 256, 5, padding=2, groups=2), (256, 48, 5, 5))
    """
    rng = np.random.default_rng(seed)

    def norm() -> LocalResponseNorm:
        return LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)

    return Sequential(
        conv1=Conv2d(3, 96, 11, stride=4, rng=rng),  # (n, 96, 55, 55)
        relu1=ReLU(),
        norm1=norm(),
        pool1=MaxPool2d(3, stride=2),  # (n, 96, 27, 27)
        conv2=Conv2d(96, 256, 5, padding=2, groups=2, rng=rng),  # (n, 256, 27, 27)
        relu2=ReLU(),
        norm2=norm(),
        pool2=MaxPool2d(3, stride=2),  # (n, 256, 13, 13)
        conv3=Conv2d(256, 384, 3, padding=1, rng=rng),  # (n, 384, 13, 13)
        relu3=ReLU(),
        conv4=Conv2d(384, 384, 3, padding=1, groups=2, rng=rng),
        relu4=ReLU(),
        conv5=Conv2d(384, 256, 3, padding=1, groups=2, rng=rng),  # (n, 256, 13, 13)
        relu5=ReLU(),
        pool5=MaxPool2d(3, stride=2),  # (n, 256, 6, 6)
        flatten=Flatten(),
        dropout6=Dropout(0.5, rng=rng),
        dense6=Dense(256 * 6 * 6, 4096, rng=rng),
        relu6=ReLU(),
        dropout7=Dropout(0.5, rng=rng),
        dense7=Dense(4096, 4096, rng=rng),
        relu7=ReLU(),
        output=Dense(4096, classes, rng=rng),
    )


def resnet(classes: int = 10, blocks: int = 3, seed: int = 0) -> Sequential:
    """A residual network for 3 x 32 x 32 images, of 6 blocks + 2 layers with weights: 20, as the paper's smallest.

    Three stages of 16, 32 and 64 maps, each of so many blocks of two convolutions; the second and third begin with
    stride 2, and there the shortcut is a 1 x 1 convolution.  (In the paper it drops every second pixel and adds maps of
    zeros, which has no parameters: 2,752 less than here.)
    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR 2016, section 4.2.

    >>> net = resnet()
    >>> sum(p.size for p in net.parameters()), net(np.zeros((2, 3, 32, 32), np.float32)).shape
    (272474, (2, 10))
    """
    rng = np.random.default_rng(seed)
    (blocks,) = positive(blocks=blocks)

    def conv(maps: int, more: int, kernel_size: int, stride: int) -> list[Module]:
        padding = (kernel_size - 1) // 2
        return [Conv2d(maps, more, kernel_size, stride, padding, bias=False, rng=rng), BatchNorm2d(more)]

    layers: dict[str, Module] = {"first": Sequential(*conv(3, 16, 3, 1), ReLU())}  # (n, 16, 32, 32)
    maps = 16
    for stage, more in enumerate((16, 32, 64), start=1):  # (n, 16, 32, 32), (n, 32, 16, 16), (n, 64, 8, 8)
        for block in range(1, blocks + 1):
            stride = 1 if more == maps else 2
            body = [*conv(maps, more, 3, stride), ReLU(), *conv(more, more, 3, 1)]
            shortcut = Sequential(*conv(maps, more, 1, stride)) if stride > 1 else None
            layers[f"block{stage}_{block}"] = Residual(*body, shortcut=shortcut)
            layers[f"relu{stage}_{block}"] = ReLU()
            maps = more
    return Sequential(**layers, pool=GlobalAvgPool(), output=Dense(64, classes, rng=rng))
