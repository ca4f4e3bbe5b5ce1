"""The student's engine on the test bench: step by step, each under its laws.  (This runs in the worker's process.)"""

from __future__ import annotations

import functools
import inspect
import numbers
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from nets import digits

from .. import draw, grade, reading
from ..engine import Function, Watched
from ..grade import Verdict
from ..reading import Mistake
from . import bridge
from .laws.common import Law, at_most, demand, ready
from .steps import STEPS, Step

CASES = 60  # for each law: the mistakes that we know are seen after 4 of them, as a median, and after 32 at the latest


class NotWritten(AttributeError):
    """The engine does not define what a law asks for."""


# What each function of the engine gives: None if nobody looks at it; otherwise a Tensor.
GIVES: dict[str, Any] = {"history": Iterable, "gradients": list | tuple, "accuracy": float, "sgd": None, "train": None}


class Built:
    """The student's module as the laws see it: what is not defined yet, or gives something else, is said in words."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            value = getattr(self._module, name)
        except AttributeError:
            raise NotWritten(f"engine.py does not define {name} yet") from None
        return self._checked(name, value) if inspect.isfunction(value) else value

    def _checked(self, name: str, function: Function) -> Function:
        """The function, whose answer is looked at: a sentence now is better than an AttributeError later."""

        @functools.wraps(function)
        def ask(*args: Any, **settings: Any) -> Any:
            answer = function(*args, **settings)
            due = GIVES.get(name, self._module.Tensor)
            if due is None:
                return answer
            demand(answer is not None, f"{name} gives nothing: is a return missing?")
            words = {float: "a number", list | tuple: "a list", Iterable: "a list"}.get(due, "a Tensor")
            due = numbers.Real | np.ndarray if due is float else due
            demand(isinstance(answer, due), f"{name} gives a {type(answer).__name__}, and should give {words}")
            return answer

        return ask


def judge(law: Law, built: Any, path: Path, shrink: bool = False) -> Verdict:
    """A law on an engine; what NumPy says about shapes is told as it is."""
    with np.errstate(all="ignore"):
        for most in (1, 2) if shrink else ():  # Hypothesis shrinks numbers well, and sizes less well
            with at_most(most):
                verdict = grade.judge(ready(law), built, path)
            if not verdict.passed:
                break
        else:
            verdict = grade.judge(ready(law), built, path)
    return verdict._replace(message=str(verdict.error)) if isinstance(verdict.error, NotWritten) else verdict


def work(say: Any, request: dict[str, Any]) -> None:
    """The commands of the worker for the track `build`."""
    path = Path(request["file"])
    grade.use_settings(shrink=request["command"] in ("explain", "own"), examples=CASES)
    if request["command"] == "own":
        own(say, request)
        return
    sheet = reading.read(path)
    borrowed = reading.borrowed(sheet)
    if borrowed:
        raise Mistake(borrowed)
    if request["command"] == "grade":
        for remark in reading.remarks(sheet):
            say(remark=remark)
    built = Built(grade.load(path))
    if request["command"] == "reward":
        reward(say, built, Path(request["into"]))
        return
    for step in STEPS:
        for law in step.laws:
            if request["command"] == "explain":
                if law.__name__ == request["test"]:
                    tell(say, law, judge(law, built, path, shrink=True))
                continue
            if law.__name__ in request["skip"]:
                continue
            say(begin=law.__name__, against=str(step.number))
            verdict = judge(law, built, path)
            say(
                test=law.__name__,
                against=str(step.number),
                passed=verdict.passed,
                message=verdict.message,
                unwritten=step_is_open(step, built),
            )
            if not verdict.passed and step_is_open(step, built):
                return  # what comes later needs this step


def step_is_open(step: Step, built: Built) -> bool:
    """Whether nothing of the step is there yet: then nothing behind it is."""
    return not any(hasattr(built._module, name) for name in step.adds)


def tell(say: Any, law: Law, verdict: Verdict) -> None:
    text, svg = draw.of_verdict(law.__name__, verdict)
    say(message=verdict.message, text=text, svg=svg, why="")


def own(say: Any, request: dict[str, Any]) -> None:
    """The student's own properties, written for another engine, on the engine that the student built."""
    built = Built(grade.load(Path(request["file"])))
    engine = Watched(as_engine(built))
    path = Path(request["properties"])
    for test in grade.properties(grade.load(path)):
        if test.__name__ in request["skip"]:
            continue
        say(begin=test.__name__, against="your engine")
        verdict = grade.smallest(test, engine, path)
        lacks = isinstance(verdict.error, AttributeError) and "the engine has no" in str(verdict.error)
        say(test=test.__name__, against="your engine", passed=verdict.passed, message=verdict.message, lacks=lacks)


def as_engine(built: Built) -> Any:
    """The functions of chapter 6 as the student's engine offers them; a Tensor gets .size, .dtype and .item()."""
    tensor = built.Tensor
    for name, value in {
        "size": property(lambda t: t.data.size),
        "dtype": property(lambda t: t.data.dtype),
        "item": lambda t: t.data.item(),
    }.items():
        if not hasattr(tensor, name):
            setattr(tensor, name, value)
    functions = {
        "tensor": tensor,
        "subtract": lambda a, b: a - b,
        "maximum": lambda a, b: built.relu(built.tensor(a) - b) + b,
        "softmax": lambda x: built.exp(built.log_softmax(x)),
    }
    for name in ("add", "multiply", "mean", "gradients", "tanh", "take", "cross_entropy", "conv2d", "max_pool2d"):
        if hasattr(built, name):
            functions[name] = getattr(built, name)
    return SimpleNamespace(**functions)


def reward(say: Any, built: Built, into: Path) -> None:
    """Train the student's LeNet on the real digits with nothing but the student's engine; draw its graph and wires."""
    learn, test = digits()
    rng = np.random.default_rng(0)
    model = built.LeNet(rng)
    start = time.process_time()
    for epoch in range(1, 31):
        built.train(model, learn.images, learn.labels, 1, rng)
        share = float(built.accuracy(model, test.images, test.labels))
        say(epoch=epoch, accuracy=share, took=time.process_time() - start)
        if share >= 0.97 and epoch >= 3:
            break
    for name, figure in bridge.figures(built, model, test.images[:1], test.labels[:1]):
        figure.save(into / name)
        say(drawn=name)
