"""One run of a model, written down: which module was called, with which inputs, and what it made.

What you can do here: `trace` a model.  `summary` counts from it, and pictures of models are drawn from it.

The recipe of the output says which operators there were; the calls say which module each of them belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from minitensor import Tensor, as_tensor, history
from minitensor.recording import recording
from minitensor.tensor import Operand

from .layers.module import Module, check_kind


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module.  name is the path to it, as in "body.act", and "body.act#2" when it is called again.

    depth: how many calls it happened in, 0 for the model itself.  births: of the Tensors that were made in it.
    """

    name: str
    module: Module
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    depth: int
    births: range


@dataclass(frozen=True)
class Trace:
    """A run: its inputs, its output, and all calls of modules, in the order in which they ended."""

    inputs: tuple[Tensor, ...]
    output: Tensor
    calls: list[Call]

    def layers(self) -> list[Call]:
        """The calls of modules that compute by themselves: without modules in them, or with parameters of their own."""
        alone = [call for call in self.calls if not call.module.children() or own_parameters(call.module)]
        return [call for call in alone if call.inputs and call.outputs]

    def owners(self, calls: Sequence[Call]) -> dict[Tensor, Call]:
        """For each Tensor that the output was computed from, the innermost of these calls that made it.

        A parameter belongs to the first call that has it for its own, the others to none.
        """
        found: dict[Tensor, Call] = {}
        inside = sorted(calls, key=lambda call: len(call.births))
        parameters = {p: call for call in reversed(calls) for p in call.module.parameters()}
        for t in history(self.output):
            call = next((call for call in inside if t.birth in call.births), parameters.get(t))
            if call is not None and t not in self.inputs:
                found[t] = call
        return found


def trace(model: Module, *inputs: Operand) -> Trace:
    """Run a model as it is, in training or in use, and write down every call of a module in it.

    Raises what the model raises, and TypeError where it does not return a Tensor.

    >>> from nets import Dense, ReLU, Sequential
    >>> run = trace(Sequential(one=Dense(2, 3), act=ReLU()), [[1.0, 2.0]])
    >>> [(call.name, call.outputs[0].shape) for call in run.calls]
    [('one', (1, 3)), ('act', (1, 3)), ('', (1, 3))]
    """
    check_kind("model", model, Module)
    xs = tuple(map(as_tensor, inputs))
    record = _Record(model)
    modules = {id(module): module for _, module in model.modules()}.values()
    before = [(module, vars(module).get("forward")) for module in modules]
    try:
        for module in modules:  # an attribute of the instance goes before the method of its class
            vars(module)["forward"] = record.watched(module, module.forward)
        with recording(True):
            output = model(*xs)
    finally:
        for module, forward in before:
            if forward is None:
                del vars(module)["forward"]
            else:
                vars(module)["forward"] = forward
    if not isinstance(output, Tensor):
        raise TypeError(
            f"a model must return a Tensor, and this {type(model).__name__} returned {type(output).__name__}"
        )
    return Trace(xs, output, record.calls)


def own_parameters(module: Module) -> list[Tensor]:
    """The parameters that a module holds itself, and none of the modules in it."""
    below = {p for _, child in module.children() for p in child.parameters()}
    return [p for p in module.parameters() if p not in below]


@dataclass
class _Open:
    """A call that has begun: the place of its module, and how often it has called each other module."""

    path: str
    module: Module
    called: dict[Module, int] = field(default_factory=dict)


class _Record:
    """The calls so far."""

    def __init__(self, model: Module) -> None:
        self.calls: list[Call] = []
        self.open: list[_Open] = []
        self.times: dict[str, int] = {}
        self.places: dict[Module, list[str]] = {}
        for path, module in model.modules():
            self.places.setdefault(module, []).append(path)

    def watched(self, module: Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The forward of a module, which writes down its calls."""

        def call(*inputs: Any, **settings: Any) -> Any:
            begun = _Open(self._path(module), module)
            self.open.append(begun)
            first = _born_now()
            try:
                made = forward(*inputs, **settings)
            finally:
                self.open.pop()
            self._close(begun, inputs, made, range(first, _born_now()))
            return made

        return call

    def _path(self, module: Module) -> str:
        """Where the module is called: the place that its caller has it at, or the next of those, if several."""
        if not self.open:
            return self.places[module][0]
        caller = self.open[-1]
        prefix = f"{caller.path}." if caller.path else ""
        places = [prefix + name for name, child in caller.module.children() if child is module]
        places = places or [path for path in self.places[module] if path.startswith(prefix)] or self.places[module]
        times = caller.called[module] = caller.called.get(module, 0) + 1
        return places[(times - 1) % len(places)]

    def _close(self, begun: _Open, inputs: Sequence[Any], made: Any, births: range) -> None:
        times = self.times[begun.path] = self.times.get(begun.path, 0) + 1
        name = begun.path if times == 1 else f"{begun.path}#{times}"
        outputs = tuple(t for t in (made if isinstance(made, tuple | list) else [made]) if isinstance(t, Tensor))
        given = tuple(t for t in inputs if isinstance(t, Tensor))
        self.calls.append(Call(name, begun.module, given, outputs, len(self.open), births))


def _born_now() -> int:
    """The birth number of a Tensor that is made here."""
    return Tensor(0.0).birth
