"""Networks that are no chains: wires, letters, fields, jumps and pictures are those of index arithmetic."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
from minitensor import Tensor, concatenate, relu, sigmoid, softmax, stack, tanh
from viz import connections, connectivity

from .relations import Relation, as_sets, joined, same_units, then, window

N = 24  # units of a row: as many as the widest field that is drawn here needs, and some beside it


class Made(NamedTuple):
    """A network on a row of N units, its relation from end to end, and the relation from the input to each layer."""

    model: nets.Module
    whole: Relation
    rows: dict[str, Relation]


def field(relation: Relation) -> int:
    """How many inputs lie from the first to the last that an output sees, of the output that sees most."""
    seen = by_output(relation)
    return max(max(inputs) - min(inputs) + 1 for inputs in seen.values())


def jump(relation: Relation) -> int:
    """How far the fields of two neighbours lie apart, where none is cut off by the border."""
    seen = {i: inputs for i, inputs in by_output(relation).items() if min(inputs) > 0}
    return min(min(seen[i + 1]) - min(seen[i]) for i in seen if i + 1 in seen)


def by_output(relation: Relation) -> dict[int, set[int]]:
    seen: dict[int, set[int]] = {}
    for j, i in relation:
        seen.setdefault(i, set()).add(j)
    return seen


def conv(k: int, dilation: int = 1) -> nets.Conv1d:
    """As many units as before; its bias must not show in a letter."""
    return nets.Conv1d(1, 1, k, padding=dilation * (k - 1) // 2, dilation=dilation)


def spread(n: int, k: int, dilation: int, name: str) -> Relation:
    """A window of k taps that lie apart."""
    taps = ((h, i, h + dilation * (i - k // 2)) for h, i in product(range(n), range(k)))
    return {(x, h): frozenset({(name, i)}) for h, i, x in taps if 0 <= x < n}


odd = st.sampled_from([1, 3, 5])


class Residual(nets.Module):
    def __init__(self, a: int, b: int, dilation: int) -> None:
        self.a, self.b = conv(a), conv(b, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return relu(x + self.b(relu(self.a(x))))


@st.composite
def residual_blocks(draw: st.DrawFn) -> Made:
    a, b, dilation = draw(odd), draw(odd), draw(st.integers(1, 2))
    one = window(N, a, "a.weight")
    two = then(one, spread(N, b, dilation, "b.weight"))
    return Made(Residual(a, b, dilation), joined(same_units(N), two), {"a": one, "b": two})


class Branches(nets.Module):
    def __init__(self, a: int, b: int) -> None:
        self.a, self.b, self.after = conv(a), conv(b), nets.Conv1d(2, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(concatenate([relu(self.a(x)), tanh(self.b(x))], axis=1))


@st.composite
def parallel_branches(draw: st.DrawFn) -> Made:
    a, b = draw(odd), draw(odd)
    one, two = window(N, a, "a.weight"), window(N, b, "b.weight")
    behind = [{(i, i): frozenset({("after.weight", c)}) for i in range(N)} for c in range(2)]
    whole = joined(then(one, behind[0]), then(two, behind[1]))
    return Made(Branches(a, b), whole, {"a": one, "b": two, "after": whole})


class Gated(nets.Module):
    def __init__(self, a: int, b: int) -> None:
        self.gate, self.value = conv(a), conv(b)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(self.gate(x)) * tanh(self.value(x))


@st.composite
def gated_units(draw: st.DrawFn) -> Made:
    a, b = draw(odd), draw(odd)
    gate, value = window(N, a, "gate.weight"), window(N, b, "value.weight")
    return Made(Gated(a, b), joined(gate, value), {"gate": gate, "value": value})


class UShaped(nets.Module):
    """Down by s, a convolution, up by s, and the skip beside it."""

    def __init__(self, s: int, k: int, skip: int) -> None:
        self.down, self.low = nets.Conv1d(1, 1, s, stride=s), conv(k)
        self.up, self.skip = nets.ConvTranspose1d(1, 1, s, stride=s), conv(skip)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.up(relu(self.low(relu(self.down(x)))))) + self.skip(x)


@st.composite
def u_shaped_networks(draw: st.DrawFn) -> Made:
    s, k, skip = draw(st.sampled_from([2, 3, 4])), draw(odd), draw(odd)
    places = list(product(range(N // s), range(s)))
    down: Relation = {(s * i + t, i): frozenset({("down.weight", t)}) for i, t in places}
    up: Relation = {(i, s * i + t): frozenset({("up.weight", t)}) for i, t in places}
    low, beside = then(down, window(N // s, k, "low.weight")), window(N, skip, "skip.weight")
    return Made(UShaped(s, k, skip), joined(then(low, up), beside), {"down": down, "low": low, "skip": beside})


networks = st.one_of(residual_blocks(), parallel_branches(), gated_units(), u_shaped_networks())


@given(networks)
@settings(max_examples=40)
def test_wires_and_letters_are_those_of_index_arithmetic(made: Made) -> None:
    assert as_sets(connections(made.model, (1, N))) == made.whole


@given(networks)
@settings(max_examples=40)
def test_fields_and_jumps_are_those_of_index_arithmetic(made: Made) -> None:
    rows = {row.name: (row.receptive_field, row.jump) for row in nets.summary(made.model, (1, N)).rows}
    assert {name: rows[name] for name in made.rows} == {
        name: (field(relation), jump(relation)) for name, relation in made.rows.items()
    }


@given(networks, st.integers(0, N - 1), st.sampled_from(["below", "above"]))
@settings(max_examples=20)
def test_the_picture_has_these_wires_and_marks_what_a_unit_reaches_or_sees(
    made: Made, unit: int, direction: str
) -> None:
    drawing = connectivity(made.model, (1, N), highlight=unit, direction=direction).drawing
    assert {(w.tail, w.head - N) for w in drawing.wires} == made.whole.keys()
    down = direction == "above"
    met = {(j, i) for j, i in made.whole if (i if down else j) == unit}
    assert {(w.tail, w.head - N) for w in drawing.wires if w.front} == met
    focus, marked = (
        {n for n, s in enumerate(drawing.shapes) if s.looks.get("fillcolor") == colour} for colour in TINTS
    )
    assert focus == {unit + N * down}
    assert marked == {j if down else i + N for j, i in met}


TINTS = ("#E69F00", "#CFE8F7")


# -- tokens and time steps ---------------------------------------------------------------------------------------------


class Attention(nets.Module):
    """Self-attention over n tokens of d numbers each, x (d, n), with a causal mask or without."""

    def __init__(self, d: int, causal: bool) -> None:
        rng = np.random.default_rng(0)
        self.q, self.k, self.v = (Tensor(rng.normal(size=(d, d)), name=name) for name in "qkv")
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        tokens = x[0].T
        scores = (tokens @ self.q) @ (tokens @ self.k).T
        if self.causal:
            scores = scores + np.triu(np.full(scores.shape, -1e9), 1)
        return (softmax(scores, axis=1) @ (tokens @ self.v)).T.reshape(x.shape)


class Recurrent(nets.Module):
    """h_t = tanh(u x_t + w h_(t-1)), for time steps x (d, n)."""

    def __init__(self, d: int) -> None:
        rng = np.random.default_rng(1)
        self.u, self.w = (Tensor(rng.normal(size=(d, d)), name=name) for name in "uw")

    def forward(self, x: Tensor) -> Tensor:
        state, states = tanh(x[:, :, 0] @ self.u), list[Tensor]()
        for t in range(x.shape[2]):
            state = tanh(x[:, :, t] @ self.u + state @ self.w) if t else state
            states.append(state)
        return stack(states, axis=2)


@given(st.integers(2, 5), st.integers(1, 2), st.booleans())
@settings(max_examples=12)
def test_a_token_sees_all_tokens_or_those_that_came_before_it(n: int, d: int, causal: bool) -> None:
    """By its value (v) and through its score: the letters of k on the other's way, those of q on its own."""
    model = Attention(d, causal)
    found = as_sets(connections(model, (d, n)))
    seen = [(b, a) for b, a in product(range(n), repeat=2) if b <= a or not causal]
    assert found.keys() == {(j * n + b, i * n + a) for b, a in seen for j, i in product(range(d), repeat=2)}
    for (b, a), j, i in product(seen, range(d), range(d)):
        value = {("v", j * d + i)}
        if causal and a == 0:
            assert found[j * n + b, i * n + a] >= value
            continue
        key, query = ({(name, j * d + m) for m in range(d)} for name in "kq")
        assert found[j * n + b, i * n + a] == value | key | (query if a == b else set())
    assert nets.summary(model, (d, n)).rows[0].receptive_field == n
    drawing = connectivity(model, (d, n), unit=1).drawing
    assert {(w.tail, w.head - n) for w in drawing.wires} == set(seen)


@given(st.integers(2, 5), st.integers(1, 2))
@settings(max_examples=12)
def test_a_state_sees_all_time_steps_before_it_through_the_matrix_of_the_state(n: int, d: int) -> None:
    model = Recurrent(d)
    found = as_sets(connections(model, (d, n)))
    earlier = [(b, a) for b, a in product(range(n), repeat=2) if b <= a]
    assert found.keys() == {(j * n + b, i * n + a) for b, a in earlier for j, i in product(range(d), repeat=2)}
    for (b, a), j, i in product(earlier, range(d), range(d)):
        read = {("u", j * d + i)} if a == b else {("u", j * d + m) for m in range(d)}
        if a == b:
            on = set()
        elif a == b + 1:
            on = {("w", m * d + i) for m in range(d)}
        else:  # by way of any unit of the states between
            on = {("w", k) for k in range(d * d)}
        assert found[j * n + b, i * n + a] == read | on
    assert nets.summary(model, (d, n)).rows[0].receptive_field == n
    drawing = connectivity(model, (d, n), unit=1).drawing
    assert {(w.tail, w.head - n) for w in drawing.wires} == set(earlier)
