"""What is said to who makes an operator, asks for a derivative, or hands a Tensor to a function of NumPy's.

What you can do here: check a function and its rules, the Tensors to differentiate by, a seed and a share; and name the
way out of NumPy.
"""

from __future__ import annotations

import inspect
import reprlib
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NoReturn

from . import Sizes, is_tensor

# -- operators ---------------------------------------------------------------------------------------------------------


def no_rule(name: str, i: int) -> Callable[..., Any]:
    """What an operator without rules says when it is asked for one."""
    raise NotImplementedError(f"{name} has no derivative yet: give it one with {name}.defvjp(...)")


def input_names(function: Callable[..., Any]) -> frozenset[str]:
    """The names of a function's inputs, which are given by position; TypeError if it is no function with a name."""
    if not callable(function):
        raise TypeError(f"an operator is made of a NumPy function, got {function!r}")
    if not hasattr(function, "__name__"):  # as of functools.partial
        raise TypeError(f"an operator needs a name: wrap this in a def, got {function!r}")
    code = getattr(function, "__code__", None)
    return frozenset(code.co_varnames[: code.co_argcount]) if code is not None else frozenset()


def check_rules(name: str, function: Callable[..., Any], count: int) -> None:
    """ValueError unless there are as many rules as inputs."""
    code = getattr(function, "__code__", None)  # a NumPy function has none, but most say their number of inputs
    if code is not None and code.co_flags & inspect.CO_VARARGS:
        raise ValueError(f"{name} takes any number of inputs: give it one rule for all with defvjp_each")
    inputs = getattr(function, "nin", count) if code is None else code.co_argcount
    if count != inputs:
        raise ValueError(f"{name} has {inputs} inputs, and was given {count} rules")


def refuse_settings(name: str, inputs: Collection[str], settings: Mapping[str, Any]) -> NoReturn:
    """TypeError for inputs given by name, or else for settings that are Tensors; with the names of these alone."""
    if by_name := [setting for setting in settings if setting in inputs]:
        raise TypeError(f"{name} takes Tensors by position, not as {', '.join(by_name)}=...")
    tensors = ", ".join([setting for setting, value in settings.items() if is_tensor(value)])
    raise TypeError(
        f"{name}: the setting {tensors} is a Tensor, and settings have no derivative; give a number, as t.item()"
    )


def check_call(name: str, function: Callable[..., Any], count: int) -> None:
    """TypeError, in words of ours, for more inputs than the function takes."""
    code = getattr(function, "__code__", None)
    if code is None or count <= code.co_argcount or code.co_flags & inspect.CO_VARARGS:
        return
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    by_name = f"; settings are given by name ({', '.join(names)})" if names else ""
    raise TypeError(f"{name} has {code.co_argcount} inputs, and was given {count}{by_name}") from None


# -- derivatives -------------------------------------------------------------------------------------------------------


def check_tensor(x: Any, what: str) -> None:
    """TypeError unless x is a Tensor; what says so, with {} for the type that it is of."""
    if not is_tensor(x):
        raise TypeError(what.format(type(x).__name__))


def tensors_in(tensors: Any, name: str = "wrt", example: str = "gradients(y, [x])") -> list[Any]:
    """Several Tensors, such as those by which to differentiate, as a list; TypeError for anything else."""
    xs = list(tensors) if isinstance(tensors, Iterable) and not is_tensor(tensors) else [None]
    if not all(map(is_tensor, xs)):
        raise TypeError(f"{name} must be a list of Tensors, as in {example}, got {reprlib.repr(tensors)}")
    return xs


def check_seed(seed: Sizes, output: Sizes) -> None:
    """ValueError unless a seed has the shape of the output."""
    if seed != output:
        raise ValueError(f"the seed has shape {seed}, the output {output}; they must be the same")


def check_fits(share: Sizes, x: Sizes) -> None:
    """ValueError unless an input of shape x broadcasts to the shape of its gradient."""
    new = len(share) - len(x)
    if new < 0 or any(n not in (1, m) for n, m in zip(x, share[new:], strict=True)):
        raise ValueError(f"a gradient of shape {share} does not fit an input of shape {x}")


def named_error(error: Exception, where: str) -> Exception:
    """The same kind of error, with the place that it comes from."""
    if type(error) in (TypeError, ValueError):
        return type(error)(f"{where}: {error}")
    error.add_note(f"in {where}")
    return error


# -- NumPy's functions -------------------------------------------------------------------------------------------------


def way_out(name: str | None) -> TypeError:
    """What to write in place of a NumPy function, which would lose the graph of a Tensor."""
    if name is None:  # NumPy does not always say which one it was
        return TypeError(
            "NumPy's functions would lose the graph of a Tensor: use minitensor's function of the same name, or x.data "
            "for the value alone"
        )
    ours = {"absolute": "abs"}.get(name, name)
    known = hasattr(sys.modules["minitensor"], ours)
    instead = f"use minitensor.{ours}" if known else "minitensor has no function of this name"
    return TypeError(f"numpy.{name} would lose the graph of a Tensor: {instead}, or x.data for the value alone")


ASK_FOR_THE_VALUE = {
    "allclose", "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "can_cast", "copy",
    "isclose", "iscomplexobj", "isrealobj", "may_share_memory", "ndim", "result_type", "save", "savetxt", "savez",
    "savez_compressed", "shape", "shares_memory", "size",
}  # fmt: skip
