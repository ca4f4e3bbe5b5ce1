"""The tour: train a network on real digits, check a gradient before the reader's eyes, draw what was computed.

What you can do here: `demo`, the first three steps of `make demo`, and the page of the last
(the fourth is the gallery); `explore` a network that was kept.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np

from minitensor import Tensor, cross_entropy, gradients
from nets import SGD, Examples, Module, Sequential, cifar10, digits, distort, evaluate, fit, lenet, load, mnist, save
from nets.__main__ import MODELS, RECIPES, in_colour

from .pages.explorer import explorer
from .subjects.computation import by_layer, computation_graph

EPOCHS = 50
DIGITS = "nets.digits(size=32)[1].images"


def demo(out: Path, epochs: int = EPOCHS) -> Path:
    """Train `lenet()` on the digits, report on the held-out fifth, check a gradient, and draw; files go to out.

    Returns the page that runs the network which has just learnt.
    """
    out.mkdir(parents=True, exist_ok=True)
    train, test = digits(size=32)
    print(f"1. Learn: lenet() from {len(train.labels)} handwritten digits, 32 x 32 pixels each.")
    model, before = lenet(), lenet()
    optimizer = SGD(model, 0.05, momentum=0.9, nesterov=True, weight_decay=2e-3)  # few examples: hold the weights small
    fit(model, train, epochs=epochs, optimizer=optimizer, distort=distort)
    score = evaluate(model, test)
    right = round(score.accuracy * len(test.labels))
    kept = out / "lenet.npz"
    save(kept, model)
    print(f"   It reads {right} of {len(test.labels)} digits that it has never seen: {score.accuracy:.2%}.")
    print(f"   It is kept in {kept}.\n")
    print("2. Check: is the gradient it learnt from really the slope of the loss?")
    show_gradient(model, Examples(test.images[:32], test.labels[:32]))
    path = draw_training_step(lenet(), Examples(train.images[:32], train.labels[:32]), out)
    print("3. Look: the computation graph of one training step, with all gradients, is in")
    print(f"   {path}\n")
    title = "LeNet, which has just learnt to read digits"
    page, gallery = out / "explorer.html", ("gallery/index.html", "Back to all figures")  # those of the last step
    setup = setup_of("lenet()", kept, DIGITS)
    return explorer(model, test.images, page, labels=test.labels, before=before, title=title, back=gallery, setup=setup)


def explore(checkpoint: Path, path: Path, *, data: Path | None = None, classes: int = 10) -> Path:
    """Write the explorer of a network that `python -m nets train` has kept: of lenet, lenet5 or resnet, as it fits.

    The images are the held-out digits of the package, or those in the folder data.  Raises ValueError where none of
    these networks has such a file, OSError where it cannot be opened.
    """
    refused: dict[str, list[str]] = {}  # the networks that do not fit, by the reason
    for name, recipe in RECIPES.items():
        build, (channels, *_) = MODELS[name]
        model = build() if classes == 10 else build(classes)
        try:
            load(checkpoint, model)
        except ValueError as error:
            refused.setdefault(str(error), []).append(name)
            continue
        if data is not None:
            _, test = cifar10(data) if recipe.colour else mnist(data, size=32)
            file = data.as_posix()
            images = (
                f"nets.cifar10({file!r})[1].images" if recipe.colour else f"nets.mnist({file!r}, size=32)[1].images"
            )
        else:
            _, test = digits(size=32)
            test, images = (in_colour(test), f"np.repeat({DIGITS}, 3, axis=1)") if channels == 3 else (test, DIGITS)
        before = build() if classes == 10 else build(classes)
        setup = setup_of(f"{name}({'' if classes == 10 else classes})", checkpoint, images)
        return explorer(model, test.images, path, labels=test.labels, before=before, title=f"{name}, live", setup=setup)
    raise ValueError("; ".join(f"{', '.join(names)}: {reason}" for reason, names in refused.items()))


def setup_of(built: str, kept: Path, images: str) -> str:
    """Lines of Python that make a network of nets, as it was kept and as it was before training, and its images."""
    return f"model, before = nets.{built}, nets.{built}\nnets.load({kept.as_posix()!r}, model)\nimages = {images}"


def show_gradient(model: Module, data: Examples, place: tuple[int, ...] = (0, 0, 2, 2), h: float = 1e-5) -> None:
    """Print dL/dw for one weight of the first layer, by backpropagation and by moving that weight by h, in float64."""
    state = model.state_dict()
    name = next(iter(state))
    exact = copy.deepcopy(model).astype(np.float64).eval()

    def loss(change: float) -> Tensor:
        moved = state[name].astype(np.float64)
        moved[place] += change
        exact.load_state_dict(state | {name: moved})
        return cross_entropy(exact(data.images.astype(np.float64)), data.labels)

    larger, smaller = loss(h).item(), loss(-h).item()
    at_rest = loss(0)
    (slope,) = gradients(at_rest, exact.parameters()[:1])
    by_values, by_rules = (larger - smaller) / (2 * h), slope.data[place]
    print(f"   L is the loss of {len(data.labels)} digits, {at_rest.item():.10f}; w is {name}{list(place)}, h = {h:g}.")
    print(f"   L(w + h) = {larger:.12f},   L(w - h) = {smaller:.12f}")
    print(f"   (L(w + h) - L(w - h)) / 2h = {by_values:+.10f}   by finite differences")
    print(f"   dL/dw                      = {by_rules:+.10f}   by backpropagation")
    print(f"   They differ by {abs(by_rules - by_values):.0e}.\n")


def draw_training_step(model: Sequential, data: Examples, out: Path) -> Path:
    """The graph of the loss of a batch, framed layer by layer, with the gradient in every box, as SVG."""
    logits, layers = by_layer(model, Tensor(data.images, name="images"))
    loss = cross_entropy(logits, data.labels)
    loss.name = "loss"
    return computation_graph(loss, gradients=True, layers=layers, columns=3).save(out / "training_step.svg")
