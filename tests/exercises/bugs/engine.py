"""Chapter 6: the engine itself."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minitensor as mt
from minitensor import Tensor, as_tensor, history, primitive
from minitensor.backprop import unbroadcast
from minitensor.tensor import Array

from ..engine import Bug, Engine


def a_product(engine: Engine) -> None:
    x, y = engine.tensor(2.0), engine.tensor(3.0)
    dx, dy = engine.gradients(engine.multiply(x, y), [x, y])
    assert (dx.item(), dy.item()) == (3, 2)


def a_sum_of_products(engine: Engine) -> None:
    x, y = engine.tensor([1.0, 2.0]), engine.tensor([3.0, 4.0])
    dx, dy = engine.gradients(engine.add(engine.multiply(x, y), x), [x, y])
    assert dx.data.tolist() == [4, 5]
    assert dy.data.tolist() == [1, 2]


def a_mean(engine: Engine) -> None:
    assert engine.mean([1.0, 2.0, 6.0]).item() == 3


def the_larger_one(engine: Engine) -> None:
    assert engine.maximum([1.0, 5.0], [4.0, 2.0]).data.tolist() == [4, 5]


def a_difference(engine: Engine) -> None:
    assert engine.subtract(engine.tensor([5.0, 7.0]), 3).data.tolist() == [2, 4]


def numbers_of_a_list(engine: Engine) -> None:
    assert engine.tensor([1.0, 2.0]).data.tolist() == [1, 2]


def drops_some(engine: Engine) -> None:
    y = engine.dropout(np.ones(100), 0.5, np.random.default_rng(0)).data
    assert 0 < (y == 0).sum() < 100


def adds_up_to_one(engine: Engine) -> None:
    y = engine.softmax([1.0, 2.0, 3.0]).data
    assert abs(y.sum() - 1) < 1e-12
    assert y[0] < y[1] < y[2]


# Backpropagation, right as it stands; each bug changes one of its steps.


def backpropagate(
    output: Tensor,
    wrt: Sequence[Tensor],
    seed: Any = None,
    order: Callable[[Tensor], list[Tensor]] = history,
    add: Callable[[Tensor, Tensor], Tensor] = mt.add,
    fit: Callable[[Tensor, Tensor], Tensor] = unbroadcast,
) -> list[Tensor]:
    sums = {output: mt.as_tensor(np.ones(output.shape, output.dtype) if seed is None else seed)}
    for t in order(output):
        for i, x in enumerate(t.inputs):
            rule = t.primitive.vjp(i) if t.primitive and t in sums else None
            if rule is not None:
                share = fit(rule(sums[t], t, *t.inputs, **t.params), x)
                sums[x] = add(sums[x], share) if x in sums else share
    return [sums[x] if x in sums else Tensor(np.zeros(x.shape, x.dtype)) for x in wrt]


def assigns(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    return backpropagate(output, wrt, seed, add=lambda total, share: share)


def in_order_of_discovery(output: Tensor) -> list[Tensor]:
    """Every Tensor as soon as it is met, which may be before all that was computed from it has been dealt with."""
    found = [output]
    for t in found:
        found += [x for x in dict.fromkeys(t.inputs) if not any(x is y for y in found)]
    return found


def without_order(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    return backpropagate(output, wrt, seed, order=in_order_of_discovery)


def by_recursion(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    seen: dict[Tensor, None] = {}

    def visit(t: Tensor) -> None:
        for x in t.inputs:
            if x not in seen:
                visit(x)
        seen[t] = None

    def order(output: Tensor) -> list[Tensor]:
        visit(output)
        return list(seen)[::-1]

    return backpropagate(output, wrt, seed, order=order)


def without_a_recipe(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    return [g.detach() for g in mt.gradients(output, wrt, seed)]


def seed_of_ones(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    return mt.gradients(output, wrt)


def none_where_unused(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Any]:
    used = set(history(output))
    return [g if x in used else None for x, g in zip(wrt, mt.gradients(output, wrt, seed), strict=True)]


def not_summed_back(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    """The gradient keeps the shape that broadcasting gave its input."""
    return backpropagate(output, wrt, seed, fit=lambda share, x: share)


def in_float64(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    """Begins with a 1.0 of Python's, which is a double."""
    return [g.astype(np.float64) for g in mt.gradients(output, wrt, seed)]


def added_in_place(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    """Both inputs of a sum get the same array, and what is added to one is added to the other."""
    sums: dict[Tensor, Array] = {output: np.ones(output.shape) if seed is None else np.array(as_tensor(seed).data)}
    for t in history(output):
        for i, x in enumerate(t.inputs):
            if t in sums and t.primitive is not None and (rule := t.primitive.vjp(i)) is not None:
                passed_on = t.primitive is mt.add and x.shape == t.shape
                share = (
                    sums[t]
                    if passed_on
                    else np.array(unbroadcast(rule(Tensor(sums[t]), t, *t.inputs, **t.params), x).data)
                )
                if x in sums:
                    sums[x] += share
                else:
                    sums[x] = share
    return [Tensor(sums.get(x, np.zeros(x.shape))) for x in wrt]


def keeps_inner_gradients() -> Callable[..., list[Tensor]]:
    """Clears the gradients of wrt before each pass, and of nothing else."""
    left: weakref.WeakKeyDictionary[Tensor, Tensor] = weakref.WeakKeyDictionary()

    def stale(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
        sums = {output: mt.as_tensor(np.ones(output.shape, output.dtype) if seed is None else seed)}
        for t in history(output):
            if t in sums and t in left and t not in wrt:
                sums[t] = sums[t] + left[t]
            for i, x in enumerate(t.inputs):
                rule = t.primitive.vjp(i) if t.primitive and t in sums else None
                if rule is not None:
                    share = unbroadcast(rule(sums[t], t, *t.inputs, **t.params), x)
                    sums[x] = sums[x] + share if x in sums else share
        left.update({t: g.detach() for t, g in sums.items() if t.inputs and t is not output})
        return [sums[x] if x in sums else Tensor(np.zeros(x.shape, x.dtype)) for x in wrt]

    return stale


@primitive
def maximum_without_a_rule(x: Array, y: Array) -> Array:
    return np.maximum(x, y)


def mean_of_the_data(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    return Tensor(np.asarray(as_tensor(x).data).mean(axis=axis, keepdims=keepdims))


def follows_the_array(data: Any, name: str | None = None) -> Tensor:
    tensor = Tensor(data, name)
    if isinstance(data, np.ndarray) and data.dtype == tensor.dtype:
        tensor._value = data  # the caller's own array
    return tensor


def reflected_as_it_is(a: Any, b: Any) -> Tensor:
    """__rsub__ = __sub__"""
    return a - b if isinstance(a, Tensor) else b - a


def dropout_not_rescaled(x: Any, p: float, rng: np.random.Generator) -> Tensor:
    return mt.dropout(x, p, rng) * (1 - p)


def dropout_divided_by_p(x: Any, p: float, rng: np.random.Generator) -> Tensor:
    return mt.dropout(x, p, rng) * ((1 - p) / p) if p else mt.dropout(x, p, rng)


def softmax_of_large_numbers(x: Any, axis: int = -1) -> Tensor:
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = as_tensor(x).exp()
        return exponentials / exponentials.sum(axis=axis, keepdims=True)


def softmax_of_small_numbers(x: Any, axis: int = -1) -> Tensor:
    """Subtracts the largest of x and 0: no overflow, but all may underflow."""
    x = as_tensor(x)
    with np.errstate(invalid="ignore"):
        exponentials = (x - np.maximum(x.data.max(axis=axis, keepdims=True), 0)).exp()
        return exponentials / exponentials.sum(axis=axis, keepdims=True)


BUGS = [
    Bug(
        "= for +=",
        "A value that is used twice keeps only the last share of its gradient.",
        "karpathy/nn-zero-to-hero issue 52 (the slip in the video); sony/nnabla pull request 532",
        a_product,
        {"gradients": assigns},
    ),
    Bug(
        "helper drops the graph",
        "The mean is taken of the plain array, and whatever lies before it gets a gradient of 0.",
        "speechbrain/speechbrain issue 1396",
        a_mean,
        {"mean": mean_of_the_data},
    ),
    Bug(
        "no rule",
        "An operator has values and no derivative.",
        "HIPS/autograd issue 725",
        the_larger_one,
        {"maximum": maximum_without_a_rule},
    ),
    Bug(
        "number on the left",
        "1 - x gives x - 1.",
        "dlsyscourse/hw1 issue 21; tf-encrypted/tf-encrypted pull request 518",
        a_difference,
        {"subtract": reflected_as_it_is},
    ),
    Bug(
        "not rescaled",
        "What dropout leaves is not divided by 1 - p, so the network sees less in training than in use.",
        "rbgirshick/py-faster-rcnn issue 211",
        drops_some,
        {"dropout": dropout_not_rescaled},
    ),
    Bug(
        "divided by p",
        "What dropout leaves is divided by p, which is right at 0.5.",
        "lmjohns3/theanets pull request 123; kaldi-asr/kaldi issue 2814",
        drops_some,
        {"dropout": dropout_divided_by_p},
    ),
    Bug(
        "overflow",
        "The softmax of large numbers is not a number.",
        "tensorflow/tensorflow issue 10142; numenta/nupic-legacy pull request 3818",
        adds_up_to_one,
        {"softmax": softmax_of_large_numbers},
    ),
    Bug(
        "underflow",
        "The softmax of numbers that are all very negative is not a number.",
        "FluxML/NNlib.jl pull request 43",
        adds_up_to_one,
        {"softmax": softmax_of_small_numbers},
    ),
    Bug(
        "float64",
        "The gradient of a float32 Tensor is float64.",
        "HIPS/autograd issue 163; denizyuret/AutoGrad.jl issue 69",
        a_product,
        {"gradients": in_float64},
    ),
    Bug(
        "seed ignored",
        "The gradient that is handed in is not used.",
        "apache/mxnet issue 19021",
        a_product,
        {"gradients": seed_of_ones},
    ),
    Bug(
        "None for unused",
        "A Tensor that the output does not depend on gets None instead of zeros.",
        "MichiganCOG/ViP issue 21",
        a_product,
        {"gradients": none_where_unused},
    ),
    Bug(
        "not summed back",
        "The gradient of an input that was broadcast has the shape of the output.",
        "tracel-ai/burn issue 181; deeplearning4j/nd4j issue 2424; pytorch/pytorch issue 1787",
        a_sum_of_products,
        {"gradients": not_summed_back},
    ),
    Bug(
        "follows the array",
        "A Tensor shares the caller's array, and changes when that does, after its consequences were computed.",
        "mrdbourke/pytorch-deep-learning issue 1279",
        numbers_of_a_list,
        {"tensor": follows_the_array},
    ),
    Bug(
        "stale inner gradients",
        "Inner gradients are kept from one pass to the next, and a second pass gives more.",
        "karpathy/micrograd pull request 102, issue 53",
        a_sum_of_products,
        {"gradients": keeps_inner_gradients()},
    ),
    Bug(
        "no topological order",
        "A gradient is passed on before it is complete.",
        "karpathy/micrograd issue 2 and pull request 64; sebgao/cTensor issue 5",
        a_sum_of_products,
        {"gradients": without_order},
    ),
    Bug(
        "added in place",
        "Two Tensors share one array for their gradients, and += changes both.",
        "Oneflow-Inc/oneflow pull request 9497",
        a_product,
        {"gradients": added_in_place},
    ),
    Bug(
        "values without a recipe",
        "Gradients are plain values, so the second derivative is 0.",
        "chainer/chainer pull request 3163, which ended that",
        a_product,
        {"gradients": without_a_recipe},
    ),
    Bug(
        "recursion",
        "A long chain of operators ends in a RecursionError.",
        "karpathy/micrograd pull request 90; HEmile/storchastic issue 87",
        a_sum_of_products,
        {"gradients": by_recursion},
    ),
]
