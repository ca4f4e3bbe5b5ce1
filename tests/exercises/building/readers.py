"""How well wrong engines learn to read: `python -m tests.exercises.building.readers` measures what texts/16.md says.

Each engine has one mistake of mutants.py; it learns the digits for twenty rounds, from three seeds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nets import digits

from .. import grade
from .mutants import MUTANTS, engine
from .steps import sections

EPOCHS, SEEDS = 20, (0, 1, 2)


def sources() -> Iterator[tuple[str, str]]:
    """The right engine, and three wrong ones, each under its name."""
    right = engine(sections())
    yield "right", right
    for name, step, part in (
        ("flipped kernels", 13, "w[:, :, ::-1, ::-1]"),
        ("one bias for all channels", 13, "tensor(b)[0]"),
        ("pools that pay each tie in full", 14, "most = cells.data =="),
    ):
        (mutant,) = [m for m in MUTANTS if m.step == step and part in m.new]
        yield name, right.replace(mutant.old, mutant.new)


def accuracy(source: str, seed: int, epochs: int = EPOCHS) -> float:
    """The share of the digits that were not shown that this engine reads in the end."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "engine.py")
        file.write_text(source, encoding="utf-8")
        built = grade.load(file)
    learn, test = digits()
    rng = np.random.default_rng(seed)
    model = built.LeNet(rng)
    built.train(model, learn.images, learn.labels, epochs, rng)
    return float(built.accuracy(model, test.images, test.labels))


def main() -> None:
    for name, source in sources():
        print(f"{name:<34}", *(f"{accuracy(source, seed):.1%}" for seed in SEEDS))


if __name__ == "__main__":
    main()
