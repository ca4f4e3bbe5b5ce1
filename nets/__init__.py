"""nets: layers, networks, data and training on minitensor.

Read the chapters in this order: module, init, functions, layers, pools, regular, models, lenet5, optim, data,
distort, files, idx, cifar, checkpoint, parallel, runs, train, summary, png, pictures, effort, equivariance, group_conv.
"""

from .checkpoint import load, save
from .cifar import cifar10
from .data import Examples, batches, digits
from .distort import distort, warp
from .effort import Effort, efforts
from .equivariance import EquivarianceError, equivariance_error
from .functions import (
    GELU,
    Flatten,
    Function,
    GlobalAvgPool,
    Identity,
    LeakyReLU,
    LocalResponseNorm,
    LogSoftmax,
    Maxout,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from .group_conv import Element, GroupConv2d, GroupMaxPool, LiftingConv2d, act, transform
from .idx import mnist, read_idx
from .init import glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_uniform
from .layers import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    Dense,
    LocallyConnected1d,
    LocallyConnected2d,
    Residual,
    TiledConv1d,
    TiledConv2d,
)
from .lenet5 import RadialBasis, Subsampling, TableConv2d, lenet5, map_criterion
from .models import alexnet, lenet, resnet
from .module import Cost, Module, Sequential
from .optim import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    clip_norm,
    constant,
    cosine,
    one_cycle,
    step_decay,
    value_and_grad,
)
from .parallel import mpi_workers
from .pictures import confusion, learning_curve
from .pools import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LPPool1d,
    LPPool2d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    WeightedAvgPool1d,
    WeightedAvgPool2d,
)
from .regular import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from .summary import Row, Summary, summary
from .train import Epoch, Score, evaluate, fit, learn, predict
