"""Why a property sees a bug and its example does not: what each asks, and what the right and the wrong engine answer.

The smallest case is run again on both engines, with the same numbers; the first question with different answers is the
one that matters.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from hypothesis.strategies import DataObject

from minitensor import Tensor

from . import grade
from .engine import ENGINE, Asked, Bug, Engine, Recorded
from .kit import values


class Replay:
    """Stands for st.data(): draws what was drawn before."""

    def __init__(self, drawn: list[Any]) -> None:
        self.rest = iter(drawn)

    def draw(self, strategy: Any, label: Any = None) -> Any:
        return next(self.rest)


def why(test: grade.Property, bug: Bug, case: Mapping[str, Any]) -> str:
    """What the example asks, what the property asks in this case, and the answers: a sentence each."""
    return "\n".join([*of_the_example(bug), *of_the_property(test, bug, case)])


def of_the_example(bug: Bug) -> Iterator[str]:
    recorded = Recorded(bug.engine)
    bug.survives(recorded)
    touched = [asked for asked in recorded.asked if asked.name in bug.changes]
    if touched:
        yield f"The example asks {question(touched[0])}, where the bug answers as it should."


def of_the_property(test: grade.Property, bug: Bug, case: Mapping[str, Any]) -> Iterator[str]:
    right, wrong = (run(test, case, engine) for engine in (ENGINE, bug.engine))
    for a, b in zip(right, wrong, strict=False):
        if not alike(a.answer, b.answer):
            yield f"Your property asks {question(b)}: {answer(a.answer)} is right, and the bug says {answer(b.answer)}."
            return


def run(test: grade.Property, case: Mapping[str, Any], engine: Engine) -> list[Asked]:
    """What the property asks of this engine for this case, until it fails or ends."""
    recorded = Recorded(engine)
    body = grade.body_of(test)
    parameters = inspect.signature(body).parameters
    drawn = [grade.kept(value) for name, value in case.items() if name not in parameters]
    arguments = {
        name: Replay(drawn) if isinstance(value, DataObject) else grade.kept(value)
        for name, value in case.items()
        if name in parameters
    }
    try:
        body(recorded, **arguments)
    except Exception:
        return recorded.asked  # as it should, for the bug
    return recorded.asked


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, Exception) or isinstance(b, Exception):
        return isinstance(a, Exception) and isinstance(b, Exception)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    try:
        x, y = values(a), values(b)
        return x.shape == y.shape and bool(np.allclose(x, y, equal_nan=True)) and kind(a) == kind(b)
    except (TypeError, ValueError):
        return True  # a model: its numbers are asked for later


def kind(x: Any) -> Any:
    return x.dtype if isinstance(x, Tensor | np.ndarray) else None


def question(asked: Asked) -> str:
    parts = [shown(x) for x in asked.args] + [f"{name}={shown(x)}" for name, x in asked.settings.items()]
    return f"{asked.name}({', '.join(parts)})"


def answer(x: Any) -> str:
    return f"a {type(x).__name__}" if isinstance(x, Exception) else shown(x)


def shown(x: Any) -> str:
    """Small things in full, arrays by their shape."""
    if isinstance(x, list | tuple) and len(x) < 5:
        inner = ", ".join(map(shown, x))
        return f"({inner})" if isinstance(x, tuple) else f"[{inner}]"
    if isinstance(x, Tensor | np.ndarray):
        numbers = np.asarray(values(x))
        return repr(numbers.tolist()) if numbers.size <= 4 else f"<{' x '.join(map(str, numbers.shape))}>"
    return grade.SHORT.repr(x)
