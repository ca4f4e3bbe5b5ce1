"""One file for each engine: the functions that `tasks.py` describes, in that engine's own words.

Each is written as its own documentation advises, compiled where it can be.
"""

OURS = ("minitensor", "compiled")  # the same package, twice
PACKAGES = {  # engine: the package that it needs
    "minitensor": "minitensor",
    "compiled": "minitensor",
    "by_hand": "numpy",
    "pytorch": "torch",
    "jax": "jax",
    "tinygrad": "tinygrad",
    "mygrad": "mygrad",
    "autograd": "autograd",
    "dezero": "dezero",
    "micrograd": "micrograd",
}
