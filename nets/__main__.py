"""The command line: `python -m nets train`, `evaluate`, `effort` and `summary`; each has a `--help`."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minitensor import cross_entropy

from .data.cifar import cifar10
from .data.distort import distort
from .data.examples import Examples, digits
from .data.idx import mnist
from .export import export
from .layers.module import Module
from .models.lecture import alexnet, lenet, resnet
from .models.lenet5 import lenet5, map_criterion
from .summary import summary
from .training.checkpoint import load
from .training.effort import efforts, picture, table
from .training.optim import SCHEDULES, SGD
from .training.parallel import WorkerError, end_all, mpi_workers
from .training.pictures import confusion, learning_curve
from .training.terminal import Console
from .training.train import Decide, Loss, evaluate, fit, predict

FEWEST_STEPS = 300  # with 200, batches of 512 read 8 % of the held-out digits wrong, with 300 some 1 %


class Recipe(NamedTuple):
    """How a network learns to read digits."""

    loss: Loss
    decide: Decide
    learning_rate: float  # for steps of 64 images
    most: float  # the largest learning rate
    epochs: tuple[int, int]  # passes through the digits of the package, and through a data set of one's own
    colour: bool = False  # whether it takes images in colour

    def rate(self, batch_size: int) -> float:
        """The learning rate for steps of so many images.

        It grows with their number, as the gradients become less noisy, but only up to `most`: a longer step leaves the
        region in which a gradient says anything.
        Source: Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017, sections 2.1 and 5.2.

        >>> [round(RECIPES["lenet"].rate(n), 4) for n in (1, 64, 128, 1438)]
        [0.0008, 0.05, 0.1, 0.1]
        """
        return min(self.learning_rate * batch_size / 64, self.most)


MODELS: dict[str, tuple[Callable[..., Module], tuple[int, ...]]] = {  # how to build it, and the images that it takes
    "lenet": (lenet, (1, 32, 32)),
    "lenet5": (lenet5, (1, 32, 32)),
    "alexnet": (alexnet, (3, 227, 227)),
    "resnet": (resnet, (3, 32, 32)),
}
RECIPES = {
    "lenet": Recipe(cross_entropy, np.argmax, 0.05, 0.1, (50, 10)),
    "lenet5": Recipe(map_criterion, np.argmin, 0.004, 0.004, (50, 10)),
    "resnet": Recipe(cross_entropy, np.argmax, 0.05, 0.1, (10, 30), colour=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, or 1 after an error, 130 after a second Ctrl-C.

    >>> main(["evaluate", "--checkpoint", "there/is/none.npz"])  # says on stderr that there is none
    1
    """
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except BrokenPipeError:  # whoever read the output, as `head` does, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as error:
        return _failed(error, "stopped", 130)
    except (ImportError, OSError, ValueError) as error:
        return _failed(error, str(error), 1)
    except WorkerError:  # the process that failed says why
        return 1
    return 0


def _failed(error: BaseException, text: str, status: int) -> int:
    print(f"nets: {text}", file=Console())
    end_all(error)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nets",
        description="Train a convolutional network on handwritten digits, and see how well it reads.",
        epilog="Every option has a default that works: begin with `python -m nets train`.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, function: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        return sub

    train = command("train", _train, "Train a network, save it, and draw how it went.")
    held_out = command("evaluate", _evaluate, "Say how many of the held-out images a trained network reads right.")
    for sub, file in (train, "where to keep it, and beside it two pictures"), (held_out, "where it is kept"):
        sub.add_argument("--model", choices=RECIPES, default="lenet", help="the network (default: lenet)")
        sub.add_argument(
            "--data",
            type=Path,
            metavar="FOLDER",
            help="IDX files of MNIST's kind, for resnet CIFAR-10 in binary (default: the digits in the package)",
        )
        sub.add_argument("--checkpoint", type=Path, metavar="FILE", help=f"{file} (default: out/MODEL.npz)")
    option = train.add_argument
    option(
        "--epochs",
        type=_from(1),
        help="passes through the examples (default: 50, or 10 with --data; resnet 10, or 30; 300 steps at least)",
    )
    option("--batch-size", type=_from(1), help="images in one step (default: 64, or 128 with --data)")
    option(
        "--learning-rate",
        type=float,
        help="at the top of the schedule (default: 0.05, lenet5 0.004, for 64 images; more for more, up to a limit)",
    )
    option("--momentum", type=float, default=0.9, help="of Nesterov's kind (default: 0.9)")
    option("--weight-decay", type=float, default=5e-4, help="pull of the weights towards 0 (default: 0.0005)")
    option("--schedule", choices=SCHEDULES, default="one_cycle", help="of the learning rate (default: one_cycle)")
    option("--no-distort", action="store_true", help="do not turn, scale, slant and move the images at each step")
    option("--seed", type=_from(0), default=0, help="the same seed gives the same numbers (default: 0)")
    option("--resume", action="store_true", help="go on where the checkpoint stands; all other options as before")
    option("--no-compile", action="store_true", help="let the engine compute each step, and no program")

    effort = command("effort", _effort, "Measure how many images, passes and seconds it takes lenet for which error.")
    effort.add_argument("--data", type=Path, metavar="FOLDER", help="IDX files (default: the digits in the package)")
    effort.add_argument("--out", type=Path, default=Path("out"), metavar="FOLDER", help="for table and picture (out)")

    taken = command("export", _export, "Write a trained network as one file of NumPy, with its weights beside it.")
    taken.add_argument("checkpoint", type=Path, metavar="FILE.npz", help="where train has kept it")
    taken.add_argument(
        "--out", type=Path, default=Path("out", "net.py"), metavar="FILE.py", help="(default: out/net.py)"
    )
    taken.add_argument("--model", choices=MODELS, default="lenet", help="which network it is (default: lenet)")
    taken.add_argument("--classes", type=_from(1), default=10, help="how many it tells apart (default: 10)")
    taken.add_argument("--batch-size", type=_from(1), help="images in one call (default: 1, or 64 with --training)")
    taken.add_argument("--training", action="store_true", help="a whole step of gradient descent")

    count = command("summary", _summary, "Count what a network is made of.")
    count.add_argument("model", choices=MODELS, nargs="?", default="lenet", help="the network (default: lenet)")
    count.add_argument("--explain", action="store_true", help="work out each number, as on the board")
    return parser


def _from(least: int) -> Callable[[str], int]:
    """What reads an option that is a whole number, and not less than that."""

    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


def _train(options: argparse.Namespace) -> None:
    recipe = RECIPES[options.model]
    train, test = _data(options)
    model = _model(options, train, test, options.seed)
    own = options.data is None
    batch_size = min(_given_or(options.batch_size, 64 if own else 128), len(train.labels))
    fewest = math.ceil(FEWEST_STEPS / math.ceil(len(train.labels) / batch_size))
    epochs = _given_or(options.epochs, max(recipe.epochs[0 if own else 1], fewest))
    optimizer = SGD(
        model,
        _given_or(options.learning_rate, recipe.rate(batch_size)),
        momentum=options.momentum,
        nesterov=options.momentum > 0,
        weight_decay=options.weight_decay,
    )
    path, workers = _path(options), mpi_workers()
    done = fit(
        model,
        train,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        schedule=SCHEDULES[options.schedule],
        loss=recipe.loss,
        decide=recipe.decide,
        distort=None if options.no_distort else distort,
        test=test,
        seed=options.seed,
        checkpoint=path,
        resume=options.resume,
        workers=workers,
        compiled=not options.no_compile,
    )
    if workers.rank > 0:
        return
    curve, matrix = path.with_suffix(".curve.svg"), path.with_suffix(".confusion.svg")
    if done:
        curve.write_text(learning_curve(done), encoding="utf-8")
    matrix.write_text(confusion(test, predict(model, test.images, decide=recipe.decide)), encoding="utf-8")
    if len(done) < epochs:
        print(f"Stopped in epoch {len(done) + 1} of {epochs}; --resume goes on from here.")
    _report(recipe, model, test)
    print(f"The network is in {path}, pictures of how it went in {curve} and {matrix}.")


def _evaluate(options: argparse.Namespace) -> None:
    train, test = _data(options)
    model = _model(options, train, test)
    load(_path(options), model)
    _report(RECIPES[options.model], model, test)


def _export(options: argparse.Namespace) -> None:
    _, image = MODELS[options.model]
    model = _built(options.model, options.classes)
    load(options.checkpoint, model)
    program = export(
        model,
        options.out,
        image,
        training=options.training,
        batch_size=_given_or(options.batch_size, 64 if options.training else 1),
        loss=RECIPES[options.model].loss if options.model in RECIPES else cross_entropy,
        classes=options.classes,
    )
    lines = len(str(program).splitlines())
    print(f"The network is in {options.out}, {lines} lines and what they call; its weights are beside it.")


def _effort(options: argparse.Namespace) -> None:
    own = options.data is None
    train, test = digits(size=32) if own else mnist(options.data, size=32)
    largest = len(train.labels)
    counts = sorted({math.ceil(largest / 2**halvings) for halvings in range(5)})
    results = efforts(lenet, train, test, counts, passes=(5, 15, 50) if own else (1, 3, 10))
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in ("effort.md", table(results) + "\n"), ("effort.svg", picture(results)):
        (options.out / name).write_text(content, encoding="utf-8")
    print(table(results), f"The table and a picture of it are in {options.out}.", sep="\n\n")


def _summary(options: argparse.Namespace) -> None:
    build, shape = MODELS[options.model]
    print(summary(build(), shape, explain=options.explain))


def _model(options: argparse.Namespace, train: Examples, test: Examples, seed: int = 0) -> Module:
    """The network, with a class for each label that there is, and for the ten digits at least."""
    classes = 1 + max(9, *(int(data.labels.max(initial=0)) for data in (train, test)))
    return _built(options.model, classes, seed)


def _built(name: str, classes: int, seed: int = 0) -> Module:
    """The network of that name, for so many classes."""
    if name != "lenet5":
        build, _ = MODELS[name]
        return build(classes, seed=seed)
    if classes != 10:
        raise ValueError(f"lenet5 has codes for ten digits, and not for {classes} classes: use lenet")
    return lenet5(seed)


def _given_or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _data(options: argparse.Namespace) -> tuple[Examples, Examples]:
    colour = RECIPES[options.model].colour
    if options.data is not None:
        return cifar10(options.data) if colour else mnist(options.data, size=32)
    train, test = digits(size=32)
    if not colour:
        return train, test
    return in_colour(train), in_colour(test)


def in_colour(data: Examples) -> Examples:
    """Grey images as red, green and blue ones: each channel the same.

    >>> in_colour(digits()[1]).images.shape
    (359, 3, 8, 8)
    """
    return Examples(np.repeat(data.images, 3, axis=1), data.labels)


def _report(recipe: Recipe, model: Module, test: Examples) -> None:
    score = evaluate(model, test, loss=recipe.loss, decide=recipe.decide)
    right, usual = round(score.accuracy * len(test.labels)), np.bincount(test.labels).max()
    if not math.isfinite(score.loss):
        raise ValueError(f"the network has diverged: its loss is {score.loss}")
    if right <= usual:
        print(f"It has learnt nothing: one and the same answer to all is right {usual} times.", file=Console())
    print(f"Test: {score.accuracy:.2%} right ({right} of {len(test.labels)} held-out images), loss {score.loss:.4f}.")


def _path(options: argparse.Namespace) -> Path:
    return Path(options.checkpoint or Path("out", f"{options.model}.npz"))


if __name__ == "__main__":
    sys.exit(main())
