"""micrograd: single Python numbers, so the chain is all that it can be asked for."""

from __future__ import annotations

import numpy as np
from micrograd.engine import Value

from ..tasks import Step


def train(*_):
    raise NotImplementedError("it has single numbers only")


differentiate = train


def chain(length: int) -> Step:
    a, b = Value(-1.0), Value(1.0)

    def step():
        y = x = Value(0.5)  # a new one each time, since gradients add up from step to step
        for _ in range(length // 2):
            y = y * a
            y = y + b
        y.backward()
        return [y.data, x.grad]

    return step


def array(result: float) -> np.ndarray:
    return np.asarray(result)
