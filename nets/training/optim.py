"""How a gradient becomes a better parameter.

What you can do here: descend with `SGD` (momentum, Nesterov, weight decay), `Adam` or `AdamW`, shorten long gradients
with `clip_norm`, and let the learning rate follow a schedule, `one_cycle`, `cosine` or `step_decay`.

Letters: w parameter, g its gradient, v velocity, r learning rate, m momentum.

An optimizer is made for a model, and each `step` gives every parameter of that model another Tensor.  What it remembers
between steps (`state_dict`) is listed in the order of `model.parameters()`.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from minitensor import Tensor, as_tensor, gradients, no_grad
from minitensor.recording import recording
from minitensor.tensor import Array, owned

from ..layers.module import Module, as_kept, check_kind


class Optimizer:
    """What all have in common; a subclass says in `update` how one parameter changes.

    Raises TypeError unless it is made for a Module, ValueError for one without parameters.

    >>> from nets import Flatten
    >>> SGD(Flatten())
    Traceback (most recent call last):
    ValueError: this Flatten has nothing to learn: no attribute of it, nor of its layers, is a Tensor
    """

    def __init__(self, model: Module, learning_rate: float, weight_decay: float) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"an optimizer is made for a Module, as in SGD(model, 0.1), got {type(model).__name__}")
        if not model.parameters():
            kind = type(model).__name__
            raise ValueError(f"this {kind} has nothing to learn: no attribute of it, nor of its layers, is a Tensor")
        if not 0 <= learning_rate < math.inf or not 0 <= weight_decay < math.inf:
            raise ValueError(
                f"learning_rate (={learning_rate}) and weight_decay (={weight_decay}) must be finite and at least 0"
            )
        # Python's floats adopt the dtype of an array; NumPy's float64 would make the memory of an optimizer float64.
        self.model, self.learning_rate, self.weight_decay = model, float(learning_rate), float(weight_decay)
        self.steps = 0
        self.memory: dict[str, list[Array]] = {}

    def remember(self, *names: str) -> None:
        """Begin with zeros in the shape of each parameter, under each of these names."""
        for name in names:
            self.memory[name] = [np.zeros_like(p.data) for p in self.model.parameters()]

    def step(self, gradients: Iterable[Tensor], scale: float = 1.0) -> None:
        """Give every parameter a new value, from one gradient for each, in the order of `model.parameters()`.

        scale multiplies the learning rate of this one step: it is where a schedule comes in.
        Raises ValueError for a scale that is negative or not finite, unless there are as many gradients as parameters,
        in the same shapes, and where a parameter or what is remembered of it would not be finite; TypeError unless
        they are Tensors.  Then nothing has changed.
        """
        if not 0 <= scale < math.inf:
            raise ValueError(f"scale (={scale}) must be finite and at least 0")
        named, gradients = self.model.named_parameters(), all_tensors(gradients)
        shapes = [p.shape for _, p in named]
        if [g.shape for g in gradients] != shapes:
            raise ValueError(f"a step needs gradients of shapes {shapes}, got {[g.shape for g in gradients]}")
        for name, arrays in self.memory.items():
            if [array.shape for array in arrays] != shapes:
                raise ValueError(
                    f"the {name} that this optimizer remembers has shapes {[array.shape for array in arrays]}, the "
                    f"parameters of its model have {shapes} now: make a new optimizer for it"
                )
        before = self.steps, {name: list(arrays) for name, arrays in self.memory.items()}
        self.steps += 1
        rate, new = self.learning_rate * float(scale), {}
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # the check below says it better
                for i, ((name, w), g) in enumerate(zip(named, gradients, strict=True)):
                    value = self.update(i, w.data, g.data.astype(w.dtype, copy=False), rate)
                    # C order, so that the sums of a resumed run add up in the same order: a file keeps no other.
                    value = np.asarray(value, w.dtype, order="C")
                    if not all(map(_is_finite, (value, *[kept[i] for kept in self.memory.values()]))):
                        raise ValueError(
                            f"a step at learning rate {rate} makes {name} infinite or nan: try a smaller rate"
                        )
                    new[w] = owned(value)
        except BaseException:
            self.steps, self.memory = before
            raise
        self.model.replace(new)

    def update(self, i: int, w: Array, g: Array, rate: float) -> Array:
        """The new value of parameter i, in an array that is not written to any more.

        What is remembered is replaced, as in self.memory["velocity"][i] = v, and never written to: so a step that
        fails is undone.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update(self, i, w, g, rate)")

    def __repr__(self) -> str:
        hidden = ("model", "memory", "steps")
        settings = ", ".join(f"{name}={value}" for name, value in vars(self).items() if name not in hidden)
        return f"{type(self).__name__}({settings})"

    def state_dict(self) -> dict[str, Array]:
        """What it remembers, by name, and the number of steps."""
        state = {f"{name}.{i}": array for name, arrays in self.memory.items() for i, array in enumerate(arrays)}
        return {"steps": np.array(self.steps), **state}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over a `state_dict`; raises ValueError, and changes nothing, unless names and shapes are the same."""
        check_kind("state", state, Mapping)
        mine = {name: array.shape for name, array in self.state_dict().items()}
        theirs = {name: np.shape(array) for name, array in state.items()}
        if mine != theirs:
            different = sorted(str(name) for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
            raise ValueError(f"the state is that of another optimizer or model: {', '.join(different)} differ")
        if (steps := int(state["steps"])) < 0:
            raise ValueError(f"an optimizer cannot have taken {steps} steps")
        self.memory = {
            name: [as_kept(f"{name}.{i}", state[f"{name}.{i}"], array) for i, array in enumerate(arrays)]
            for name, arrays in self.memory.items()
        }
        self.steps = steps


def all_tensors(gradients: Iterable[Tensor]) -> list[Tensor]:
    """The gradients as a list; TypeError unless all are Tensors."""
    listed = list(gradients)
    if not all(isinstance(g, Tensor) for g in listed):
        raise TypeError(f"gradients must be Tensors, as `gradients` returns them, got {reprlib.repr(listed)}")
    return listed


def _is_finite(a: Array) -> bool:
    """Whether no element is infinite or nan; then the sum of squares is not either, unless it is too large."""
    return math.isfinite(np.vdot(a, a)) or bool(np.isfinite(a).all())


class SGD(Optimizer):
    """Stochastic gradient descent: with d = g + weight_decay w, v = m v + d and w = w - r v; Nesterov: w - r (d + m v).

    Weight decay is added to the gradient, as the derivative of weight_decay / 2 |w|^2 in the loss.  (In the paper the
    rate stands inside v, which is the same for as long as the rate is.)
    Raises ValueError for a negative rate or decay, a momentum outside [0, 1), or Nesterov without momentum.
    Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning,
    ICML 2013.

    >>> from nets import Dense
    >>> layer = Dense(1, 1)
    >>> layer.replace({layer.weight: Tensor([[5.0]])})
    >>> optimizer = SGD(layer, learning_rate=0.5, momentum=0.5, nesterov=True, weight_decay=0.2)
    >>> optimizer.step([Tensor([[2.0]]), Tensor([0.0])])
    >>> layer.weight  # d = 2 + 0.2 * 5 = 3, v = 3, and 5 - 0.5 (3 + 0.5 * 3)
    Tensor([[2.75]], name='weight')
    """

    def __init__(
        self,
        model: Module,
        learning_rate: float = 0.1,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(model, learning_rate, weight_decay)
        if not 0 <= momentum < 1 or (nesterov and not momentum):
            raise ValueError(f"momentum (={momentum}) must be at least 0 and less than 1, and not 0 with nesterov")
        self.momentum, self.nesterov = float(momentum), nesterov
        if momentum:
            self.remember("velocity")

    def update(self, i: int, w: Array, g: Array, rate: float) -> Array:
        g = g + self.weight_decay * w if self.weight_decay else g
        if self.momentum:
            v = self.memory["velocity"][i] = self.momentum * self.memory["velocity"][i] + g
            g = g + self.momentum * v if self.nesterov else v
        step = np.asarray(rate * g, w.dtype)
        return np.subtract(w, step, out=step)


class Adam(Optimizer):
    """Each weight with a rate of its own, w = w - r e' / (sqrt(s') + eps): the mean gradient over its usual size.

    With d = g + weight_decay w and b1, b2 = betas, e = b1 e + (1 - b1) d and s = b2 s + (1 - b2) d^2 are running means
    of d and d^2.  Both begin at 0, which e' = e / (1 - b1^t) and s' = s / (1 - b2^t) make up for after t steps.
    Raises ValueError for a negative rate or decay, other than two betas in [0, 1), or eps <= 0.
    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    >>> from nets import Dense
    >>> layer = Dense(1, 1)
    >>> layer.replace({layer.weight: Tensor([[5.0]])})
    >>> Adam(layer, learning_rate=0.5).step([Tensor([[1000.0]]), Tensor([0.0])])
    >>> round(layer.weight.item(), 6)  # the first step goes as far as the rate, whatever the size of the gradient
    4.5
    """

    def __init__(
        self,
        model: Module,
        learning_rate: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(model, learning_rate, weight_decay)
        if len(betas) != 2 or not all(0 <= b < 1 for b in betas) or not 0 < eps < math.inf:
            raise ValueError(f"betas (={betas}) must be two, at least 0 and less than 1, eps (={eps}) greater than 0")
        self.betas, self.eps = (float(betas[0]), float(betas[1])), float(eps)
        self.remember("mean", "square")

    def update(self, i: int, w: Array, g: Array, rate: float) -> Array:
        return self.descended(i, w, g + self.weight_decay * w, rate)

    def descended(self, i: int, w: Array, g: Array, rate: float) -> Array:
        """One step of the formula above, with g in the place of d."""
        mean, square = self.memory["mean"], self.memory["square"]
        b1, b2 = self.betas
        mean[i] = b1 * mean[i] + (1 - b1) * g
        square[i] = b2 * square[i] + (1 - b2) * g * g
        m, s = mean[i] / (1 - b1**self.steps), square[i] / (1 - b2**self.steps)
        step: Array = rate * m / (np.sqrt(s) + self.eps)
        return w - step


class AdamW(Adam):
    """Adam with decoupled weight decay: w becomes (1 - r weight_decay) w, less the step of Adam without decay.

    In Adam the decay is a part of the gradient, and divided by its usual size like the rest: weights with large
    gradients hardly decay.  Here all decay by the same part.
    Raises what `Adam` raises.  Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.

    >>> from nets import Dense
    >>> layer = Dense(1, 1)
    >>> layer.replace({layer.weight: Tensor([[5.0]])})
    >>> AdamW(layer, learning_rate=0.5, weight_decay=0.1).step([Tensor([[0.0]]), Tensor([0.0])])
    >>> round(layer.weight.item(), 6)  # 5 (1 - 0.5 * 0.1)
    4.75
    """

    def __init__(
        self,
        model: Module,
        learning_rate: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(model, learning_rate, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, i: int, w: Array, g: Array, rate: float) -> Array:
        return self.descended(i, (1 - rate * self.weight_decay) * w, g, rate)


def clip_norm(gradients: Iterable[Tensor], largest: float) -> list[Tensor]:
    """The gradients, made shorter together where they are longer than `largest`: g min(1, largest / |g|).

    |g| is the root of the sum of the squares of all their elements, so the direction stays.
    Raises ValueError unless largest > 0, and where |g| is not finite.
    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.

    >>> [g.data for g in clip_norm([Tensor([3.0]), Tensor([0.0, 4.0])], 1.0)]
    [array([0.6]), array([0. , 0.8])]
    """
    if not largest > 0:
        raise ValueError(f"largest (={largest}) must be greater than 0")
    gradients = all_tensors(gradients)
    norm = math.hypot(*(float(np.linalg.norm(g.data.ravel().astype(np.float64))) for g in gradients))
    if not math.isfinite(norm):
        raise ValueError(f"the gradients have the norm {norm}, and no factor makes them shorter")
    return gradients if norm <= largest else [g * (float(largest) / norm) for g in gradients]


def value_and_grad(f: Callable[..., Tensor]) -> Callable[..., tuple[Tensor, Any]]:
    """A function of the same arguments that returns f's value, and its derivative by the first argument.

    The first argument is a Module, whose gradients come as a list in the order of `parameters()`, as an optimizer
    takes them, or a Tensor.  They are plain values; raises ValueError unless f returns one number.

    >>> from minitensor import mean_squared_error
    >>> from nets import Dense
    >>> def loss(layer, x, y):
    ...     return mean_squared_error(layer(x), y)
    >>> layer = Dense(1, 1)
    >>> value, slopes = value_and_grad(loss)(layer, [[1.0]], [[3.0]])
    >>> SGD(layer, 0.1).step(slopes)
    >>> loss(layer, [[1.0]], [[3.0]]).item() < value.item()
    True
    >>> value_and_grad(lambda x: (x * x).sum())([1.0, 2.0])
    (Tensor(5.), Tensor([2., 4.]))
    """

    def with_derivative(first: Any, *others: Any, **settings: Any) -> tuple[Tensor, Any]:
        with recording(True):
            first = first if isinstance(first, Module) else as_tensor(first)
            value = f(first, *others, **settings)
        check_number("the derivative is that of one number", value)
        with no_grad():  # so that the gradients keep no recipes of their own
            slopes = gradients(value, first.parameters() if isinstance(first, Module) else [first])
        return value.detach(), slopes if isinstance(first, Module) else slopes[0]

    return with_derivative


def check_number(rule: str, value: Any) -> None:
    """ValueError, with the rule, unless a function returned one number as a Tensor."""
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{rule}, and the function returned {got}")


# -- schedules: what part of the learning rate to use, from 0 to 1, when a part `progress` of all steps is done --------

Schedule: TypeAlias = Callable[[float], float]


def one_cycle(progress: float) -> float:
    """Up from 1/25 in the first quarter, then down to 0, both along half a cosine.

    With T steps, step t has progress t / T, so the top is at t = T / 4.  PyTorch's OneCycleLR(pct_start=0.25) has it
    at T / 4 - 1 and ends in 4e-6 at t = T - 1: its two halves are one step shorter, and it differs by up to 6.1 / T.
    Source: Smith and Topin, Super-convergence: very fast training of neural networks using large learning rates, 2018,
    where both are straight lines.

    >>> round(one_cycle(0.0), 2), one_cycle(0.25), round(one_cycle(0.625), 2), round(one_cycle(1.0), 2)
    (0.04, 1.0, 0.5, 0.0)
    """
    if progress < 0.25:
        return 1 - 0.96 * cosine(4 * progress)
    return cosine((progress - 0.25) / 0.75)


def cosine(progress: float) -> float:
    """Down from 1 to 0 along half a cosine, (1 + cos(pi progress)) / 2.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.

    >>> cosine(0.0), round(cosine(0.5), 2), round(cosine(1.0), 2)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * progress)) / 2


def step_decay(progress: float, *, factor: float = 0.1, falls: int = 2) -> float:
    """1, then `factor` of it after each of `falls` equal parts: with 2 falls, 1, 1/10 and 1/100 for a third each.

    Other numbers, for `fit`: schedule=functools.partial(step_decay, factor=0.5, falls=4).
    Raises ValueError for a factor that is not positive, and for less than 0 falls.

    >>> step_decay(0.0), step_decay(0.34), round(step_decay(0.99), 9), step_decay(0.5, factor=0.5, falls=1)
    (1.0, 0.1, 0.01, 0.5)
    """
    if not factor > 0 or falls < 0:
        raise ValueError(f"factor (={factor}) must be greater than 0, falls (={falls}) at least 0")
    return float(factor ** min(int(progress * (falls + 1)), falls))


def constant(progress: float) -> float:
    """1 all the time.

    >>> constant(0.5)
    1.0
    """
    return 1.0


SCHEDULES: dict[str, Schedule] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "step_decay": step_decay,
    "constant": constant,
}
