"""Networks of the lecture.

What you can do here: build `lenet` and `alexnet`.  (`lenet5` has a chapter of its own.)
"""

from __future__ import annotations

import numpy as np

from .layers import Conv2d, Dense, Flatten, ReLU
from .module import Sequential
from .pools import MaxPool2d
from .regular import Dropout, LocalResponseNorm


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
