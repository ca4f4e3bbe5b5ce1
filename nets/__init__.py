"""nets: layers, networks, data and training on minitensor.

Read the rooms in this order: layers, models, data, training; each says in which order to read its files.  Beside them,
trace, fields and summary (in this order) say what a network is made of, files reads and writes safely, export takes a
network away as NumPy, equivariance measures.
"""

from .data.cifar import cifar10
from .data.distort import distort, warp
from .data.examples import Examples, batches, digits
from .data.idx import mnist, read_idx
from .equivariance import EquivarianceError, equivariance_error
from .export import export
from .layers.functions import (
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
from .layers.group_conv import Element, GroupConv2d, GroupMaxPool, LiftingConv2d, act, transform
from .layers.init import glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_uniform
from .layers.module import Cost, Module, Sequential
from .layers.pools import (
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
from .layers.regular import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from .layers.weighted import (
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
from .models.lecture import alexnet, lenet, resnet
from .models.lenet5 import RadialBasis, Subsampling, TableConv2d, lenet5, map_criterion
from .summary import Row, Summary, summary
from .training.checkpoint import load, save
from .training.effort import Effort, efforts
from .training.optim import (
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
from .training.parallel import mpi_workers
from .training.pictures import confusion, learning_curve
from .training.train import Epoch, Score, evaluate, fit, learn, predict

__all__ = [
    "Adam", "AdamW", "AvgPool1d", "AvgPool2d", "AvgPool3d", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d",
    "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "Cost", "Dense", "Dropout", "Effort", "Element", "Epoch",
    "EquivarianceError", "Examples", "Flatten", "Function", "GELU", "GlobalAvgPool", "GroupConv2d", "GroupMaxPool",
    "Identity", "LPPool1d", "LPPool2d", "LayerNorm", "LeakyReLU", "LiftingConv2d", "LocalResponseNorm",
    "LocallyConnected1d", "LocallyConnected2d", "LogSoftmax", "MaxPool1d", "MaxPool2d", "MaxPool3d", "Maxout",
    "Module", "Optimizer", "RadialBasis", "ReLU", "Residual", "Row", "SGD", "Score", "Sequential", "Sigmoid",
    "Softmax", "Softplus", "Subsampling", "Summary", "TableConv2d", "Tanh", "TiledConv1d", "TiledConv2d",
    "WeightedAvgPool1d", "WeightedAvgPool2d", "act", "alexnet", "batches", "cifar10", "clip_norm", "confusion",
    "constant", "cosine", "digits", "distort", "efforts", "equivariance_error", "evaluate", "export", "fit",
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "learn", "learning_curve", "lecun_uniform", "lenet",
    "lenet5", "load", "map_criterion", "mnist", "mpi_workers", "one_cycle", "predict", "read_idx", "resnet", "save",
    "step_decay", "summary", "transform", "value_and_grad", "warp",
]  # fmt: skip
