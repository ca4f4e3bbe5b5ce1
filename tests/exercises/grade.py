"""Does a property hold for an engine?  And if not: for which case, in which line?

The cases depend on nothing but the seeds below, so that the name and the words of a property change nothing.
"""

from __future__ import annotations

import ast
import functools
import inspect
import io
import itertools
import linecache
import reprlib
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, errors, seed, settings
from hypothesis.strategies import DataObject

from minitensor import Tensor

from . import reading
from .kit import ROUNDING, nearly, small, values
from .reading import Mistake, place_of

Property = Callable[..., Any]

# A property is credited for what it sees, so it must first hold in many cases: 360 for the right engine and for each
# legal variant, in three independent runs.  A bug has 120.
CASES = 120
SEEDS = (0, 1, 2)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors]


def use_settings(shrink: bool, examples: int = CASES) -> None:
    """So many cases for each seed; shrinking takes most of the time, so it is done only for what is shown."""
    settings.register_profile(
        "exercises",
        max_examples=examples,
        derandomize=False,  # that would draw other cases for another name; `judge` sets the seed
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=QUIET,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink else [])],
    )
    settings.load_profile("exercises")


class Verdict(NamedTuple):
    """Whether a property held; if not what was raised, where, and what it was called with and printed last."""

    passed: bool
    message: str = ""
    case: dict[str, Any] | None = None  # the arguments that take part, then what the failing statement reads
    error: BaseException | None = None
    printed: str = ""
    arguments: dict[str, Any] | None = None  # of the same call, all of them, then what it drew inside


# -- the student's file ------------------------------------------------------------------------------------------------


def load(path: Path) -> ModuleType:
    """The student's file as a new module, so that nothing is left of an earlier one; Mistake if it cannot be run."""
    path = path.resolve()  # as tracebacks name it
    sheet = reading.read(path)
    module = ModuleType(f"exercise_{path.stem}")
    vars(module).update(__file__=str(path), _unequal_=unequal)
    linecache.checkcache(str(path))
    profile = settings.get_current_profile_name()
    try:
        exec(compiled("\n".join(sheet.lines), str(path)), vars(module))
    except ModuleNotFoundError as error:
        near = " (what you need is in tests.exercises.kit)" if "kit" in str(error.name) else ""
        raise Mistake(f"{where(error, path)}ModuleNotFoundError: {error}{near}") from None
    except BaseException as error:
        raise Mistake(f"{where(error, path)}{type(error).__name__}: {error}") from None
    finally:
        settings.load_profile(profile)  # how many cases are tried is not for the file to say
    return module


@functools.lru_cache(maxsize=4)
def compiled(text: str, name: str) -> CodeType:
    tree = ast.fix_missing_locations(BothSides().visit(ast.parse(text)))
    return compile(tree, name, "exec", dont_inherit=True)


def properties(module: ModuleType) -> list[Property]:
    """The functions of the module whose names begin with test_, in the order in which they are written."""
    found = [f for name, f in vars(module).items() if name.startswith("test_") and inspect.isfunction(f)]
    return [f for f in found if f.__module__ == module.__name__]


SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
         ast.Is: "is", ast.IsNot: "is not"}  # fmt: skip
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
    if sign == "is" and type(left) is type(right) and SHORT.repr(left) == SHORT.repr(right):
        return f"{text} (`is` asks whether both are one and the same object: write ==)"
    if sign == "==" and nearly(left, right):
        return f"{text} ({ROUNDING})"
    return text


def asserts(test: Property) -> bool:
    """Whether the property has an assert, or calls what may have one: same, close, or a helper of its file."""
    body = body_of(test)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(body)))):
        match node:
            case ast.Assert() | ast.Raise() | ast.With():
                return True
            case ast.Call(func=ast.Name(name)):
                helper = body.__globals__.get(name)
                if name in ("same", "close") or getattr(helper, "__module__", "") == body.__module__:
                    return True
    return False


def body_of(test: Property) -> Property:
    """The function as the student wrote it, without @given."""
    return getattr(getattr(test, "hypothesis", None), "inner_test", test)


# -- verdicts ----------------------------------------------------------------------------------------------------------


class Said(AssertionError):
    """A sentence about the form of a property, whatever the case."""


NO_CASES = (
    "not one case passed its own assumptions: build valid cases instead of filtering",
    "nearly every case is thrown away again: build valid cases instead of filtering",
)
HEALTH = {
    "filtering out": NO_CASES[1],
    "smallest natural input": "its cases are too large to be tried, the smallest too: draw shorter lists and arrays",
    "Nesting @given": "a @given stands within another: draw inside with data.draw(...)",
    "function-scoped": "it takes a fixture that pytest makes anew for each case: draw it with @given",
}


def judge(test: Property, subject: Any, path: Path | None = None, seeds: Sequence[int] = SEEDS[:1]) -> Verdict:
    """Run one property against one engine (or a law against an operator); whatever it raises is a verdict.

    path is the student's file, where lines are quoted from; that of the property, if not given.  Each seed is a run of
    its own; the first that fails is the verdict.
    """
    path = path or Path(inspect.getsourcefile(inspect.unwrap(test)) or "")
    told = misformed(test)
    if told:
        return Verdict(False, told)
    drawn = hasattr(test, "hypothesis")
    for number in seeds if drawn else seeds[:1]:
        verdict = once(seed(number)(test), subject, path)
        if not verdict.passed:
            return verdict
    return Verdict(True)


def misformed(test: Property) -> str:
    """What is wrong with a property before any case is tried, or an empty text."""
    if not inspect.isfunction(test):
        return "it is no function any more: is it @given(...), with brackets and what is to be drawn?"
    arguments = list(inspect.signature(test).parameters.values())
    names = list(inspect.signature(body_of(test)).parameters)
    if "engine" in names[1:]:
        return f"the engine comes first: def {test.__name__}(engine, ...)"
    if not arguments:
        return f"it needs an argument for the engine: def {test.__name__}(engine, ...)"
    undrawn = [a.name for a in arguments[1:] if a.default is a.empty and a.kind is a.POSITIONAL_OR_KEYWORD]
    if undrawn:
        drawing = ", ".join(f"{name}=..." for name in undrawn)
        return f"nothing draws {' and '.join(undrawn)}: put @given({drawing}) above the function"
    return reading.broken_form(tree_of(body_of(test)))


def tree_of(function: Property) -> ast.AST:
    """The tree of a function that was written in a file, with the file's line numbers."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError):
        return ast.Pass()  # made by a program: nothing to read
    return ast.increment_lineno(tree, first - 1)


def once(test: Property, subject: Any, path: Path) -> Verdict:
    """One run: many cases with one seed, or a single call of what draws none."""
    with recorded(test) as (calls, printed), redirect_stdout(printed):
        try:
            no_result(test(subject))
        except errors.Unsatisfiable:
            return Verdict(False, NO_CASES[0])
        except errors.FailedHealthCheck as error:
            text = str(error)
            return Verdict(False, next((HEALTH[part] for part in HEALTH if part in text), text.splitlines()[0]))
        except errors.Flaky:
            return Verdict(False, "it fails and passes with the same case: something in it is left to chance, or kept")
        except errors.InvalidArgument as error:
            told = str(error).splitlines()[0].split(", from `")[0]  # what follows are lines of Hypothesis
            if "<function" in told:
                told = f"{told.partition(' but got')[0]}, and got a function: call it, as in @given(lines())"
            return Verdict(
                False, f"{where(error, path) if calls else ''}Hypothesis does not accept its arguments: {told}"
            )
        except BaseException as error:
            # A wrong name or type is wrong for every case, so there is no case to show.
            telling = not isinstance(error, NameError | TypeError | AttributeError | Said)
            arguments = calls[-1] if calls else {}
            case = shown(test, arguments, error, path) if telling else None
            place = where(error, path)
            told = place + describe(error, place.partition("\n")[0])
            return Verdict(False, told, case, error, printed.getvalue(), arguments)
    return Verdict(True)


def smallest(test: Property, subject: Any, path: Path | None = None, seeds: Sequence[int] = SEEDS) -> Verdict:
    """As judge, but first with one image, one channel and one group, then with a little more, until it fails.

    Hypothesis shrinks numbers well, and a size less well, since another size wants other numbers.
    """
    for most in ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)):
        with small(*most):
            verdict = judge(test, subject, path, seeds[:1])
        if not verdict.passed:
            return verdict
    return judge(test, subject, path, seeds)


def no_result(result: Any) -> None:
    """A property returns nothing: what it returns is looked at by nobody."""
    if result is not None:
        raise Said(f"it returns {SHORT.repr(result)}, and nobody looks at that: write assert in place of return")


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
    def note(*args: Any, **kwargs: Any) -> None:
        printed.seek(0)
        printed.truncate()
        case = {name: kept(value) for name, value in kwargs.items() if name != subject}
        calls[:] = [case]
        for value in list(case.values()):
            if isinstance(value, DataObject):
                note_draws(value, case)
        no_result(body(*args, **kwargs))

    handle.inner_test = note
    try:
        yield calls, printed
    finally:
        handle.inner_test = body


def kept(value: Any) -> Any:
    """A value as it is now: a property may write into the arrays that it got."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return value._make(map(kept, value)) if hasattr(value, "_make") else value


def note_draws(data: Any, case: dict[str, Any]) -> None:
    """Let data.draw put what it draws into the case, by its label or number; in a loop, each by itself."""
    draw = data.draw

    def noted(strategy: Any, label: Any = None) -> Any:
        value = draw(strategy, label)
        name = f"draw {data.count}" if label is None else str(label)
        case[name if name not in case else f"{name} ({data.count})"] = kept(value)
        return value

    data.draw = noted


# -- what is told of a failure -----------------------------------------------------------------------------------------


def shown(test: Property, arguments: dict[str, Any], error: BaseException, path: Path) -> dict[str, Any]:
    """What takes part in a failure: the arguments that the property mentions, and what the failing statement reads."""
    function = tree_of(body_of(test))
    used = reading.parts_used(function)
    case = {}
    for name, value in arguments.items():
        parts = used.get(name, None if name not in inspect.signature(body_of(test)).parameters else set())
        if parts is None or parts:
            case[name] = Part(value, parts) if parts and hasattr(value, "_fields") else value
    arrays = [a for value in case.values() for a in arrays_of(value)]
    for name, value in locals_of(error, path).items():
        known = any(a.ndim and np.array_equal(a, other) for a in arrays_of(value) for other in arrays)
        if name not in case and not known:
            case[name] = value
    return case


def arrays_of(value: Any) -> list[np.ndarray]:
    """The arrays that are shown of a value."""
    if isinstance(value, Part):
        return [np.asarray(x) for x in (getattr(value.whole, p) for p in value.parts) if isinstance(x, np.ndarray)]
    if hasattr(value, "_fields"):
        return [x for x in value if isinstance(x, np.ndarray)]
    return [values(value)] if isinstance(value, np.ndarray | Tensor) else []


class Part(NamedTuple):
    """A value of which only some attributes took part."""

    whole: Any
    parts: set[str]


def locals_of(error: BaseException, path: Path) -> dict[str, Any]:
    """The numbers and arrays that the failing statement of the student's file reads, by their names."""
    frame, number = last_frame(error, path)
    if frame is None:
        return {}
    try:
        tree = ast.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, SyntaxError, ValueError):
        return {}
    names = [name for name in reading.names_at(tree, number) if name in frame.f_locals]
    return {name: frame.f_locals[name] for name in names if is_shown(frame.f_locals[name])}


def is_shown(value: Any) -> bool:
    """Numbers, arrays, Tensors, and short lists of them."""
    if isinstance(value, list | tuple):
        return len(value) < 20 and all(map(is_shown, value))
    return isinstance(value, bool | int | float | str | np.ndarray | np.generic | Tensor)


class Step(NamedTuple):
    """A frame of the student's file on the way to an error: its line, and the part of the line that was computed."""

    frame: FrameType
    number: int
    part: str


def steps_of(error: BaseException, path: Path) -> list[Step]:
    """The way to the error through the student's file; what Hypothesis runs under the same name is no part of it."""
    steps = []
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_filename == str(path) == frame.f_globals.get("__file__"):
            at = next(itertools.islice(frame.f_code.co_positions(), trace.tb_lasti // 2, None))
            steps.append(Step(frame, trace.tb_lineno, part_of(path, *at)))
        trace = trace.tb_next
    return steps


def part_of(path: Path, first: int | None, last: int | None, begin: int | None, end: int | None) -> str:
    """What stands in one line between two columns, which are counted in bytes; an empty text if it is not one line."""
    if first is None or first != last:
        return ""
    return linecache.getline(str(path), first).encode()[begin:end].decode(errors="replace")


def last_frame(error: BaseException, path: Path) -> tuple[FrameType | None, int]:
    """The last frame of the student's file on the way to the error, and its line."""
    steps = steps_of(error, path)
    return (steps[-1].frame, steps[-1].number) if steps else (None, 0)


MOST_CALLS = 5


def where(error: BaseException, path: Path) -> str:
    """The last line of the student's file on the way to the error; then what in the file called it, part by part."""
    lines = [line.rstrip("\n") for line in linecache.getlines(str(path))]
    told = []
    for _, number, part in reversed(steps_of(error, path)[-MOST_CALLS:]):
        line = linecache.getline(str(path), number).strip()
        if told:
            told.append(f"  called in {place_of(lines, number)}: {part or line}\n")
        else:
            told.append(f"{path.name}, {place_of(lines, number)}: {line}\n")
    return "".join(told)


def describe(error: BaseException, line: str = "") -> str:
    """What an error says, in our words where it is a mistake that many make; line is where it was raised."""
    text = str(error).strip().splitlines()
    if isinstance(error, AssertionError):
        return text[0] if text and not text[0].startswith("assert") else "this does not hold"
    if isinstance(error, ValueError) and text and text[0].startswith("The truth value of an array"):
        if "==" in line:
            return "== compares arrays cell by cell: compare them as a whole with same(a, b), or close(a, b)"
        return "an array of several cells is neither true nor false: ask `is None`, np.any(...) or np.all(...)"
    if text and text[0] in ("'Tensor' object is not iterable", "'function' object is not iterable"):
        return f"TypeError: {text[0]} (a tuple of one is written (x,), and (x) is x)"
    if isinstance(error, AttributeError) and text and text[0].startswith("can't set attribute"):
        return f"AttributeError: {text[0]} (what is drawn stays as it is; line._replace(n=5) makes another)"
    return f"{type(error).__name__}: {text[0] if text else ''}"
