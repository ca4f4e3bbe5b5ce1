"""Values without recipes.

What you can do here: stop recording with `no_grad`, in a block or in a function.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import coroutine
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

RECORDING: ContextVar[bool] = ContextVar("recording", default=True)  # each thread and each task has its own
_AROUND: ContextVar[tuple[bool, ...]] = ContextVar(
    "around", default=()
)  # what held outside of each block, outermost first


@contextmanager
def recording(on: bool) -> Iterator[None]:
    """Within the block recipes are kept, or not, whatever is the case around it."""
    before = RECORDING.set(on)
    try:
        yield
    finally:
        RECORDING.reset(before)


class no_grad:
    """Compute values only: within the block, or the function that it decorates, no recipes are kept.

    A generator or a coroutine that it decorates keeps none while it runs; while it waits, its caller does as before.
    (A `with no_grad():` inside a generator of your own holds until the generator leaves it, also for its caller.)

    >>> from minitensor import Tensor
    >>> x = Tensor(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.inputs
    ()
    """

    def __enter__(self) -> None:
        _AROUND.set((*_AROUND.get(), RECORDING.get()))
        RECORDING.set(False)

    def __exit__(self, *error: object) -> None:
        *further, before = _AROUND.get()
        _AROUND.set(tuple(further))
        RECORDING.set(before)

    def __call__(self, function: Function) -> Function:
        """The function, recording nothing."""

        def call(*args: Any, **settings: Any) -> Any:
            with recording(False):
                return function(*args, **settings)

        def generate(*args: Any, **settings: Any) -> Generator[Any, Any, Any]:
            return (yield from _stepwise(function(*args, **settings)))

        async def run(*args: Any, **settings: Any) -> Any:
            return await _awaited(function(*args, **settings))

        async def generate_async(*args: Any, **settings: Any) -> AsyncGenerator[Any, None]:
            steps = function(*args, **settings)
            step = steps.__anext__()
            while True:
                try:
                    result = await _awaited(step)
                except StopAsyncIteration:
                    return
                try:
                    step = steps.asend((yield result))
                except BaseException as error:  # also GeneratorExit: it ends what is within
                    step = steps.athrow(error)

        kinds: list[tuple[Callable[[object], bool], Callable[..., Any]]] = [
            (inspect.isasyncgenfunction, generate_async),
            (inspect.iscoroutinefunction, run),
            (inspect.isgeneratorfunction, generate),
        ]
        wrapper = next((wrapper for is_kind, wrapper in kinds if is_kind(function)), call)
        return cast(Function, wraps(function)(wrapper))


def _stepwise(steps: Any) -> Generator[Any, Any, Any]:
    """Go through a generator or a coroutine, and record nothing while it runs."""
    resume, value = steps.send, None
    while True:
        try:
            with recording(False):
                result = resume(value)
        except StopIteration as end:
            return end.value
        try:
            resume, value = steps.send, (yield result)
        except BaseException as error:  # also GeneratorExit: it ends what is within
            resume, value = steps.throw, error


_awaited = coroutine(_stepwise)
