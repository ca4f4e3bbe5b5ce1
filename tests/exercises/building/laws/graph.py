"""Steps 1 to 6: values, recipes, their order, and what flows back along them."""

from __future__ import annotations

import gc
import operator
import weakref
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...kit import reals
from .common import (
    Array,
    Program,
    close,
    demand,
    for_all,
    has_slopes,
    is_tensor,
    programs,
    rule,
    same,
    slopes,
    told,
    units,
    values,
    whole,
)

numbers = st.integers(-3, 3)
away_from_0 = reals(3).map(lambda x: np.where(np.abs(x) < 0.3, 1.0, x))

# 1 a value and its recipe


@for_all(x=whole(2, 3), row=st.lists(numbers, min_size=1, max_size=3), number=numbers)
def a_tensor_holds_floats(e: Any, x: Array, row: list[int], number: int) -> None:
    """data is an array of floats, whatever the Tensor was made of; shape is the array's."""
    for made_of in (x, row, number, np.array(row)):
        t = e.Tensor(made_of)
        demand(
            isinstance(t.data, np.ndarray) and t.data.dtype == np.float64,
            f"of {made_of!r}, data has the type {getattr(t.data, 'dtype', type(t.data).__name__)}, and not float64",
        )
        same(t.data, np.asarray(made_of, float))
        demand(tuple(t.shape) == np.shape(made_of), f"shape is {t.shape}, and not {np.shape(made_of)}")


@for_all(x=whole(3))
def a_tensor_keeps_a_copy(e: Any, x: Array) -> None:
    """What happens to the array afterwards does not reach the Tensor."""
    before = x.copy()
    t = e.Tensor(x)
    x += 1
    same(t.data, before)


@for_all(x=whole(2), op=st.sampled_from(["add", "multiply", "of my own"]))
def a_tensor_keeps_its_recipe(e: Any, x: Array, op: str) -> None:
    """op, inputs and rules are there as they were given; a Tensor without a recipe has none of them."""
    a, b = e.Tensor(x), e.Tensor(x)
    rules = [lambda g: g, lambda g: g * 2]
    t = e.Tensor(x, op, [a, b], rules)
    demand(t.op == op, f"op is {t.op!r}, and was given as {op!r}")
    demand(
        len(t.inputs) == 2 and t.inputs[0] is a and t.inputs[1] is b, f"inputs are {t.inputs}, and were given as [a, b]"
    )
    demand(
        len(t.rules) == 2 and t.rules[0] is rules[0] and t.rules[1] is rules[1], "rules are not those that were given"
    )
    demand(len(a.inputs) == len(a.rules) == 0, "a Tensor that was not computed has no inputs and no rules")


@for_all(x=whole(2))
def recipes_are_not_shared(e: Any, x: Array) -> None:
    """Adding to the list that was given, or to another Tensor's, changes no Tensor."""
    given_inputs, a = [], e.Tensor(x)
    t = e.Tensor(x, "f", given_inputs, [])
    given_inputs.append(a)
    demand(len(t.inputs) == 0, "inputs grew when the list that was given grew: keep a tuple")


@for_all(x=whole(2))
def tensors_are_told_apart(e: Any, x: Array) -> None:
    """Two Tensors of the same numbers are two, in a set or as keys; tensor(t) is t itself, tensor(array) a new one."""
    a, b = e.Tensor(x), e.Tensor(x)
    demand(len({a, b}) == 2, "a set of two Tensors has one member: Tensors must not be compared by their numbers")
    demand(e.tensor(a) is a, "tensor(t) should be t itself")
    is_tensor(e, e.tensor(x), "tensor(array)")
    same(e.tensor(x).data, x)


# 2 adding and multiplying


@for_all(x=whole(3), y=whole(3), number=numbers)
def sums_and_products_have_their_values(e: Any, x: Array, y: Array, number: int) -> None:
    """add and multiply take Tensors, arrays and numbers."""
    for a, b in (e.Tensor(x), e.Tensor(y)), (e.Tensor(x), y), (x, e.Tensor(y)), (e.Tensor(x), float(number)):
        told(lambda a=a, b=b: same(e.add(a, b).data, values(a) + values(b)), "add")
        told(lambda a=a, b=b: same(e.multiply(a, b).data, values(a) * values(b)), "multiply")


@for_all(x=whole(3), y=whole(3))
def recipes_name_the_inputs(e: Any, x: Array, y: Array) -> None:
    """The result's inputs are a and b, in this order, and there is a rule for each."""
    a, b = e.Tensor(x), e.Tensor(y)
    for f in e.add, e.multiply:
        t = f(a, b)
        demand(len(t.inputs) == 2 and t.inputs[0] is a and t.inputs[1] is b, f"the inputs of {t.op!r} are not a and b")
        demand(len(t.rules) == 2, f"{t.op!r} has {len(t.rules)} rules for two inputs")


@for_all(x=whole(3), y=whole(3), g=whole(3))
def rules_are_the_chain_rule(e: Any, x: Array, y: Array, g: Array) -> None:
    """What flows back through a sum is g for both; through a product, g times the other factor."""
    a, b, seed = e.Tensor(x), e.Tensor(y), e.Tensor(g)
    for f, expected in (e.add, (g, g)), (e.multiply, (g * y, g * x)):
        t = f(a, b)
        for i in range(2):
            told(
                lambda t=t, i=i, expected=expected: same(rule(t, i, seed, (a, b)[i]), expected[i]),
                f"rule {i} of {t.op!r}",
            )


@for_all(x=whole(3), y=whole(3), g=whole(3))
def what_flows_back_has_a_recipe(e: Any, x: Array, y: Array, g: Array) -> None:
    """A rule computes with Tensors, so that its result can be differentiated: g * b has the inputs g and b."""
    a, b, seed = e.Tensor(x), e.Tensor(y), e.Tensor(g)
    t = e.multiply(a, b)
    for i, other in (0, b), (1, a):
        share = t.rules[i](seed)
        is_tensor(e, share, "what a rule gives")
        demand(
            any(p is other for p in share.inputs),
            f"rule {i} of {t.op!r} lost its recipe: compute with Tensors, not with their data",
        )


@for_all(x=whole(3), y=whole(3), number=numbers)
def signs_are_operators(e: Any, x: Array, y: Array, number: int) -> None:
    """a + b, a - b, a * b, -a, with numbers and arrays on either side."""
    a, b = e.Tensor(x), e.Tensor(y)
    kinds = {"Tensor": (a, x), "other Tensor": (b, y), "number": (number, number), "array": (y, y)}
    pairs = [("Tensor", "other Tensor"), ("Tensor", "number"), ("number", "Tensor"), ("Tensor", "array")]
    for left, right in [*pairs, ("array", "Tensor")]:
        (p, u), (q, v) = kinds[left], kinds[right]
        for sign, f in ("+", operator.add), ("-", operator.sub), ("*", operator.mul):
            is_tensor(e, f(p, q), f"{left} {sign} {right}")
            told(lambda f=f, p=p, q=q, u=u, v=v: same(f(p, q).data, f(u, v)), f"{left} {sign} {right}")
    is_tensor(e, -a, "-Tensor")
    told(lambda: same((-a).data, -x), "-Tensor")


@for_all(x=whole(2), y=whole(2), g=whole(2))
def a_difference_has_its_rules(e: Any, x: Array, y: Array, g: Array) -> None:
    """Walking back from a - b by hand: a gets g, b gets -g; from 2 - b, b gets -g."""
    a, b = e.Tensor(x), e.Tensor(y)
    for what, t, wrt, expected in (
        ("a in a - b", a - b, a, g),
        ("b in a - b", a - b, b, -g),
        ("b in 2 - b", 2 - b, b, -g),
        ("b in -b", -b, b, -g),
        ("a in array - a", y - a, a, -g),
    ):
        told(
            lambda t=t, wrt=wrt, expected=expected: same(by_hand(e, t, wrt, e.Tensor(g)), expected),
            f"the gradient of {what}",
        )


def by_hand(e: Any, t: Any, wrt: Any, g: Any) -> Array:
    """The sum over all paths, which is right for every graph, and slow."""
    if t is wrt:
        return values(g)
    parts = [by_hand(e, x, wrt, rule(g)) for x, rule in zip(t.inputs, t.rules, strict=True)]
    return sum(parts, np.zeros(wrt.shape))


# 3 history


@for_all(program=programs)
def history_has_everything_once(e: Any, program: Program) -> None:
    """Every Tensor that y was computed from, y itself included, and none twice."""
    made = program.run(e, e.Tensor(1.0), e.Tensor(2.0))
    visits = visited(e, made)
    picture = program.picture("the graph, and the order of the visit", visits)
    twice = [program.names()[k] for k in visits if visits.count(k) > 1]
    missing = [program.names()[k] for k in program.reached() if k not in visits]
    demand(not missing, f"history leaves out {', '.join(missing)}", picture)
    demand(not twice, f"history has {twice[0] if twice else ''} more than once", picture)
    demand(len(visits) == len(program.reached()), "history has Tensors that y was not computed from", picture)


@for_all(program=programs)
def history_goes_from_y_to_the_leaves(e: Any, program: Program) -> None:
    """y comes first, and each Tensor before all of its inputs; which of several such orders is free."""
    made = program.run(e, e.Tensor(1.0), e.Tensor(2.0))
    visits = visited(e, made)
    names, place = program.names(), {k: n for n, k in enumerate(visits)}
    picture = program.picture("the graph, and the order of the visit", visits)
    demand(visits[:1] == [len(made) - 1], f"history does not begin with y (here {names[len(made) - 1]})", picture)
    for k, (_, *sources) in enumerate(program.steps):
        for source in sources:
            if k + 2 in place and source in place and place[source] < place[k + 2]:
                text = f"{names[source]} comes before {names[k + 2]}, which has not passed on its share to it yet"
                demand(False, text, picture)


def visited(e: Any, made: list[Any]) -> list[int]:
    """The numbers of the Tensors in the order of their visit."""
    return [next((k for k, t in enumerate(made) if t is found), -1) for found in e.history(made[-1])]


class Counted(tuple[Any, ...]):
    """Inputs that count how often they are walked through, all together."""

    walks = 0

    def __iter__(self) -> Any:
        Counted.walks += 1
        demand(Counted.walks < 1000, "of sixty doublings, history walks through the same Tensors again and again")
        return super().__iter__()


def history_is_quick_where_paths_are_many(e: Any) -> None:
    """Sixty doublings, x + x; y + y; ...: 61 Tensors and 2^60 paths, so no Tensor may be walked through twice."""
    t = e.Tensor(1.0)
    for _ in range(60):
        t = e.add(t, t)
        t.inputs = Counted(t.inputs)
    Counted.walks = 0
    found = len(list(e.history(t)))
    demand(found == 61, f"the history of sixty doublings has {found} Tensors, and should have 61")


def history_of_a_long_chain_needs_no_stack(e: Any) -> None:
    """Ten thousand operators in a row: a list of your own takes them, Python's stack does not."""
    t = e.Tensor(0.0)
    for _ in range(10_000):
        t = e.add(t, 1.0)
    try:
        demand(len(list(e.history(t))) == 20_001, "the history of a chain of 10,000 operators is not complete")
    except RecursionError:
        raise AssertionError(
            "a function that calls itself for each input ends in a RecursionError: keep a list of what is still to do"
        ) from None


# 4 gradients


@for_all(program=programs, x=units, y=units, seed=whole(2))
def gradients_are_exact(e: Any, program: Program, x: Array, y: Array, seed: Array) -> None:
    """For sums and products of whole numbers, the gradients are those of calculus to the last bit."""
    a, b = e.Tensor(x), e.Tensor(y)
    one, zero = np.ones(2), np.zeros(2)
    found = e.gradients(program.run(e, a, b)[-1], [a, b], seed)
    expected = [seed * program.slope(x, y, one, zero), seed * program.slope(x, y, zero, one)]
    picture = program.picture(f"the graph, for x = {x.tolist()}, y = {y.tolist()} and the seed {seed.tolist()}")
    for name, g, right in zip("xy", found, expected, strict=True):
        is_tensor(e, g, "a gradient")
        told_with(lambda g=g, right=right: same(g.data, right), f"the gradient of {name}", picture)


def told_with(comparison: Any, what: str, picture: Any) -> None:
    try:
        comparison()
    except AssertionError as error:
        demand(False, f"{what}: {error}", picture)


@for_all(x=whole(2, 2), y=whole(2, 2))
def the_seed_is_ones_unless_given(e: Any, x: Array, y: Array) -> None:
    """Without a seed the gradient is that of the sum of y."""
    a, b = e.Tensor(x), e.Tensor(y)
    da, db = e.gradients(e.multiply(a, b), [a, b])
    told(lambda: same(da.data, y), "the gradient of a in a * b")
    told(lambda: same(db.data, x), "the gradient of b in a * b")


@for_all(x=whole(2, 3), y=whole(2, 3))
def what_was_not_used_gets_zeros(e: Any, x: Array, y: Array) -> None:
    """Zeros of its shape, as a Tensor; and y itself gets the seed."""
    a, unused = e.Tensor(x), e.Tensor(y)
    t = e.add(a, a)
    zero, whole_ = e.gradients(t, [unused, t], y)
    is_tensor(e, zero, "the gradient of what was not used")
    told(lambda: same(zero.data, np.zeros((2, 3))), "the gradient of what was not used")
    told(lambda: same(whole_.data, y), "the gradient of y itself")


@for_all(program=programs, x=units, y=units)
def asking_again_gives_the_same(e: Any, program: Program, x: Array, y: Array) -> None:
    """A gradient belongs to the question: nothing is left of it in the Tensors."""
    a, b = e.Tensor(x), e.Tensor(y)
    t = program.run(e, a, b)[-1]
    first = [g.data.copy() for g in e.gradients(t, [a, b])]
    e.gradients(t, [b])
    for name, before, g in zip("xy", first, e.gradients(t, [a, b]), strict=True):
        told(lambda g=g, before=before: same(g.data, before), f"the gradient of {name}, asked for again")
    told(lambda: same(t.data, program.run(e, e.Tensor(x), e.Tensor(y))[-1].data), "the value, after gradients")


@for_all(program=programs, x=units, y=units)
def inner_values_have_gradients_too(e: Any, program: Program, x: Array, y: Array) -> None:
    """xs may be any Tensors on the way: a share that goes to an input later must not change what its maker got."""
    made = program.run(e, e.Tensor(x), e.Tensor(y))
    reached = sorted(program.reached())
    together = e.gradients(made[-1], [made[k] for k in reached])
    for k, g in zip(reached, together, strict=True):
        (alone,) = e.gradients(made[-1], [made[k]])
        name = program.names()[k]
        told(lambda g=g, alone=alone: same(g.data, alone.data), f"the gradient of {name}, asked for with others")
        right = by_hand(e, made[-1], made[k], e.Tensor(np.ones(2)))
        told(lambda g=g, right=right: same(g.data, right), f"the gradient of {name}")


@for_all(x=units)
def a_gradient_can_be_differentiated(e: Any, x: Array) -> None:
    """x * x * x has the gradient 3 x^2, and that has the gradient 6 x."""
    t = e.Tensor(x)
    (first,) = e.gradients(e.multiply(e.multiply(t, t), t), [t])
    told(lambda: same(first.data, 3 * x * x), "the gradient of x * x * x")
    (second,) = e.gradients(first, [t])
    told(lambda: same(second.data, 6 * x), "the gradient of its gradient")


def gradients_of_a_long_chain(e: Any) -> None:
    """Two thousand operators in a row, each used twice: the gradient of the first is 2^20 for 20 doublings."""
    x = e.Tensor(1.0)
    t = x
    for n in range(2000):
        t = e.add(t, t) if n % 100 == 0 else e.add(t, 1.0)
    same(e.gradients(t, [x])[0].data, 2.0**20)


# 5 functions of one number

FUNCTIONS = {"exp": np.exp, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}


@for_all(x=away_from_0)
def functions_have_their_values(e: Any, x: Array) -> None:
    """exp, log, tanh, relu and power, of Tensors and of arrays."""
    for name, f in FUNCTIONS.items():
        for argument in (e.Tensor(x), x):
            told(lambda f=f, name=name, argument=argument: close(getattr(e, name)(argument).data, f(x), 1e-12), name)
    told(lambda: close(e.log(np.abs(x)).data, np.log(np.abs(x)), 1e-12), "log")
    for n in (0, 1, 2, 3, -1):
        told(lambda n=n: close(e.power(x, n).data, x**n, 1e-12), f"power(x, {n})")
        told(lambda n=n: close((e.Tensor(x) ** n).data, x**n, 1e-12), f"x ** {n}")


@for_all(x=away_from_0, seed=whole(3), second=whole(3))
def functions_have_their_slopes(e: Any, x: Array, seed: Array, second: Array) -> None:
    """Their derivatives, and the derivatives of these, are what finite differences say, for any seed."""
    for name in FUNCTIONS:
        has_slopes(e, getattr(e, name), x, seed, second, name)
    has_slopes(e, e.log, np.abs(x), seed, second, "log")
    for n in (0, 1, 2, 3, -1):
        has_slopes(e, lambda x, n=n: e.power(x, n), x, seed, second, f"power(x, {n})")


@for_all(x=whole(3), seed=whole(3))
def powers_have_slopes_at_0(e: Any, x: Array, seed: Array) -> None:
    """x^0 is flat and x^1 has the slope 1, at 0 too, where 0 * 0^-1 would not be a number."""
    for n, slope in (0, np.zeros(3)), (1, np.ones(3)), (2, 2 * x):
        t = e.Tensor(x)
        with np.errstate(all="ignore"):
            (g,) = e.gradients(e.power(t, n), [t], seed)
            told(lambda g=g, slope=slope: same(g.data, seed * slope), f"the derivative of power(x, {n})")


@for_all(x=away_from_0, y=away_from_0, seed=whole(3), second=whole(3), number=st.sampled_from([-2.0, 0.5, 3.0]))
def quotients_have_values_and_slopes(e: Any, x: Array, y: Array, seed: Array, second: Array, number: float) -> None:
    """a / b, with a number or an array on either side, and the slopes of both."""
    a, b = e.Tensor(x), e.Tensor(y)
    for what, found, expected in (
        ("Tensor / Tensor", a / b, x / y),
        ("Tensor / number", a / number, x / number),
        ("number / Tensor", number / a, number / x),
        ("Tensor / array", a / y, x / y),
        ("array / Tensor", x / b, x / y),
    ):
        told(lambda found=found, expected=expected: close(found.data, expected, 1e-12), what)
    has_slopes(e, lambda x: x / y, x, seed, second, "x / y by x")
    has_slopes(e, lambda y: x / y, y, seed, second, "x / y by y")


def what_is_no_longer_used_is_freed(e: Any) -> None:
    """No Tensor is caught in its own rule: a rule that reads its result keeps both alive in a circle."""
    gc.collect()
    gc.disable()
    try:
        for name in (*FUNCTIONS, "log"):
            t = getattr(e, name)(e.Tensor([1.0, 2.0]))
            gone = weakref.ref(t)
            del t
            demand(
                gone() is None, f"a rule of {name} reads its own result, which then never goes: compute it again from x"
            )
    finally:
        gc.enable()


# 6 the derivative of a derivative


@for_all(x=whole(3), v=whole(3))
def bend_is_exact_for_powers(e: Any, x: Array, v: Array) -> None:
    """For x^3 the gradient is 3 x^2, and in the direction v it changes by 6 x v; for x^2 by 2 v."""
    told(lambda: same(e.bend(lambda x: x * x * x, x, v).data, 6 * x * v), "for x * x * x")
    told(lambda: same(e.bend(lambda x: x * x, e.Tensor(x), v).data, 2 * v), "for x * x, x a Tensor")


@for_all(x=whole(3), v=whole(3))
def bend_mixes_what_f_mixes(e: Any, x: Array, v: Array) -> None:
    """For x times x from behind, element i moves the slope of its opposite: the Hessian takes v to 2 v from behind."""

    def turn(t: Any) -> Any:
        return e.Tensor(t.data[::-1], "turn", [t], [turn])

    same(e.bend(lambda x: x * turn(x), x, v).data, 2 * v[::-1])


@for_all(x=reals(3), v=whole(3), u=whole(3))
def bend_is_the_slope_of_the_gradient(e: Any, x: Array, v: Array, u: Array) -> None:
    """It is what finite differences of the gradient say in the direction v; and <u, bend(v)> = <v, bend(u)>."""

    def f(x: Any) -> Any:
        return e.tanh(x) * x + e.exp(x)

    def slope(x: Array) -> Any:
        t = e.Tensor(x)
        return e.gradients(f(t), [t])[0]

    found = e.bend(f, x, v)
    is_tensor(e, found, "bend(f, x, v)")
    close(found, slopes(slope, x, v), 1e-4)
    close((values(found) * u).sum(), (values(e.bend(f, x, u)) * v).sum(), 1e-9)
