"""A network to take away: one file of NumPy, and its weights beside it.

What you can do here: `export` a model, or `python -m nets export FILE.npz`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import Tensor, cross_entropy, gradients
from minitensor.program import Compiled, Program
from minitensor.tensor import Array

from .layers.module import Module, Shape, check_kind
from .training.train import Loss

HEAD = '''"""{what}, in NumPy alone; its weights are in {weights}.

{usage}
"""

from pathlib import Path
'''

LOAD = '''

def load():
    """The weights by name, from the file beside this one."""
    with np.load(Path(__file__).with_suffix(".npz")) as file:
        return dict(file)
'''


def export(
    model: Module,
    path: str | os.PathLike[str],
    image: Shape,
    *,
    training: bool = False,
    batch_size: int = 1,
    loss: Loss = cross_entropy,
    classes: int = 10,
) -> Program:
    """Write the program of a model to a file (.py), and its weights beside it (.npz); return the program.

    The file needs NumPy alone and defines `program(images, **weights)`, for batches of this size of images of this
    shape, and `load()`, which reads the weights.  With training it is a whole step, `program(images, labels, rate,
    **weights)`: the loss, and the weights after a step of gradient descent.  What batch normalization remembers counts
    as weights here.
    Raises ValueError where the recipe depends on data, and for a name that does not end in .py.

    >>> import tempfile
    >>> from nets import Dense
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(export(Dense(3, 2), Path(folder, "net.py"), (3,)))
    def program(images, weight, bias):
        scores = images @ weight.T + bias  # (1, 2)
        return scores
    """
    check_kind("model", model, Module)
    path = Path(path)
    if path.suffix != ".py":
        raise ValueError(f"a program is a file that ends in .py, got {path}")
    rng = np.random.default_rng(0)
    given: list[Any] = [rng.standard_normal((batch_size, *image), np.float32)]

    def scores(images: Tensor) -> Tensor:
        return named(model(images), "scores")

    def step(images: Tensor, labels: Array, rate: Tensor) -> list[Tensor]:
        value = named(loss(model(images), labels), "loss")
        parameters = dict(model.named_parameters())
        slopes = zip(parameters.items(), gradients(value, parameters.values()), strict=True)
        return [value, *[named(w - rate * g, f"new {name}") for (name, w), g in slopes]]

    before = {module: module.training for _, module in model.modules()}
    if training:
        given += [rng.integers(0, classes, batch_size), np.float32(0.01)]
    try:
        with layers_named(model.train(training)):
            made = Compiled(step if training else scores)
            program, held = made.program(*given), made.weights(*given)
    finally:
        for module, mode in before.items():
            module.training = mode
    usage = "labels, np.float32(0.01), " if training else ""
    result = "loss, *new_weights" if training else "scores"
    learnt = model.parameters()
    weights = {name: t.data for name, t in sorted(held.items(), key=lambda pair: pair[1] not in learnt)}
    count = sum([w.size for w in learnt])
    head = HEAD.format(
        what=f"{'A training step of a' if training else 'A'} network of {count:,} weights",
        weights=path.with_suffix(".npz").name,
        usage=f"{result} = program(images, {usage}**load()), images {given[0].shape} of float32",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + program.source + LOAD, encoding="utf-8")
    np.savez(path.with_suffix(".npz"), **weights)  # type: ignore[arg-type]
    return program


def named(t: Tensor, name: str) -> Tensor:
    """The Tensor, with this name if it has none that says more."""
    if t.name is None or name in ("scores", "loss") or name.startswith("new "):
        t.name = name
    return t


@contextmanager
def layers_named(model: Module) -> Iterator[None]:
    """Within the block the output of each layer has the layer's name."""
    changed = []
    try:
        for path, module in model.modules():
            if path and "forward" not in vars(module):

                def forward(*inputs: Any, path: str = path, of: Any = module.forward, **settings: Any) -> Tensor:
                    return named(of(*inputs, **settings), path)

                vars(module)["forward"] = forward
                changed.append(module)
        yield
    finally:
        for module in changed:
            del vars(module)["forward"]
