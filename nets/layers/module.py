"""What a layer is: a function of Tensors that owns parameters.

What you can do here: write a `Module`, list its parameters, save and load its state, and chain layers as `Sequential`.

One rule says what belongs to a module: whatever is stored as an attribute, or in a list, tuple or dict that is.

    a Tensor     is a parameter: it is learnt
    an array     is a buffer: it is kept with the state, but not learnt (the running mean of `BatchNorm2d`); those that
                 `forward` exchanges are named in `moving`, and `compiled` traces it with Tensors in their place
    a Module     is a child
    the rest     are settings (also the layers in an object that is no Module)

The name of each is its path: the weight of the first layer in `self.blocks = [Dense(2, 2)]` is "blocks.0.weight".

The value of a Tensor is never written to.  Learning gives an attribute *another* Tensor, and `replace` gives it to
every module that held the old one: so a parameter that two layers share stays shared.
"""

from __future__ import annotations

import copy
import inspect
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, as_tensor
from minitensor.tensor import Array, Operand

Shape: TypeAlias = tuple[int, ...]

PLAIN = {int, float, bool, str, type(None)}  # types of settings that hold no layer: most have one of these
CONTAINERS = (list, tuple, dict, set, frozenset)
HELD = (Tensor, np.ndarray)  # a tuple, since `isinstance` with a union of types would make that union at each call


class Cost(NamedTuple):
    """What a layer does for one image, counted as the LeNet paper of 1998 counts.

    A connection leads from an input (or the bias) to a unit; a mac multiplies an input by a weight and adds it up.
    """

    connections: int = 0
    macs: int = 0


class Module:
    """A layer or a network; a subclass stores its parameters as attributes and says in `forward` what it computes.

    >>> class Scale(Module):
    ...     def __init__(self) -> None:
    ...         self.factor = Tensor(2.0, name="factor")
    ...
    ...     def forward(self, x: Tensor) -> Tensor:
    ...         return x * self.factor
    >>> layer = Scale()
    >>> layer([1.0, 3.0]).data, layer.parameters()
    (array([2., 6.]), [Tensor(2., name='factor')])
    """

    moving: ClassVar[tuple[str, ...]] = ()  # the buffers that forward exchanges
    training: bool = True  # some layers (dropout, batch normalization) compute something else in evaluation

    def forward(self, *inputs: Any, **settings: Any) -> Tensor:
        """The output for a batch of inputs; a subclass names them, as in forward(self, x) or forward(self, x, y)."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x)")

    def __call__(self, *inputs: Operand, **settings: Any) -> Tensor:
        return self.forward(*map(as_tensor, inputs), **settings)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a layer, or what else is no function, in the place of a method of every Module, as in self.train."""
        if callable(getattr(Module, name, None)) and (isinstance(value, Module) or not callable(value)):
            kind = type(value).__name__
            raise ValueError(f"this {kind} cannot be called {name!r}: every Module has a method of that name")
        super().__setattr__(name, value)

    def cost(self, x: Shape, y: Shape) -> Cost:
        """The connections and macs from an input of shape x to an output of shape y, both without the batch axis.

        `Cost(0, 0)` for a layer that treats each element by itself: its work belongs to the unit before it.
        """
        return Cost()

    # -- what it is made of --------------------------------------------------------------------------------------------

    def children(self) -> list[tuple[str, Module]]:
        """The modules stored in this one, with their names, in the order in which they were stored.

        >>> from nets import ReLU
        >>> class Blocks(Module):
        ...     def __init__(self) -> None:
        ...         self.first, self.more = ReLU(), [ReLU(), ReLU()]
        >>> [name for name, _ in Blocks().children()]
        ['first', 'more.0', 'more.1']
        """
        return [(name, value) for name, value in self._stored() if isinstance(value, Module)]

    def modules(self) -> Iterator[tuple[str, Module]]:
        """This module (named "") and all below it, named by their path, as in "features.C1".

        A module that is used in two places comes twice.  Raises ValueError for one that holds itself.
        """
        return iter([(path, module) for path, module, _ in self._walk("", ())])

    def _walk(self, path: str, above: tuple[Module, ...]) -> list[tuple[str, Module, list[tuple[str, Any]]]]:
        """This module and all below it, with their paths, and what each holds itself."""
        if self in above:
            raise ValueError(f"a module cannot be a part of itself: {path!r} is a module that holds it")
        stored = self._stored()
        found = [(path, self, stored)]
        for name, value in stored:
            if isinstance(value, Module):
                found += value._walk(f"{path}.{name}" if path else name, (*above, self))
        return found

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        """Each parameter once, named by the path to its first place.

        >>> from nets import Dense, Sequential
        >>> shared = Dense(2, 2)
        >>> [name for name, _ in Sequential(first=shared, again=shared).named_parameters()]
        ['first.weight', 'first.bias']
        """
        return [(name, held) for name, held in self._holdings().items() if isinstance(held, Tensor)]

    def parameters(self) -> list[Tensor]:
        """Each parameter once, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def replace(self, new: Mapping[Tensor, Tensor]) -> None:
        """Store another Tensor for each parameter that is a key of `new`, in every place that holds it.

        The new one gets the old one's name.

        >>> from nets import Dense
        >>> layer = Dense(1, 1)
        >>> layer.replace({layer.weight: Tensor([[5.0]])})
        >>> layer.weight
        Tensor([[5.]], name='weight')
        """
        for old, tensor in new.items():
            check_kind("a parameter to replace", old, Tensor)
            check_kind("a new parameter", tensor, Tensor)
        for old, tensor in new.items():
            tensor.name = old.name
        self._exchange({id(old): tensor for old, tensor in new.items()})

    def _stored(self) -> list[tuple[str, Any]]:
        """Each Tensor, array and Module in it, with its name, at every place that holds it."""
        found: list[tuple[str, Any]] = []
        for name, value in vars(self).items():
            if _is_plain(value):
                continue
            if isinstance(value, PARTS):
                if not (name in self.moving and isinstance(value, Tensor)):  # that is a buffer, while it is traced
                    found.append((name, value))
            elif isinstance(value, CONTAINERS):
                found += _found_in(value, name)
        return found

    def _holdings(self) -> dict[str, Tensor | Array]:
        """Each parameter and buffer once, by the path to its first place; ValueError where two have the same path."""
        held: dict[str, Tensor | Array] = {}
        seen: set[int] = set()  # by identity: equal values are not the same parameter
        for path, _, stored in self._walk("", ()):
            for name, value in stored:
                if isinstance(value, HELD) and id(value) not in seen:
                    name = f"{path}.{name}" if path else name
                    if name in held:
                        raise ValueError(f"two parameters or buffers are called {name!r}: a name must not hold a dot")
                    seen.add(id(value))
                    held[name] = value
        return held

    def _exchange(self, new: Mapping[int, Tensor | Array]) -> None:
        """Store another value, in every place, for each one that has its id as a key of `new`."""
        for _, module in self.modules():
            for name, value in list(vars(module).items()):
                if not _is_plain(value) and (exchanged := _exchanged(value, new)) is not value:
                    setattr(module, name, exchanged)

    # -- its state -----------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """All that the module has learnt: the value of each parameter and a copy of each buffer, by name.

        >>> from nets import Dense
        >>> {name: array.shape for name, array in Dense(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: held.data if isinstance(held, Tensor) else held.copy() for name, held in self._holdings().items()}

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Take over the values of a `state_dict`, in the dtypes that this module has.

        Raises ValueError, and changes nothing, unless names and shapes are those of this module, and its dtypes can
        hold the numbers.

        >>> from nets import Dense
        >>> layer, other = Dense(3, 2), Dense(3, 2)
        >>> other.load_state_dict(layer.state_dict())
        >>> bool((layer.weight.data == other.weight.data).all())
        True
        """
        check_kind("state", state, Mapping)
        mine = self.state_dict()
        if missing := sorted(mine.keys() - state.keys()):
            raise ValueError(f"the state lacks {', '.join(missing)}: it is that of another model")
        if unknown := sorted(map(str, state.keys() - mine.keys())):
            raise ValueError(f"the model has no {', '.join(unknown)}: the state is that of another model")
        arrays = {name: as_kept(name, state[name], array) for name, array in mine.items()}
        self._change(arrays)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Turn all parameters and buffers of floats into float32 or float64, and return the module.

        Layers begin with float32, which is enough to learn and twice as fast; derivatives are checked in float64.

        >>> from nets import Dense
        >>> Dense(3, 2).astype(np.float64).weight.dtype
        dtype('float64')
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise TypeError(f"parameters are float32 or float64, not {np.dtype(dtype)}")
        state = self.state_dict()
        self._change({name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in state.items()})
        return self

    def _change(self, arrays: Mapping[str, Array]) -> None:
        held = self._holdings()
        self._exchange(
            {
                id(old): Tensor(arrays[name], old.name) if isinstance(old, Tensor) else arrays[name]
                for name, old in held.items()
            }
        )

    def train(self, training: bool = True) -> Self:
        """Let every layer compute as in training, and return the module."""
        for _, module in self.modules():
            module.training = training
        return self

    def eval(self) -> Self:
        """Let every layer compute as in use, where nothing is learnt, and return the module."""
        return self.train(False)

    @contextmanager
    def in_use(self) -> Iterator[Self]:
        """Within the block every layer computes as in use, and after it as before.

        >>> from nets import Dropout
        >>> layer = Dropout(0.5)
        >>> with layer.in_use():
        ...     layer.training
        False
        >>> layer.training
        True
        """
        before = {module: module.training for _, module in self.modules()}
        try:
            yield self.eval()
        finally:
            for module, training in before.items():
                module.training = training

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.children()]
        settings = ", ".join(self._settings())
        if not lines:
            return f"{type(self).__name__}({settings})"
        return "\n  ".join([f"{type(self).__name__}({settings}", *lines]) + "\n)"

    def _settings(self) -> Iterator[str]:
        """The arguments that would make such a layer again: those of __init__ that are stored and not the default."""
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if name in vars(self) and not isinstance(vars(self)[name], Module):
                value = vars(self)[name]
                if isinstance(value, tuple) and len(value) == getattr(type(self), "axes", 0) and len(set(value)) == 1:
                    value = value[0]  # the same on each spatial axis
                if isinstance(parameter.default, bool):  # bias: True stands for a Tensor, False for None
                    value = isinstance(value, Tensor) or value is True
                if parameter.default is parameter.empty:
                    yield reprlib.repr(value)
                elif isinstance(value, HELD) or value != parameter.default:
                    yield f"{name}={reprlib.repr(value)}"


PARTS = (*HELD, Module)  # what a module is made of


def as_kept(name: str, given: npt.ArrayLike, like: Array) -> Array:
    """A copy of what a state holds, in the dtype of what a model has there; ValueError where it does not fit.

    >>> as_kept("weight", [1e300], np.zeros(1, np.float32))
    Traceback (most recent call last):
    ValueError: weight (= 1e+300) is too large for float32, as it is in the model
    """
    wide = np.asarray(given)
    wide = wide.astype(np.float64) if wide.dtype.kind == "O" else wide  # whole numbers without a limit, in a list
    if wide.shape != like.shape:
        raise ValueError(f"{name} has shape {like.shape} in the model and {wide.shape} in the state")
    with np.errstate(over="ignore"):
        array = np.array(wide, dtype=like.dtype, order="C")
    if like.dtype.kind == "f" and wide.dtype.kind in "fiu" and (lost := np.isinf(array) & np.isfinite(wide)).any():
        raise ValueError(f"{name} (= {wide[lost][0]:g}) is too large for {like.dtype}, as it is in the model")
    return array


def check_kind(name: str, value: Any, kind: type) -> None:
    """TypeError, with the value, unless it is of this kind.

    >>> check_kind("model", Module, Module)  # the class, and no model
    Traceback (most recent call last):
    TypeError: model (=<class 'nets.layers.module.Module'>) is no Module
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} (={value!r:.80}) is no {kind.__name__}")


def _is_plain(value: Any) -> bool:
    """Whether it is a setting such as nearly all are: a number, a word, or a tuple of these."""
    return type(value) in PLAIN or (type(value) is tuple and PLAIN.issuperset(map(type, value)))


def _found_in(container: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The Tensors, arrays and Modules that a list, tuple or dict holds, at any depth."""
    if isinstance(container, (set, frozenset)):
        if any(isinstance(item, (Tensor, Module)) for item in container):
            raise TypeError(f"{path} is a set, which has no order to name its layers by: make it a list")
        return
    for key, item in container.items() if isinstance(container, dict) else enumerate(container):
        if type(item) in PLAIN:
            continue
        if isinstance(item, PARTS):
            yield f"{path}.{key}", item
        elif isinstance(item, CONTAINERS):
            yield from _found_in(item, f"{path}.{key}")


def _exchanged(value: Any, new: Mapping[int, Tensor | Array]) -> Any:
    """The value with others in the place of those whose id is a key of `new`; itself where there is none in it."""
    if isinstance(value, HELD):
        return new.get(id(value), value)
    if not isinstance(value, (list, tuple, dict)):
        return value
    keys = list(value) if isinstance(value, dict) else range(len(value))
    items = [_exchanged(value[key], new) for key in keys]
    if all(item is value[key] for key, item in zip(keys, items, strict=True)):
        return value
    if isinstance(value, tuple):
        return value._make(items) if hasattr(value, "_make") else type(value)(items)
    changed = copy.copy(value)
    for key, item in zip(keys, items, strict=True):
        changed[key] = item
    return changed


class Sequential(Module):
    """Layers one after the other: the output of each is the input of the next.

    Layers without a name are called "0", "1", ...; both kinds are found by index, those with a name as attributes too.
    Raises TypeError for something that cannot be a layer, ValueError for a name that a Module uses itself.

    >>> from nets import Dense, Sequential, Tanh
    >>> net = Sequential(hidden=Dense(4, 3), squash=Tanh(), out=Dense(3, 2))
    >>> net
    Sequential(
      (hidden): Dense(4, 3)
      (squash): Tanh()
      (out): Dense(3, 2)
    )
    >>> net[0] is net.hidden is net["hidden"], len(net), net(np.zeros((5, 4), np.float32)).shape
    (True, 3, (5, 2))
    >>> net[:2]  # the same layers
    Sequential(
      (hidden): Dense(4, 3)
      (squash): Tanh()
    )
    """

    def __init__(self, *layers: Module, **named: Module) -> None:
        for name, layer in [*((str(i), layer) for i, layer in enumerate(layers)), *named.items()]:
            if not isinstance(layer, Module):
                raise TypeError(f"layer {name} must be a Module, as ReLU() is, got {layer!r}")
            if name in vars(self):
                raise ValueError(f"there are two layers called {name!r}")
            if not name or "." in name:  # a path joins names with dots
                raise ValueError(f"a layer cannot be called {name!r}: a name must not be empty, nor hold a dot")
            if hasattr(self, name):
                raise ValueError(f"a layer cannot be called {name!r}: every Sequential has an attribute of that name")
            setattr(self, name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """The layers applied in turn; an error says in a note which layer it comes from."""
        for name, layer in self.children():
            try:
                x = layer(x)
            except (ValueError, TypeError, IndexError) as error:
                error.add_note(f"in {name}: {type(layer).__name__}")
                raise
        return x

    def __iter__(self) -> Iterator[Module]:
        return (layer for _, layer in self.children())

    def __len__(self) -> int:
        return len(self.children())

    @overload
    def __getitem__(self, key: int | str) -> Module: ...
    @overload
    def __getitem__(self, key: slice) -> Sequential: ...
    def __getitem__(self, key: int | str | slice) -> Module:
        layers = self.children()
        if isinstance(key, slice):
            return Sequential(**dict(layers[key]))
        try:
            return dict(layers)[key] if isinstance(key, str) else layers[key][1]
        except (IndexError, KeyError) as error:
            raise type(error)(f"there is no layer {key!r}; the {len(layers)} layers are {list(dict(layers))}") from None

    def __getattr__(self, name: str) -> Any:  # for type checkers: a layer's name is not known to them
        raise AttributeError(f"this {type(self).__name__} has no {name!r}; its layers are {list(vars(self))}")
