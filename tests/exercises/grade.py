"""Does a property hold for an engine?  And if not: for which case, in which line?"""

from __future__ import annotations

import ast
import functools
import inspect
import io
import linecache
import reprlib
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, errors, settings
from hypothesis.strategies import DataObject

from minitensor import Tensor

from .kit import ROUNDING, nearly

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
    """Whether a property held; if not what was raised, where, and what it was called with and printed last."""

    passed: bool
    message: str = ""
    case: dict[str, Any] | None = None
    error: BaseException | None = None
    printed: str = ""


# -- the student's file ------------------------------------------------------------------------------------------------


def load(path: Path) -> ModuleType:
    """The student's file as a module; Mistake if it cannot be run."""
    path = path.resolve()  # as tracebacks name it
    if not path.is_file():
        raise Mistake(f"there is no file {path}; `start` puts it there")
    module = ModuleType(f"exercise_{path.stem}")
    vars(module).update(__file__=str(path), _unequal_=unequal)
    linecache.checkcache(str(path))
    try:
        tree = ast.fix_missing_locations(BothSides().visit(ast.parse(path.read_bytes())))
        exec(compile(tree, str(path), "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        raise Mistake(f"{path.name}, line {error.lineno}: this is not Python yet: {error.msg}") from None
    except BaseException as error:
        raise Mistake(f"{where(error, path)}{type(error).__name__}: {error}") from None
    return module


def properties(module: ModuleType) -> list[Property]:
    """The functions of the module whose names begin with test_, in the order in which they are written."""
    found = [f for name, f in vars(module).items() if name.startswith("test_") and inspect.isfunction(f)]
    return [f for f in found if f.__module__ == module.__name__]


SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
SHORT = reprlib.Repr()
SHORT.maxother = 60


class BothSides(ast.NodeTransformer):
    """Lets a failing `assert a == b` tell its values: assert (_left_ := a) == (_right_ := b), _unequal_(...)."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        match node:
            case ast.Assert(test=ast.Compare(ops=[op], comparators=[right]) as test, msg=None) if type(op) in SIGNS:
                test.left = ast.NamedExpr(ast.Name("_left_", ast.Store()), test.left)
                test.comparators = [ast.NamedExpr(ast.Name("_right_", ast.Store()), right)]
                sides = [ast.Name("_left_", ast.Load()), ast.Constant(SIGNS[type(op)]), ast.Name("_right_", ast.Load())]
                node.msg = ast.Call(ast.Name("_unequal_", ast.Load()), sides, [])
        return node


def unequal(left: Any, sign: str, right: Any) -> str:
    """What a comparison that fails says; and which comparison was meant, where that is plain."""
    left, right = (side.item() if isinstance(side, np.generic) else side for side in (left, right))
    text = f"this does not hold: {SHORT.repr(left)} {sign} {SHORT.repr(right)}"
    if Tensor in (type(left), type(right)):
        return f"{text} (a Tensor equals itself alone: compare the numbers with same(a, b))"
    if sign == "==" and repr(left) == repr(right) == "nan":
        return f"{text} (NaN does not equal itself: ask np.isnan(a), or same(a, b))"
    if sign == "==" and nearly(left, right):
        return f"{text} ({ROUNDING})"
    return text


def asserts(test: Property) -> bool:
    """Whether the property has an assert, or calls what may have one: same, close, or a helper of its file."""
    body = getattr(getattr(test, "hypothesis", None), "inner_test", test)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(body)))):
        match node:
            case ast.Assert() | ast.Raise() | ast.With():
                return True
            case ast.Call(func=ast.Name(name)):
                helper = body.__globals__.get(name)
                if name in ("same", "close") or getattr(helper, "__module__", "") == body.__module__:
                    return True
    return False


# -- verdicts ----------------------------------------------------------------------------------------------------------


def judge(test: Property, subject: Any, path: Path | None = None) -> Verdict:
    """Run one property against one engine (or a law against an operator); whatever it raises is a verdict.

    path is the student's file, where lines are quoted from; that of the property, if not given.
    """
    path = path or Path(inspect.getsourcefile(inspect.unwrap(test)) or "")
    arguments = list(inspect.signature(test).parameters.values())
    if not arguments:
        return Verdict(False, f"it needs an argument for the engine: def {test.__name__}(engine, ...)")
    undrawn = [a.name for a in arguments[1:] if a.default is a.empty and a.kind is a.POSITIONAL_OR_KEYWORD]
    if undrawn:
        drawing = ", ".join(f"{name}=..." for name in undrawn)
        return Verdict(False, f"nothing draws {' and '.join(undrawn)}: put @given({drawing}) above the function")
    with recorded(test) as (calls, printed), redirect_stdout(printed):
        try:
            test(subject)
        except errors.Unsatisfiable:
            return Verdict(False, "not one case passed its own assumptions: build valid cases instead of filtering")
        except errors.FailedHealthCheck:
            return Verdict(False, "nearly every case is thrown away again: build valid cases instead of filtering")
        except errors.Flaky:
            return Verdict(False, "it fails and passes with the same case: something in it is left to chance")
        except errors.InvalidArgument as error:
            told = str(error).splitlines()[0].split(", from `")[0]  # what follows are lines of Hypothesis
            return Verdict(
                False, f"{where(error, path) if calls else ''}Hypothesis does not accept its arguments: {told}"
            )
        except BaseException as error:
            # A wrong name or type is wrong for every case, so there is no case to show.
            case = calls[-1] if calls and not isinstance(error, NameError | TypeError | AttributeError) else None
            return Verdict(False, where(error, path) + describe(error), case, error, printed.getvalue())
    return Verdict(True)


@contextmanager
def recorded(test: Property) -> Iterator[tuple[list[dict[str, Any]], io.StringIO]]:
    """The arguments of the last call that Hypothesis makes, which is the smallest case that fails; and what it prints.

    What the call draws itself, with data.draw, is put beside its arguments.
    """
    calls: list[dict[str, Any]] = []
    printed = io.StringIO()
    handle = getattr(test, "hypothesis", None)
    if handle is None:  # a plain function: an example test
        yield calls, printed
        return
    body = handle.inner_test
    subject = next(iter(inspect.signature(body).parameters))

    @functools.wraps(body)
    def note(*args: Any, **kwargs: Any) -> Any:
        printed.seek(0)
        printed.truncate()
        case = {name: value for name, value in kwargs.items() if name != subject}
        calls[:] = [case]
        for value in list(case.values()):
            if isinstance(value, DataObject):
                note_draws(value, case)
        return body(*args, **kwargs)

    handle.inner_test = note
    try:
        yield calls, printed
    finally:
        handle.inner_test = body


def note_draws(data: Any, case: dict[str, Any]) -> None:
    """Let data.draw put what it draws into the case, by its label or number."""
    draw = data.draw

    def noted(strategy: Any, label: Any = None) -> Any:
        value = draw(strategy, label)
        case[f"draw {data.count}" if label is None else str(label)] = value
        return value

    data.draw = noted


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
    if isinstance(error, ValueError) and text and text[0].startswith("The truth value of an array"):
        return "== compares arrays cell by cell: compare them as a whole with same(a, b), or close(a, b)"
    return f"{type(error).__name__}: {text[0] if text else ''}"
