"""The command: `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from nets import SGD, digits, distort, fit
from nets.__main__ import MODELS, RECIPES

from .driver import THREADS, Comparison, compare, default_python, import_costs, use_two_cores, versions
from .engines import OURS, PACKAGES
from .report import NAMES, Values, bar_chart, relative, table
from .tasks import BATCHES, LENGTHS, TASKS

SINGLE = [name for name in TASKS if not name.startswith(("batch-", "graph-"))]
SERIES = {
    "batches": [f"batch-{n}" for n in BATCHES],
    "graph": [f"graph-{n}" for n in LENGTHS],
    "import": [],
    "training": [],
}
TRAINED = [name for name in RECIPES if MODELS[name][1][0] == 1]  # on the digits, which are grey
EXPLAINED = {
    **{name: TASKS[name].title for name in SINGLE},
    "batches": f"how a LeNet step grows with the batch, {BATCHES[0]} to {BATCHES[-1]} images",
    "graph": f"how the time per operator grows with the graph, {LENGTHS[0]:,} to {LENGTHS[-1]:,} operators",
    "import": "what an import needs, in time and memory, beyond that of NumPy",
    "training": f"images per second that {' and '.join(TRAINED)} learn from, distortions included",
}


def main() -> int:
    args = arguments()
    use_two_cores()
    comparisons: dict[str, Comparison] = {}
    costs: dict[str, tuple[float, float] | None] = {}
    speeds: dict[str, float] = {}
    status = 0
    try:
        found = versions(args.python)
        engines = chosen(args.peers, found, args.python)
        run([n for task in args.tasks for n in SERIES.get(task, [task])], engines, args, comparisons)
        for engine in engines if "import" in args.tasks else ():
            if engine != "compiled":
                costs[engine] = import_costs(engine, args.python)
        for name in TRAINED if "training" in args.tasks else ():
            speeds[name] = training_speed(name)
    except (ValueError, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        status = 130
    if status and not (comparisons or costs or speeds):
        return status
    say("")
    text, picture = report(engines, comparisons, costs, speeds, heading(engines, found, args.repeats))
    print(text)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "benchmarks.md").write_text(text + "\n")
        (args.out / "benchmarks.svg").write_text(picture)
        print(f"\nwritten: {args.out / 'benchmarks.md'}, {args.out / 'benchmarks.svg'}")
    return status


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure minitensor beside the engines that are installed: same inputs, results compared first,\n"
        f"a tenth of a second each in turn, {THREADS} threads for all, medians.",
        epilog="tasks:\n" + "\n".join(f"  {name:<10}{what}" for name, what in EXPLAINED.items()),
    )
    peers = [e for e in PACKAGES if e not in OURS]
    parser.add_argument("--tasks", nargs="+", choices=EXPLAINED, default=[*EXPLAINED], metavar="TASK",
                        help="which of those below (default: all)")  # fmt: skip
    parser.add_argument("--peers", nargs="*", choices=peers, metavar="PEER",
                        help=f"beside which of {', '.join(peers)} (default: all that are installed)")  # fmt: skip
    parser.add_argument("--repeats", type=positive, default=30, help="timed turns of each (default: %(default)s)")
    parser.add_argument("--python", default=default_python(), metavar="PATH",
                        help="the interpreter that has NumPy and the peers (default: %(default)s)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="write benchmarks.md and benchmarks.svg there")
    return parser.parse_args()


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return number


def chosen(peers: Sequence[str] | None, found: dict[str, str], python: str) -> list[str]:
    """minitensor and the peers that were asked for; raises ValueError where one is not installed."""
    installed = [e for e, package in PACKAGES.items() if e in OURS or package in found]
    if missing := [e for e in peers or [] if e not in installed]:
        raise ValueError(f"{python} does not have {', '.join(missing)}; make bench-peers sets up all peers")
    return [e for e in installed if peers is None or e in [*OURS, *peers]]


def run(names: list[str], engines: list[str], args: argparse.Namespace, done: dict[str, Comparison]) -> None:
    """All comparisons, into done; an engine that fails at one size is not asked for the next.

    Raises ValueError where minitensor fails.
    """
    for i, name in enumerate(names, start=1):
        series = name.partition("-")[0]
        failed = {e for other, c in done.items() if other.partition("-")[0] == series for e in c.failures}
        title = f"[{i}/{len(names)}] {TASKS[name].title}: "
        able = [e for e in engines if e not in failed]
        done[name] = compare(name, able, args.python, args.repeats, lambda what, title=title: say(title + what))
        if why := done[name].failures.get("minitensor"):
            raise ValueError(f"{TASKS[name].title}: minitensor failed: {why}")


def training_speed(name: str) -> float:
    """Images per second of a network in `fit`, as `python -m nets train` calls it: the median of some epochs."""
    model, recipe = MODELS[name][0](), RECIPES[name]
    epochs = fit(
        model,
        digits(size=32)[0],
        epochs=8,
        batch_size=128,
        optimizer=SGD(model, recipe.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4),
        loss=recipe.loss,
        decide=recipe.decide,
        distort=distort,
        progress=False,
    )
    return median(epoch.images_per_second for epoch in epochs[1:])  # the first is cold


def report(
    engines: list[str],
    comparisons: dict[str, Comparison],
    costs: dict[str, tuple[float, float] | None],
    speeds: dict[str, float],
    heading: str,
) -> tuple[str, str]:
    """What was measured, in Markdown, and as a picture."""
    reference = "pytorch" if "pytorch" in engines else "minitensor"
    columns = {e: NAMES[e] for e in engines}
    titles = {name: TASKS[name].title for name in SINGLE if name in comparisons}
    seconds = {name: {e: r.seconds for e, r in c.results.items()} for name, c in comparisons.items()}
    ratios = relative({name: seconds[name] for name in titles}, reference)
    parts = [heading]
    if titles:
        parts += [f"Time relative to {NAMES[reference]}; below 1 is faster:", table("task", titles, columns, ratios)]
        parts += ["The same in milliseconds:", table("task", titles, columns, scaled(seconds, 1e3))]
    if "lenet" in titles:
        values = {
            "speed": {e: TASKS["lenet"].size / t for e, t in seconds["lenet"].items()},
            "memory": {e: r.memory / 1e6 for e, r in comparisons["lenet"].results.items()},
        }
        parts += [table(titles["lenet"], {"speed": "images per second", "memory": "peak memory, MB"}, columns, values)]
    if costs:
        known = {e: cost for e, cost in costs.items() if cost is not None}
        values = {
            "time": {e: 1e3 * t for e, (t, _) in known.items()},
            "memory": {e: b / 1e6 for e, (_, b) in known.items()},
        }
        parts += [table("import, beyond `import numpy`", {"time": "milliseconds", "memory": "MB"}, columns, values)]
    if speeds:
        parts += ["Training with distortions, in minitensor:"]
        parts += [table("", {"speed": "images per second"}, {name: name for name in speeds}, {"speed": speeds})]
    for corner, what, names in (
        ("batch", "A LeNet step, microseconds per image:", SERIES["batches"]),
        ("operators", "A chain of scalar operators, microseconds per operator:", ["chain", *SERIES["graph"]]),
    ):
        if rows := {name: f"{TASKS[name].size:,}" for name in names if name in comparisons}:
            parts += [what, table(corner, rows, columns, scaled(seconds, 1e6, per_item=True))]
    if failures := grouped(comparisons):
        parts += ["Not computed:\n\n" + "\n".join(f"- {why}: {'; '.join(what)}" for why, what in failures.items())]
    return "\n\n".join(parts), bar_chart(
        f"Time relative to {NAMES[reference]}, {THREADS} threads", titles, ratios, reference
    )


def scaled(seconds: Values, factor: float, per_item: bool = False) -> Values:
    return {
        name: {e: t * factor / (TASKS[name].size if per_item else 1) for e, t in row.items()}
        for name, row in seconds.items()
    }


def grouped(comparisons: dict[str, Comparison]) -> dict[str, list[str]]:
    """The failures: for each engine and reason, in which tasks."""
    found: dict[str, list[str]] = {}
    for name, comparison in comparisons.items():
        for engine, why in comparison.failures.items():
            found.setdefault(f"{NAMES[engine]} ({why})", []).append(TASKS[name].title)
    return found


def heading(engines: list[str], found: dict[str, str], repeats: int) -> str:
    packages = {
        "Python": "python",
        "NumPy": "numpy",
        **{NAMES[e]: PACKAGES[e] for e in engines if e not in [*OURS, "by_hand"]},
    }
    versions = ", ".join(f"{name} {found[package]}" for name, package in packages.items())
    return f"{processor()}, {THREADS} threads, float32; medians of up to {repeats} turns. {versions}."


def processor() -> str:
    """The processor's name, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), os.uname().machine)


def say(what: str) -> None:
    """A line on the terminal about what happens now, in place of the one before; nothing where there is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
