"""A value and the recipe that made it.

What you can do here: make a `Tensor`, make an operator with `primitive`, stop recording with `no_grad`.

A Tensor holds an array and, if an operator made it, the recipe `(primitive, inputs, params)`:

    y = tanh(x)             y.primitive.name == "tanh",  y.inputs == (x,),  y.params == {}
    s = sum(y, axis=0)      s.primitive.name == "sum",   s.inputs == (y,),  s.params == {"axis": (0,), ...}

Beside its recipe a Tensor has a birth number, larger than those of its inputs; nothing else is ever recorded.  From
these alone `backprop.py` computes derivatives of any order, `formula.py` prints mathematics, and `viz` draws graphs.
"""

from __future__ import annotations

import inspect
import itertools
import reprlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Operand: TypeAlias = "Tensor | npt.ArrayLike"

DEFAULT_FLOAT = np.dtype(np.float64)  # what integers and booleans become
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
FLOAT_SCALARS = (np.float32, np.float64)

NO_SETTINGS: Mapping[str, Any] = {}  # one for all: a million operators without settings need no million dicts

_births = itertools.count()  # a Tensor is born after its inputs: the order that backpropagation needs
_recording: ContextVar[bool] = ContextVar("recording", default=True)  # each thread has its own


class Tensor:
    """An array that remembers which operator made it, from which inputs, with which settings.

    `data` is anything rectangular and numeric; it is copied, so a later change of it is not followed.
    float32 and float64 are kept, integers and booleans become float64.  `==` asks whether two Tensors are the same
    object; `>` and its kin compare elements.
    Raises ValueError where the data is ragged, TypeError where it is not real numbers.

    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y = x * x + 1
    >>> y
    Tensor([2., 5.], add)
    >>> y.inputs[0].primitive.name, y.inputs[0].inputs == (x, x)
    ('multiply', True)
    """

    __slots__ = ("__weakref__", "_value", "birth", "grad", "inputs", "name", "params", "primitive")
    __array_ufunc__ = None  # so that `ndarray * Tensor` asks Tensor.__rmul__, and np.add(ndarray, Tensor) is an error

    _value: Any  # an array; for shape () mostly a NumPy scalar, whose arithmetic is seven times faster
    name: str | None
    primitive: Primitive | None
    inputs: tuple[Tensor, ...]
    params: Mapping[str, Any]
    birth: int
    grad: Tensor | None

    def __init__(self, data: npt.ArrayLike, name: str | None = None) -> None:
        _fill(self, _copy_of_floats(data, DEFAULT_FLOAT), None, (), NO_SETTINGS)
        self.name = name

    @property
    def data(self) -> Array:
        """The value, as an array that cannot be written to."""
        return self._value if isinstance(self._value, np.ndarray) else frozen(np.asarray(self._value))

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._value.dtype

    def item(self) -> float:
        """The only element, as a Python number; ValueError if there are more."""
        if self.size != 1:
            raise ValueError(f"item() needs a Tensor with one element, and this one has shape {self.shape}")
        return self._value.item()

    def detach(self) -> Tensor:
        """The same value without its recipe: a constant to every derivative."""
        return _fill(_new(Tensor), self._value, None, (), NO_SETTINGS)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Another Tensor with this value, which can be shared since nobody can change it, and a copy of the recipe."""
        todo = [self]  # a list of our own: a recursion over many operators would overflow Python's stack
        while todo:
            t = todo[-1]
            missing = [x for x in t.inputs if id(x) not in memo]
            if missing:
                todo += missing
                continue
            todo.pop()
            if id(t) not in memo:
                inputs = tuple(memo[id(x)] for x in t.inputs)
                twin = memo[id(t)] = _fill(_new(Tensor), t._value, t.primitive, inputs, t.params)
                twin.name, twin.grad = t.name, t.grad
        result: Tensor = memo[id(self)]
        return result

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor with no axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        facts = [] if self.dtype == DEFAULT_FLOAT else [f"dtype={self.dtype}"]
        facts += [f"name={self.name!r}"] if self.name is not None else []
        facts += [self.primitive.name] if self.primitive is not None else []
        return f"Tensor({', '.join([text, *facts])})"

    if TYPE_CHECKING:  # operators.py fills these in

        def __add__(self, other: Operand) -> Tensor: ...
        def __radd__(self, other: Operand) -> Tensor: ...
        def __sub__(self, other: Operand) -> Tensor: ...
        def __rsub__(self, other: Operand) -> Tensor: ...
        def __mul__(self, other: Operand) -> Tensor: ...
        def __rmul__(self, other: Operand) -> Tensor: ...
        def __truediv__(self, other: Operand) -> Tensor: ...
        def __rtruediv__(self, other: Operand) -> Tensor: ...
        def __pow__(self, other: Operand) -> Tensor: ...
        def __rpow__(self, other: Operand) -> Tensor: ...
        def __matmul__(self, other: Operand) -> Tensor: ...
        def __rmatmul__(self, other: Operand) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __gt__(self, other: Operand) -> Tensor: ...
        def __ge__(self, other: Operand) -> Tensor: ...
        def __lt__(self, other: Operand) -> Tensor: ...
        def __le__(self, other: Operand) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        @property
        def T(self) -> Tensor: ...
        def astype(self, dtype: npt.DTypeLike) -> Tensor: ...
        def backward(self, seed: Operand | None = None) -> None: ...

        abs: Callable[..., Tensor]
        broadcast_to: Callable[..., Tensor]
        clip: Callable[..., Tensor]
        exp: Callable[..., Tensor]
        log: Callable[..., Tensor]
        log_softmax: Callable[..., Tensor]
        logsumexp: Callable[..., Tensor]
        matmul: Callable[..., Tensor]
        max: Callable[..., Tensor]
        mean: Callable[..., Tensor]
        min: Callable[..., Tensor]
        relu: Callable[..., Tensor]
        reshape: Callable[..., Tensor]
        sigmoid: Callable[..., Tensor]
        softmax: Callable[..., Tensor]
        sqrt: Callable[..., Tensor]
        sum: Callable[..., Tensor]
        tanh: Callable[..., Tensor]
        transpose: Callable[..., Tensor]
        var: Callable[..., Tensor]


class Primitive:
    """An operator: a NumPy function, and for each of its inputs a vector-Jacobian rule written in Tensors.

    Made by `primitive`; called with Tensors (positional) and settings (keyword-only).
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__.lstrip("_")  # the primitive behind the public function `where` is `_where`
        self.vjp: Callable[[int], Callable[..., Tensor] | None] = self._no_rule  # vjp(i) is the rule for input i
        self.__doc__, self.__module__ = function.__doc__, function.__module__
        self.__name__ = self.__qualname__ = function.__name__
        self.__wrapped__ = function  # where inspect and help() find the signature

    def __call__(self, *inputs: Any, **params: Any) -> Tensor:
        try:
            values = [x._value for x in inputs]
        except AttributeError:  # a number or an array is among them
            inputs = as_tensors(*inputs)
            values = [x._value for x in inputs]
        if params:
            if Tensor in map(type, params.values()):
                raise TypeError(f"{self.name} takes Tensors by position, not as {', '.join(params)}=...")
            value = self.function(*values, **params)
        else:
            value = self.function(*values)
        kind = type(value)
        if kind is np.ndarray and value.dtype in FLOATS:
            value.setflags(write=False)
        elif kind not in FLOAT_SCALARS:
            value = self._as_floats(value, inputs)
        if _recording.get():
            return _fill(_new(Tensor), value, self, inputs, params or NO_SETTINGS)
        return _fill(_new(Tensor), value, None, (), NO_SETTINGS)

    def _as_floats(self, value: Any, inputs: tuple[Tensor, ...]) -> Any:
        """The value as floats, where the function returned a Python number, integers or booleans."""
        if value is None:
            raise TypeError(f"{self.name} returned None: is a return missing?")
        dtype = np.result_type(*[x.dtype for x in inputs])
        return dtype.type(value) if type(value) in (float, int) else _copy_of_floats(value, dtype)

    def defvjp(self, *rules: Callable[..., Tensor] | None) -> None:
        """Say how a gradient flows back, with one rule per input.

        A rule is called as `rule(g, out, *inputs, **params)`, where g is the gradient of some scalar L with respect to
        the output out, and returns the gradient of L with respect to that input x, the product of the vector g with the
        Jacobian of out: (dL/dx)_j = sum_i g_i (d out_i / d x_j).  It is written in Tensors, so it has a recipe too, and
        the derivative of a derivative needs no second mechanism.  None in place of a rule says that the derivative is
        zero everywhere.
        Raises ValueError unless there are as many rules as inputs.
        """
        code = getattr(self.function, "__code__", None)  # a NumPy function has none
        if code is not None and code.co_flags & inspect.CO_VARARGS:
            raise ValueError(f"{self.name} takes any number of inputs: give it one rule for all with defvjp_each")
        if code is not None and len(rules) != code.co_argcount:
            raise ValueError(f"{self.name} has {code.co_argcount} inputs, and was given {len(rules)} rules")
        self.vjp = rules.__getitem__

    def defvjp_each(self, rule: Callable[..., Tensor]) -> None:
        """As `defvjp`, for any number of inputs: one rule, called as `rule(i, g, out, *inputs, **params)`."""
        self.vjp = lambda i: partial(rule, i)

    def _no_rule(self, i: int) -> Callable[..., Tensor]:
        raise NotImplementedError(f"{self.name} has no derivative yet: give it one with {self.name}.defvjp(...)")

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def primitive(function: Callable[..., Any]) -> Primitive:
    """Turn a NumPy function into an operator on Tensors; give it its derivative with `defvjp`.

    Arrays are positional, settings keyword-only; a default of a setting must be repeated in the rules.  The function
    must not write to its inputs; a single number may reach it as a NumPy scalar.  An array given as a setting is not
    copied: do not change it afterwards.

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


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute values only: within the block (or the function that it decorates) no recipes are kept.

    >>> x = Tensor(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.inputs
    ()
    """
    with recording(False):
        yield


@contextmanager
def recording(on: bool) -> Iterator[None]:
    """Within the block recipes are kept, or not, whatever is the case around it."""
    before = _recording.set(on)
    try:
        yield
    finally:
        _recording.reset(before)


def as_tensor(x: Operand) -> Tensor:
    """The Tensor itself, or a new one that holds this number or array."""
    return x if isinstance(x, Tensor) else Tensor(x)


def as_tensors(*operands: Operand) -> tuple[Tensor, ...]:
    """All operands as Tensors.  Python numbers and integers adopt the widest dtype among the Tensors.

    >>> as_tensors(Tensor(np.float32([1, 2])), 3)[1].dtype
    dtype('float32')
    """
    dtypes = [x._value.dtype for x in operands if isinstance(x, Tensor)]
    adopted = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes) if dtypes else DEFAULT_FLOAT
    return tuple([x if isinstance(x, Tensor) else constant(x, adopted) for x in operands])


def constant(data: npt.ArrayLike, dtype: np.dtype[Any]) -> Tensor:
    """A Tensor of this number or array; dtype is for data that does not bring a float dtype of its own."""
    value = dtype.type(data) if type(data) in (float, int) else _copy_of_floats(data, dtype)
    return _fill(_new(Tensor), value, None, (), NO_SETTINGS)


def owned(array: Array) -> Tensor:
    """A Tensor that takes over an array, without a copy: nobody else may write to it from now on."""
    return _fill(_new(Tensor), frozen(array) if array.ndim else array[()], None, (), NO_SETTINGS)


def frozen(array: Array) -> Array:
    """The same array, now read-only."""
    array.setflags(write=False)
    return array


def _fill(
    tensor: Tensor,
    value: Any,
    primitive: Primitive | None,
    inputs: tuple[Tensor, ...],
    params: Mapping[str, Any],
) -> Tensor:
    """Write a new Tensor, once and for all: a value that nobody else can change, and the recipe that made it."""
    tensor._value = value
    tensor.primitive = primitive
    tensor.inputs = inputs
    tensor.params = params
    tensor.birth = next(_births)
    tensor.name = tensor.grad = None
    return tensor


_new = object.__new__


def _copy_of_floats(data: npt.ArrayLike, dtype: np.dtype[Any]) -> Any:
    """The data as a float array of its own, or a NumPy scalar; dtype is what numbers without a float dtype become."""
    if isinstance(data, Tensor):
        raise TypeError("this is a Tensor already; use it as it is, or detach() it from its history")
    try:
        array = np.array(data)  # always a copy; memory order is kept
    except ValueError as error:
        raise ValueError(f"a Tensor needs a rectangular array of numbers, got {reprlib.repr(data)}") from error
    if array.dtype.kind in "iub":
        array = array.astype(dtype)
    if array.dtype in FLOATS:
        return frozen(array) if array.ndim else array[()]
    if array.dtype == object and any(isinstance(x, Tensor) for x in np.ravel(array)):
        raise TypeError("a Tensor cannot be made of Tensors without losing their history; use stack or concatenate")
    raise TypeError(f"a Tensor holds float32 or float64, got {array.dtype}: {reprlib.repr(data)}")
