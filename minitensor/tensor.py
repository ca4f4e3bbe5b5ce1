"""A value and the recipe that made it.

What you can do here: make a `Tensor`, and turn a NumPy function into an operator on Tensors with `primitive`.

A Tensor holds an array and, if an operator made it, the recipe `(primitive, inputs, params)`; params are its settings:

    y = tanh(x)             y.primitive.name == "tanh",  y.inputs == (x,),  y.params == {}
    s = sum(y, axis=0)      s.primitive.name == "sum",   s.inputs == (y,),  s.params == {"axis": (0,), ...}

Beside its recipe a Tensor has a birth number, larger than those of its inputs; nothing else is recorded.  From these
alone `backprop.py` computes derivatives of any order, `formula` prints mathematics, and `viz` draws graphs.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType, MethodType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .checks import DEFAULT_FLOAT, Axis, float_dtype
from .checks.operators import check_call, check_rules, input_names, no_rule, refuse_settings
from .recording import RECORDING
from .value import FLOAT_SCALARS, Value, as_floats, deep_copy, frozen, own_floats
from .value import Array as Array

Operand: TypeAlias = "Tensor | npt.ArrayLike"
Rule: TypeAlias = "Callable[..., Tensor]"

# fmt: off

_births = itertools.count()  # a Tensor is born after its inputs: the order that backpropagation needs

class Primitive:
    """An operator: a NumPy function, and for each of its inputs a rule that takes a gradient back through it.

    Made by `primitive`; called with Tensors (positional) and settings (keyword-only).  `definition` is the function as
    it is written; `function` is the one that runs: the same, or a quicker one of the same value up to rounding.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.input_names = input_names(function)
        self.function = self.definition = self.__wrapped__ = function
        self.name = function.__name__.lstrip("_")  # the primitive behind the public function `where` is `_where`
        self.defaults: Mapping[str, Any] = getattr(function, "__kwdefaults__", None) or {}
        self.vjp: Callable[[int], Rule | None] = partial(no_rule, self.name)  # vjp(i) is the rule for input i
        self.__doc__, self.__module__ = function.__doc__, function.__module__
        self.__name__ = self.__qualname__ = function.__name__

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        """Compute the value, and remember how."""
        values = []
        for x in inputs:
            if not isinstance(x, Tensor):  # numbers and arrays become Tensors first
                return self(*as_tensors(*inputs), **settings)
            values.append(x._value)
        params = _checked_settings(self, settings) if settings or self.defaults else NO_SETTINGS
        try:
            value = self.function(*values, **params)
        except TypeError:
            check_call(self.name, self.definition, len(inputs))
            raise
        if type(value) not in FLOAT_SCALARS:
            value = as_floats(self.name, value, inputs)
        return _born(value, self, inputs, params) if RECORDING.get() else _born(value)

    def defvjp(self, *rules: Rule | None) -> None:
        """Say how a gradient flows back, with one rule per input: vjp is short for vector-Jacobian product.

        Let L be a scalar that was computed from the output `out`, and g = dL/d out.  The rule for an input x is called
        as `rule(g, out, *inputs, **params)` and returns dL/dx, the vector g times the Jacobian of out:
        (dL/dx)_j = sum_i g_i (d out_i / d x_j).  For out = exp(x) that is `lambda g, out, x: g * out`.
        A rule computes with Tensors, so what it returns has a recipe too, and the derivative of a derivative needs no
        second mechanism.  None in place of a rule says that the derivative is zero wherever there is one.
        Raises ValueError unless there are as many rules as inputs.
        """
        check_rules(self.name, self.definition, len(rules))
        self.vjp = rules.__getitem__

    def defvjp_each(self, rule: Rule) -> None:
        """As `defvjp`, for any number of inputs: one rule, called as `rule(i, g, out, *inputs, **params)`."""
        self.vjp = lambda i: partial(rule, i)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """In a class an operator is a method, as a function is."""
        return self if owner is None else MethodType(self, owner)

    def __reduce__(self) -> str:
        """An operator is pickled as a function is, by its name."""
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

def primitive(function: Callable[..., Any]) -> Primitive:
    """Turn a NumPy function into an operator on Tensors; give it its derivative with `defvjp`.

    Arrays are positional, settings keyword-only.  The function must not write to its inputs; a single number may reach
    it as a NumPy scalar.  An array given as a setting is not copied: do not change it afterwards.

    >>> @primitive
    ... def cube(x):
    ...     return x * x * x
    >>> cube.defvjp(lambda g, out, x: g * 3 * x ** 2)
    >>> y = cube(Tensor(2.0, name="x"))
    >>> y.backward()
    >>> y, y.inputs[0].grad
    (Tensor(8., cube), Tensor(12.))
    """
    return Primitive(function)

class Tensor(Value):
    """An array that remembers which operator made it, from which inputs, with which settings.

    `data` is a number, an array or a rectangular list; it is copied, so a later change of it is not followed.
    float32 and float64 are kept, integers and booleans become float64; `dtype` may ask for one of the two.
    Raises ValueError where the data is ragged, TypeError for anything but these kinds of numbers.

    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y = x * x + 1
    >>> y
    Tensor([2., 5.], add)
    >>> y.inputs[0].primitive.name, y.inputs[0].inputs == (x, x)
    ('multiply', True)
    """

    __slots__ = ("_params", "birth", "grad", "inputs", "primitive")

    primitive: Primitive | None
    inputs: tuple[Tensor, ...]
    _params: Mapping[str, Any]
    birth: int
    grad: Tensor | None

    def __init__(self, data: npt.ArrayLike, name: str | None = None, *, dtype: npt.DTypeLike | None = None) -> None:
        self._value = own_floats(data, DEFAULT_FLOAT, None if dtype is None else float_dtype(dtype))
        self.primitive, self.inputs, self._params = None, (), NO_SETTINGS
        self.birth = next(_births)
        self.grad, self.name = None, name

    # That is the idea: go on to `backprop.py`.  The rest of this file is syntax, x + y for add(x, y) and x.f(...) for
    # f(x, ...), and how Tensors are made.  `value.py` has what Python and NumPy ask of an array.

    def detach(self) -> Tensor:
        """The same value without its recipe: a constant to every derivative."""
        return _born(self._value)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        facts = [] if self.dtype == DEFAULT_FLOAT else [f"dtype={self.dtype}"]
        facts += [f"name={self.name!r}"] if self.name is not None else []
        facts += [self.primitive.name] if self.primitive is not None else []
        return f"Tensor({', '.join([text, *facts])})"

    @property
    def params(self) -> Mapping[str, Any]:
        """The settings of the operator, which cannot be changed."""
        return MappingProxyType(self._params)

    def backward(self, seed: Operand | None = None) -> None:
        """Fill `.grad` of everything that this was computed from: `minitensor.backward`."""
        backprop.backward(self, seed)

    def __add__(self, other: Operand) -> Tensor: return ops.add(self, other)
    def __radd__(self, other: Operand) -> Tensor: return ops.add(other, self)
    def __sub__(self, other: Operand) -> Tensor: return ops.subtract(self, other)
    def __rsub__(self, other: Operand) -> Tensor: return ops.subtract(other, self)
    def __mul__(self, other: Operand) -> Tensor: return ops.multiply(self, other)
    def __rmul__(self, other: Operand) -> Tensor: return ops.multiply(other, self)
    def __truediv__(self, other: Operand) -> Tensor: return ops.divide(self, other)
    def __rtruediv__(self, other: Operand) -> Tensor: return ops.divide(other, self)
    def __pow__(self, other: Operand) -> Tensor: return more.power(self, other)
    def __rpow__(self, other: Operand) -> Tensor: return more.float_power(other, self)
    def __matmul__(self, other: Operand) -> Tensor: return ops.matmul(self, other)
    def __rmatmul__(self, other: Operand) -> Tensor: return ops.matmul(other, self)
    def __neg__(self) -> Tensor: return ops.negative(self)
    def __pos__(self) -> Tensor: return self
    def __abs__(self) -> Tensor: return ops.abs(self)
    def __gt__(self, other: Operand) -> Tensor: return ops.greater(self, other)
    def __ge__(self, other: Operand) -> Tensor: return ops.greater_equal(self, other)
    def __lt__(self, other: Operand) -> Tensor: return ops.greater(other, self)
    def __le__(self, other: Operand) -> Tensor: return ops.greater_equal(other, self)
    def __getitem__(self, key: Any) -> Tensor: return ops.index(self, key)
    @property
    def T(self) -> Tensor: return ops.transpose(self)

    def abs(self) -> Tensor: return ops.abs(self)
    def argmax(self, axis: int | None = None) -> Array: return more.argmax(self, axis)
    def astype(self, dtype: npt.DTypeLike) -> Tensor: return ops.astype(self, dtype)
    def broadcast_to(self, *n: Any, shape: Any = None) -> Tensor: return ops.broadcast_to(self, *n, shape=shape)
    def clip(self, low: Operand | None = None, high: Operand | None = None) -> Tensor: return more.clip(self, low, high)
    def cumsum(self, axis: int | None = None) -> Tensor: return more.cumsum(self, axis)
    def exp(self) -> Tensor: return ops.exp(self)
    def expand_dims(self, axis: int | Sequence[int]) -> Tensor: return more.expand_dims(self, axis)
    def flatten(self, start_axis: int = 0) -> Tensor: return more.flatten(self, start_axis)
    def log(self) -> Tensor: return ops.log(self)
    def log_softmax(self, axis: int = -1) -> Tensor: return activations.log_softmax(self, axis)
    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return more.logsumexp(self, axis, keepdims)
    def matmul(self, y: Operand) -> Tensor: return ops.matmul(self, y)
    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor: return ops.max(self, axis, keepdims)
    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor: return ops.mean(self, axis, keepdims)
    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor: return more.min(self, axis, keepdims)
    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor: return more.prod(self, axis, keepdims)
    def relu(self) -> Tensor: return activations.relu(self)
    def reshape(self, *n: Any, shape: Any = None) -> Tensor: return ops.reshape(self, *n, shape=shape)
    def sigmoid(self) -> Tensor: return activations.sigmoid(self)
    def softmax(self, axis: int = -1) -> Tensor: return activations.softmax(self, axis)
    def sqrt(self) -> Tensor: return ops.sqrt(self)
    def squeeze(self, axis: Axis = None) -> Tensor: return more.squeeze(self, axis)
    def std(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        return more.std(self, axis, keepdims, ddof)
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor: return ops.sum(self, axis, keepdims)
    def swapaxes(self, a: int, b: int) -> Tensor: return more.swapaxes(self, a, b)
    def tanh(self) -> Tensor: return ops.tanh(self)
    def transpose(self, *order: Any, axes: Any = None) -> Tensor: return ops.transpose(self, *order, axes=axes)
    def var(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        return more.var(self, axis, keepdims, ddof)

    def __iter__(self) -> Iterator[Tensor]: return (self[i] for i in range(len(self)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A Tensor of its own, with a copy of the recipe."""
        return deep_copy(backprop.history(self), memo)

# -- how Tensors are born ----------------------------------------------------------------------------------------------

NO_SETTINGS: dict[str, Any] = {}  # one for all: a million operators without settings need no million dicts

def _born(
    value: Any, primitive: Primitive | None = None, inputs: tuple[Tensor, ...] = (),
    params: Mapping[str, Any] = NO_SETTINGS,
) -> Tensor:
    """A new Tensor: a value that nobody else can change, and the recipe that made it."""
    tensor = _new(Tensor)  # without `__init__`, which would copy and check the value
    tensor._value, tensor.birth = value, next(_births)
    tensor.primitive, tensor.inputs, tensor._params = primitive, inputs, params
    tensor._name = tensor.grad = None
    return tensor

_new = object.__new__

def as_tensor(x: Operand) -> Tensor:
    """The Tensor itself, or a new one that holds this number or array."""
    return x if isinstance(x, Tensor) else Tensor(x)

def as_tensors(*operands: Operand) -> tuple[Tensor, ...]:
    """All operands as Tensors.  Python numbers and integers adopt the widest dtype among the Tensors.

    >>> as_tensors(Tensor(np.float32([1, 2])), 3)[1].dtype
    dtype('float32')
    """
    dtypes = []  # in loops: up to Python 3.11 a comprehension costs a call, and each x + 1 comes by here
    for x in operands:
        if isinstance(x, Tensor):
            dtypes.append(x._value.dtype)
    if len(dtypes) == len(operands):
        return operands  # type: ignore[return-value]
    adopted = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes) if dtypes else DEFAULT_FLOAT
    tensors = []
    for x in operands:
        tensors.append(x if isinstance(x, Tensor) else constant(x, adopted))
    return tuple(tensors)

def constant(data: npt.ArrayLike, dtype: np.dtype[Any]) -> Tensor:
    """A Tensor of this number or array; dtype is for data that does not bring a float dtype of its own."""
    return _born(dtype.type(data) if type(data) in (float, int) else own_floats(data, dtype))

def owned(array: Array) -> Tensor:
    """A Tensor that takes over an array, without a copy: nobody else may write to it from now on."""
    return _born(frozen(array) if array.ndim else array[()])

def _checked_settings(primitive: Primitive, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a call, with the defaults of those left out; TypeError if a Tensor or an input is among them."""
    if Tensor in map(type, settings.values()) or not primitive.input_names.isdisjoint(settings):
        refuse_settings(primitive.name, primitive.input_names, settings)
    return {**primitive.defaults, **settings} if primitive.defaults else settings

for _name, _method in vars(Tensor).items():
    if inspect.isfunction(_method) and not _name.startswith("_") and not _method.__doc__:
        _method.__doc__ = f"`minitensor.{_name}` of this Tensor."

from . import activations, backprop, more, ops  # noqa: E402  a Tensor's methods are the operators, which are made of Tensors
