"""Does a property hold for an engine?  And if not: for which case, in which line?"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import linecache
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, errors, settings

Property = Callable[..., Any]

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors]


def use_settings(shrink: bool, examples: int = 60) -> None:
    """Few cases, the same at each run; shrinking takes most of the time, so it is done only for what is shown."""
    settings.register_profile(
        "exercises",
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=QUIET,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])],
    )
    settings.load_profile("exercises")


class Mistake(Exception):
    """Something is wrong with the student's file, told in words for the student."""


class Verdict(NamedTuple):
    """Whether a property held; if not what was raised, where, and the arguments that it was called with last."""

    passed: bool
    message: str = ""
    case: dict[str, Any] | None = None
    error: BaseException | None = None


def load(path: Path) -> ModuleType:
    """The student's file as a module; Mistake if it cannot be run."""
    path = path.resolve()  # as tracebacks name it
    spec = importlib.util.spec_from_file_location(f"exercise_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise Mistake(f"there is no file {path}; `start` puts it there")
    module = importlib.util.module_from_spec(spec)
    linecache.checkcache(str(path))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise Mistake(f"{path.name}, line {error.lineno}: this is not Python yet: {error.msg}") from None
    except BaseException as error:
        raise Mistake(f"{where(error, path)}{type(error).__name__}: {error}") from None
    return module


def properties(module: ModuleType) -> list[Property]:
    """The functions of the module whose names begin with test_, in the order in which they are written."""
    found = [f for name, f in vars(module).items() if name.startswith("test_") and inspect.isfunction(f)]
    return [f for f in found if f.__module__ == module.__name__]


def judge(test: Property, subject: Any, path: Path | None = None) -> Verdict:
    """Run one property against one engine (or a law against an operator); whatever it raises is a verdict.

    path is the student's file, where lines are quoted from; that of the property, if not given.
    """
    path = path or Path(inspect.getsourcefile(inspect.unwrap(test)) or "")
    if not inspect.signature(test).parameters:
        return Verdict(False, f"it needs an argument for the engine: def {test.__name__}(engine, ...)")
    with recorded(test) as calls:
        try:
            test(subject)
        except errors.Unsatisfiable:
            return Verdict(False, "not one case passed its own assumptions: build valid cases instead of filtering")
        except errors.FailedHealthCheck:
            return Verdict(False, "nearly every case is thrown away again: build valid cases instead of filtering")
        except errors.Flaky:
            return Verdict(False, "it fails and passes with the same case: something in it is left to chance")
        except errors.InvalidArgument as error:
            return Verdict(False, f"Hypothesis does not accept its arguments: {str(error).splitlines()[0]}")
        except BaseException as error:
            return Verdict(False, where(error, path) + describe(error), calls[-1] if calls else None, error)
    return Verdict(True)


@contextmanager
def recorded(test: Property) -> Iterator[list[dict[str, Any]]]:
    """The arguments of each call that Hypothesis makes; the last is the smallest case that fails."""
    calls: list[dict[str, Any]] = []
    handle = getattr(test, "hypothesis", None)
    if handle is None:  # a plain function: an example test
        yield calls
        return
    body = handle.inner_test
    subject = next(iter(inspect.signature(body).parameters))

    @functools.wraps(body)
    def note(*args: Any, **kwargs: Any) -> Any:
        calls[:] = [{name: value for name, value in kwargs.items() if name != subject}]
        return body(*args, **kwargs)

    handle.inner_test = note
    try:
        yield calls
    finally:
        handle.inner_test = body


def where(error: BaseException, path: Path) -> str:
    """The last line of the student's file on the way to the error."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    if not frames:
        return ""
    line = linecache.getline(str(path), frames[-1].lineno or 0).strip()
    return f"{path.name}, line {frames[-1].lineno}: {line}\n"


def describe(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    if isinstance(error, AssertionError):
        return text[0] if text and not text[0].startswith("assert") else "this does not hold"
    return f"{type(error).__name__}: {text[0] if text else ''}"
