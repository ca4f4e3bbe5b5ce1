"""Steps 15 and 16: layers that own their parameters, steps downhill, and a network that learns."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .common import Array, close, demand, for_all, is_tensor, same, told, whole

seeds = st.integers(0, 99)

# 15 layers and steps


@for_all(x=whole(2))
def parameters_are_found_once(e: Any, x: Array) -> None:
    """Tensors in attributes, in Modules within and in lists, each once however often it is used; nothing else."""

    class Layer(e.Module):
        def __init__(self, **parts: Any) -> None:
            vars(self).update(parts)

    a, b, c, d = (e.Tensor(x) for _ in range(4))
    inner = Layer(w=a, name="inner", size=3)
    model = Layer(first=inner, again=inner, b=b, parts=[Layer(w=c), d, "text", 2], shared=a, none=None, array=x)
    found = list(model.parameters())
    demand(len(found) == len(set(found)), "a parameter is listed twice")
    for name, p in ("an attribute", b), ("a Module within", a), ("a list", d), ("a Module in a list", c):
        demand(any(p is q for q in found), f"the parameter in {name} is not found")
    demand(len(found) == 4, f"{len(found)} parameters are found, and there are 4")
    demand(list(Layer().parameters()) == [], "a Module without Tensors has no parameters")


@for_all(seed=seeds, c=st.integers(1, 3), o=st.integers(1, 3), x=whole(2, 3))
def dense_is_a_product_and_a_bias(e: Any, seed: int, c: int, o: int, x: Array) -> None:
    """Dense(c, o, rng): w (c, o), b (o) of zeros, and x @ w + b."""
    layer = e.Dense(c, o, np.random.default_rng(seed))
    demand(layer.w.shape == (c, o) and layer.b.shape == (o,), f"w has shape {layer.w.shape}, b {layer.b.shape}")
    same(layer.b.data, np.zeros(o))
    layer.b.data = np.arange(1.0, o + 1)
    close(layer(x[:, :c]).data, x[:, :c] @ layer.w.data + layer.b.data, 1e-9)
    demand(len(list(layer.parameters())) == 2, "a Dense has two parameters")


@for_all(seed=seeds, padding=st.integers(0, 1), x=whole(1, 2, 3, 4))
def conv_is_a_conv2d(e: Any, seed: int, padding: int, x: Array) -> None:
    """Conv(c, o, k, rng, padding): w (o, c, k, k), b (o) of zeros, and conv2d(x, w, b) with this padding."""
    layer = e.Conv(2, 3, 2, np.random.default_rng(seed), padding=padding)
    demand(layer.w.shape == (3, 2, 2, 2) and layer.b.shape == (3,), f"w has shape {layer.w.shape}, b {layer.b.shape}")
    same(layer.b.data, np.zeros(3))
    layer.b.data = np.arange(1.0, 4.0)
    close(layer(x).data, e.conv2d(x, layer.w, layer.b, padding=padding).data, 1e-9)
    demand(len(list(layer.parameters())) == 2, "a Conv has two parameters")


def weights_begin_at_random(e: Any) -> None:
    """Normally distributed around 0, with the deviation sqrt(2 / what one output reads); from rng and nothing else."""
    layers = ("Dense(100, 25, rng)", lambda rng: e.Dense(100, 25, rng).w), ("Conv", lambda rng: e.Conv(4, 20, 5, rng).w)
    for name, made in layers:  # an output of either reads 100 numbers
        w, again, other = (made(np.random.default_rng(n)).data for n in (0, 0, 1))
        same(w, again)
        demand(not np.array_equal(w, other), f"{name}: another rng gives the same weights")
        right = (2 / 100) ** 0.5
        text = (
            f"{name}: weights have the deviation {w.std():.3g}, where sqrt(2 / 100) = {right:.3g} keeps a signal's size"
        )
        demand(0.85 * right < w.std() < 1.15 * right and abs(w.mean()) < 0.15 * right, text)
        demand(0.25 < (np.abs(w) > right).mean() < 0.4, f"{name}: weights are not normally distributed")


@for_all(x=whole(3), y=whole(2, 2), g=whole(3), h=whole(2, 2))
def sgd_steps_downhill_with_momentum(e: Any, x: Array, y: Array, g: Array, h: Array) -> None:
    """speed = momentum * speed + g;  p = p - rate * speed: each parameter with its own speed."""
    p, q, speeds = e.Tensor(x), e.Tensor(y), {}
    first = x - 0.5 * g, y - 0.5 * h
    e.sgd([p, q], [e.Tensor(g), e.Tensor(h)], speeds, 0.5, momentum=0.5)
    for t in p, q:
        kind = type(t.data).__name__
        demand(isinstance(t.data, np.ndarray), f"after a step .data is a {kind}, and should be an array: take g.data")
    told(lambda: close(p.data, first[0], 1e-12), "after one step")
    told(lambda: close(q.data, first[1], 1e-12), "after one step, the second parameter")
    e.sgd([p, q], [e.Tensor(2 * g), e.Tensor(h)], speeds, 0.5, momentum=0.5)
    told(lambda: close(p.data, first[0] - 0.5 * (0.5 * g + 2 * g), 1e-12), "after a second step")
    told(lambda: close(q.data, first[1] - 0.5 * (0.5 * h + h), 1e-12), "after a second step, the second parameter")


@for_all(x=whole(2), g=whole(2))
def momentum_is_nine_tenths(e: Any, x: Array, g: Array) -> None:
    """Unless it is given; and other speeds begin at rest. A gradient is only read."""
    p, q, speeds, grad = e.Tensor(x), e.Tensor(x), {}, e.Tensor(g)
    for _ in range(2):
        e.sgd([p], [grad], speeds, 1.0)
    close(p.data, x - 2.9 * g, 1e-12)
    e.sgd([q], [grad], {}, 1.0)
    close(q.data, x - g, 1e-12)
    same(grad.data, g)


# 16 a network that reads


@for_all(examples=10, seed=seeds, n=st.integers(1, 3))
def the_network_gives_ten_scores(e: Any, seed: int, n: int) -> None:
    """LeNet(rng) of images (n, 1, 8, 8) is (n, 10), and an image does not know the others."""
    rng = np.random.default_rng(seed)
    model, images = e.LeNet(rng), rng.normal(size=(n, 1, 8, 8))
    y = model(images)
    is_tensor(e, y, "what the network gives")
    demand(tuple(y.shape) == (n, 10), f"the scores have shape {y.shape}, where ({n}, 10) is right")
    close(model(images[-1:]).data, y.data[-1:], 1e-9)


@for_all(examples=10, seed=seeds)
def every_parameter_learns(e: Any, seed: int) -> None:
    """Each parameter has a gradient that is not 0, and moves when the network is trained."""
    rng = np.random.default_rng(seed)
    model, images, labels = e.LeNet(rng), rng.normal(size=(20, 1, 8, 8)), rng.integers(0, 10, 20)
    parameters = list(model.parameters())
    demand(len(parameters) >= 6, f"the network has {len(parameters)} parameters; two Convs and a Dense have 6")
    before = [p.data.copy() for p in parameters]
    for g in e.gradients(e.cross_entropy(model(images), labels), parameters):
        demand(bool(np.abs(g.data).max() > 0), f"a parameter of shape {g.shape} has a gradient of 0")
    e.train(model, images, labels, 1, rng)
    for p, old in zip(model.parameters(), before, strict=True):
        demand(not np.array_equal(p.data, old), f"a parameter of shape {old.shape} is not trained")


def a_step_knows_the_steps_before(e: Any) -> None:
    """With all images in one batch, an epoch is one step of sgd; its speeds last from the first epoch to the last."""
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(12, 1, 8, 8)), rng.integers(0, 10, 12)
    model, twin = (e.LeNet(np.random.default_rng(1)) for _ in range(2))
    e.train(model, images, labels, 3, rng, rate=0.1, batch=12)
    parameters, speeds = list(twin.parameters()), {}
    for _ in range(3):
        loss = e.cross_entropy(twin(images), labels)
        e.sgd(parameters, e.gradients(loss, parameters), speeds, 0.1)
    for p, right in zip(model.parameters(), parameters, strict=True):
        text = f"three steps of sgd, with the same speeds, take a parameter of shape {p.shape} elsewhere"
        demand(np.allclose(p.data, right.data, atol=1e-6), f"{text}: are speeds made anew on the way?")


def it_learns_what_it_is_shown(e: Any) -> None:
    """Of forty random images with random labels it knows nearly all after forty rounds, and about a tenth before."""
    rng = np.random.default_rng(0)
    model, images, labels = e.LeNet(rng), rng.normal(size=(40, 1, 8, 8)), rng.integers(0, 10, 40)
    e.train(model, images, labels, 40, rng)
    share = e.accuracy(model, images, labels)
    demand(share > 0.9, f"after forty rounds it knows {share:.0%} of forty images that it saw each time")


def every_image_is_shown_each_round(e: Any) -> None:
    """An epoch is one round through all images, in an order drawn from rng, in batches that leave none out."""
    seen: list[float] = []

    class Spy(e.Module):
        def __init__(self) -> None:
            self.w = e.Tensor(np.zeros((1, 10)))

        def __call__(self, x: Any) -> Any:
            seen.extend(np.asarray(getattr(x, "data", x)).reshape(-1).tolist())
            return e.matmul(e.reshape(x, (-1, 1)), self.w)

    images = np.arange(37.0).reshape(37, 1, 1, 1)
    e.train(Spy(), images, np.zeros(37, int), 2, np.random.default_rng(0))
    times = [seen.count(float(image)) for image in range(37)]
    odd = next((image for image, n in enumerate(times) if n != 2), None)
    demand(odd is None, f"in two epochs over 37 images, image {odd} was shown {times[odd or 0]} times")
    demand(
        seen[:37] != seen[37:] and seen[:37] != sorted(seen[:37]), "the order is the same each time: draw it from rng"
    )


@for_all(examples=20, seed=seeds, n=st.integers(1, 6))
def accuracy_is_the_share_that_is_right(e: Any, seed: int, n: int) -> None:
    """The part of the images whose largest score is at their label."""
    rng = np.random.default_rng(seed)
    scores, labels = rng.permuted(np.tile(np.arange(10.0), (n, 1)), axis=1), rng.integers(0, 10, n)
    right = sum(int(row[label] == 9) for row, label in zip(scores, labels, strict=True))
    close(e.accuracy(lambda images: e.Tensor(scores), np.zeros((n, 1, 8, 8)), labels), right / n, 1e-9)
    close(e.accuracy(lambda images: e.Tensor(scores), np.zeros((n, 1, 8, 8)), scores.argmax(axis=1)), 1.0, 1e-9)
