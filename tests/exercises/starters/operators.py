"""Chapter 7.  The other direction: write operators, under laws that are given.

    python -m tests.exercises bugs 7      lists the laws
    python -m tests.exercises run 7       says which hold
    python -m tests.exercises hint 7

Inputs are arrays or Tensors.  Write everything with functions of minitensor (or give an operator of your own a rule),
so that gradients flow: most laws ask for them.
"""

# ruff: noqa: F401 (you will need these)
import numpy as np

from minitensor import as_tensor, concatenate, conv2d, einsum, fold, primitive, where, windows


def roll(x, shift):
    """x (n), moved to the right by shift, round to the other side."""
    raise NotImplementedError


def blur(x):
    """x (n) on a ring: each element becomes the mean of itself and its two neighbours."""
    raise NotImplementedError


def output_size(n, k, stride, padding, dilation):
    """How many places a window has; ValueError if it has none."""
    raise NotImplementedError


def leaky(x):
    """x where x > 0, else x / 10: make it a primitive, with a rule of your own."""
    raise NotImplementedError


def stable_softmax(x):
    """exp(x) / sum(exp(x)) of x (n), however large the numbers are."""
    raise NotImplementedError


def convolve(x, w):
    """x (n), w (k): output h is the sum of x[h + i] * w[i].  Without conv1d."""
    raise NotImplementedError


def stamp(g, w, n):
    """The adjoint of x -> convolve(x, w), for x of length n: each g[h] stamps g[h] * w onto the output, at h."""
    raise NotImplementedError


def pool(x, k):
    """x (n), n a multiple of k: the largest of each k neighbours.  Without max_pool1d."""
    raise NotImplementedError


def local(x, w):
    """x (n), w (places, k): as convolve, with a kernel of its own at each place."""
    raise NotImplementedError


def turning(x, w):
    """x (n, n), w (k, k): linear in both, uses every tap, and a quarter turn of the picture turns the output."""
    raise NotImplementedError
