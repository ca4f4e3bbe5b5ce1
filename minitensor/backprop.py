"""Backpropagation: from the recipe of a value to its derivatives (reverse-mode automatic differentiation).

What you can do here: list the `history` of a Tensor, take `gradients`, and fill `.grad` with `backward`.  (Gradients
stacked into a `jacobian` or a `hessian`: `more/derivatives.py`.)

Letters: L the scalar that is differentiated, g = dL/dt the gradient that has arrived at a Tensor t.
The chain rule, for an input x of t:   (dL/dx)_j  +=  sum_i g_i (dt_i / dx_j),   one rule of t's primitive.
The `+=` is the whole difficulty: g is complete only when *everything* that was computed from t has added its share.

By hand, for y = x * tanh(x) at x = 0.5.  Forward: t = tanh(x) = 0.462, y = x t = 0.231.  Backward, newest first:

    y   g = dy/dy = 1                              hands   x the share g t = 0.462   and   t the share g x = 0.5
    t   g = 0.5                                    hands   x the share g (1 - t^2) = 0.5 * 0.786 = 0.393
    x   g = 0.462 + 0.393 = 0.855                  which is tanh(x) + x (1 - tanh(x)^2)

Why backwards?  One pass from the output finds its derivatives by *all* inputs (reverse mode).  A pass from an input
towards the outputs (forward mode) finds those of all outputs by *one* input; a loss is one output of a million inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from .checks.operators import check_fits, check_seed, check_tensor, named_error, tensors_in
from .recording import recording
from .tensor import Operand, Primitive, Tensor, as_tensors, constant
from .value import FLOAT_SCALARS

# fmt: off

def history(output: Tensor) -> list[Tensor]:
    """Every Tensor that output was computed from, itself included, newest first; TypeError unless it is a Tensor.

    This is a topological order: each Tensor comes before its inputs.  Why order at all?  Take `b = a + a; c = b + b`.
    c hands two shares of 1 to b, and dc/da is 4.  If b passed on its gradient as soon as the first share is there, a
    would get 1 + 1 = 2.  (If b passed on each share by itself, a would get 4, but n such lines would take 2^n steps.)
    Newest first, b waits for both: it was born after its inputs, so whatever was computed from b is younger, and has
    handed over its share before it is b's turn.

    >>> a = Tensor(1.0, name="a")
    >>> b = a + a
    >>> c = b + b
    >>> history(c) == [c, b, a]
    True
    """
    check_tensor(output, "a Tensor has a history, got {}: NumPy's functions record nothing")
    seen, todo = {output}, [output]
    while todo:  # a list of our own: a recursion over 100,000 operators would overflow Python's stack
        for x in todo.pop().inputs:
            if x not in seen:
                seen.add(x)
                todo.append(x)
    return sorted(seen, key=attrgetter("birth"), reverse=True)

def gradients(output: Tensor, wrt: Iterable[Tensor], seed: Operand | None = None) -> list[Tensor]:
    """The gradients of output with respect to each Tensor in wrt, as Tensors that have recipes of their own.

    dL/dx for L = sum(seed * output); seed has output's shape and is all ones if not given, so for a scalar output
    L is the output itself.  A Tensor that output does not depend on gets zeros.
    Raises TypeError where something else than Tensors is given, ValueError for a seed of another shape.
    Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.2 (reverse mode).

    >>> x = Tensor(3.0)
    >>> [slope] = gradients(x ** 3, [x])
    >>> [bend] = gradients(slope, [x])
    >>> slope.item(), bend.item()
    (27.0, 18.0)
    """
    xs: list[Tensor] = tensors_in(wrt)
    wanted = set(xs)
    newest_first = history(output)
    on_path = _on_path(newest_first, wanted)
    sums = {output: _seed(output, seed)}  # for each Tensor, the sum of the shares that have arrived so far
    for t in newest_first:
        if t in sums:
            g = sums[t] if t in wanted else sums.pop(t)  # passed on and then forgotten: its memory is free
            for i, x in enumerate(t.inputs):
                if x in on_path and (share := _share(g, t, i)) is not None:
                    sums[x] = sums[x] + share if x in sums else share
    return [sums[x] if x in sums else _uniform(0.0, x) for x in xs]

def _on_path(newest_first: list[Tensor], wanted: set[Tensor]) -> set[Tensor]:
    """The Tensors that lead from a wanted one to the output: gradients elsewhere would be computed for nothing."""
    on_path = set(wanted)
    for t in reversed(newest_first):
        if not on_path.isdisjoint(t.inputs):
            on_path.add(t)
    return on_path

def _share(g: Tensor, t: Tensor, i: int) -> Tensor | None:
    """What t's rule for its input i makes of g, in the shape and dtype of that input; None if the rule is None."""
    primitive: Primitive = t.primitive  # type: ignore[assignment]  # what has inputs was made by one
    try:
        if (rule := primitive.vjp(i)) is None:
            return None
        share = rule(g, t, *t.inputs, **t._params)
        if not isinstance(share, Tensor):
            raise TypeError(f"it must return a Tensor, and it returned {type(share).__name__}")
        return unbroadcast(share, t.inputs[i])
    except Exception as error:
        raise named_error(error, f"rule {i} of {primitive.name}") from error

def unbroadcast(share: Tensor, x: Tensor) -> Tensor:
    """Sum share down to the shape of x, in x's dtype: broadcasting backwards, done here once for all operators.

    Where NumPy repeated x along an axis, each copy has its own gradient, and x gets their sum.  (A rule that returns
    too large a gradient by mistake is summed as well; `finite.check_gradients` finds that.)
    Raises ValueError for a shape that x does not broadcast to.

    >>> unbroadcast(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[0.0], [0.0]])).data.tolist()
    [[3.0], [7.0]]
    """
    value, like = share._value, x._value
    one_number = type(value) is type(like) and type(like) in FLOAT_SCALARS  # of NumPy's, so it has this shape and dtype
    if one_number or (value.shape == like.shape and value.dtype == like.dtype):
        return share
    check_fits(share.shape, x.shape)
    new = share.ndim - x.ndim
    repeated = [i for i, n in enumerate(x.shape, start=new) if n != share.shape[i]]
    if axes := (*range(new), *repeated):
        share = share.sum(axis=axes)
    share = share if share.shape == x.shape else share.reshape(x.shape)
    return share if share.dtype == x.dtype else share.astype(x.dtype)

def backward(output: Tensor, seed: Operand | None = None) -> None:
    """Fill `.grad` of every Tensor in the history of output with dL/d of it, L = sum(seed * output) as in `gradients`.

    A second backward replaces what the first has left (PyTorch would add to it).  `.grad` is a plain value: with a
    recipe it would lead back to the Tensor that holds it, and the two would keep each other alive.  To differentiate a
    gradient, or to leave no trace on the Tensors, use `gradients`.
    Raises TypeError unless output is a Tensor, ValueError for a seed of another shape.

    A step of learning is then: a new Tensor for each weight, a little further down.

    >>> w = Tensor([1.0, 2.0])
    >>> for _ in range(100):
    ...     loss = (w * w).sum()
    ...     backward(loss)
    ...     w = Tensor(w.data - 0.1 * w.grad.data)  # `w = w - 0.1 * w.grad` would chain each step to all before
    >>> w.data.round(6).tolist()
    [0.0, 0.0]
    """
    everything = history(output)
    seed = seed.detach() if isinstance(seed, Tensor) else seed
    with recording(False):
        for t, g in zip(everything, gradients(output, everything, seed), strict=True):
            t.grad = g

def tensor_of(f: Callable[..., Tensor], *xs: Tensor) -> Tensor:
    """f(*xs); TypeError unless that is a Tensor."""
    y = f(*xs)
    check_tensor(y, "the function must return a Tensor, and it returned {}")
    return y

def _seed(output: Tensor, seed: Operand | None) -> Tensor:
    if seed is None:
        return _uniform(1.0, output)
    _, given = as_tensors(output, seed)
    check_seed(given.shape, output.shape)
    return given if given.dtype == output.dtype else given.astype(output.dtype)

def _uniform(value: float, like: Tensor) -> Tensor:
    """One number in the shape of another Tensor: a view, which takes no memory."""
    number = constant(value, like.dtype)
    return number if like.ndim == 0 else number.broadcast_to(like.shape)
