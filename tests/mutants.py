"""How strong are the tests?  Break the engine in a thousand small ways, and count the breaks that no test sees.

The command: `python -m tests.mutants --help`.

A mutant is the engine (or with --room another room) with one place changed: `+` for `-`, `>=` for `>`, 3 for 2, a
loop that never runs. If some test fails, the mutant is killed. One that survives either shows what the laws do not
say yet, or behaves as the original does: those are listed, each with the reason, in `mutants.md` beside this file.

The changes are cosmic-ray's.  What runs them is here, for speed: a mutant only meets the tests that reach the place (as
measured once, by coverage), those first that are quick and have killed others, in a fork of a process that has imported
NumPy, pytest and Hypothesis already.  All of this happens in copies of the project in a temporary folder.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy  # noqa: F401  imported here once, so that no fork has to
import pytest
from tqdm import tqdm

try:
    import coverage
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.operators.boolean_replacer import AddNot
    from cosmic_ray.operators.number_replacer import NumberReplacer
    from cosmic_ray.plugins import get_operator
except ModuleNotFoundError as error:
    raise SystemExit(f"{error}: `make mutants` brings what this command needs") from None

ROOT = Path(__file__).parents[1]
LISTED = Path(__file__).with_suffix(".md")
COPIED = ("minitensor", "nets", "viz", "tests", *[p.name for p in ROOT.glob("[!.]*") if p.is_file()])
ELSEWHERE = ("test_nets_", "test_viz_", "test_exercises")  # tests that are not about minitensor
ENOUGH = {"minitensor": 0.95, "nets": 0.9, "viz": 0.9}  # the share of mutants that must be killed, in each room
FIRST = 12  # so many tests are tried before the others are even imported
ALONE = 1.5  # seconds that a mutant takes on one core, about
MEMORY = 6 << 30  # bytes that a mutant may ask for
CACHE = type(cache(len))

BINARY = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_FloorDiv Pow_Mul BitOr_BitAnd BitAnd_BitOr"
COMPARISONS = "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is"
UNARY = "USub_UAdd Delete_Invert Delete_Not"
OTHERS = (
    "NumberReplacer AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd "
    "ReplaceBreakWithContinue ReplaceContinueWithBreak ZeroIterationForLoop ExceptionReplacer RemoveDecorator"
)
OPERATORS = [
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in BINARY.split()),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in COMPARISONS.split()),
    *(f"core/ReplaceUnaryOperator_{pair}" for pair in UNARY.split()),
    *(f"core/{name}" for name in OTHERS.split()),
]

# -- the mutants -------------------------------------------------------------------------------------------------------

Place = tuple[int, int]  # line, column


@dataclass(frozen=True)
class Change:
    """What a reader sees of a mutant: in which function, which line, and what it became."""

    module: str
    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"@@ {self.function}\n- {self.before}\n+ {self.after}"


@dataclass(frozen=True)
class Mutant:
    change: Change
    line: int
    reach: range  # the lines of the statement or lambda that holds the place
    source: str

    @property
    def key(self) -> str:
        return f"{self.line} {self.change.module} {self.change}"


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, but not of its annotations nor of what only type checkers read."""
    tree = ast.parse(source)
    left_out = [span(node) for node in unread(tree)]
    nodes = [(*span(node), node) for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.Lambda)]
    nodes_of_source = list(ast_nodes(get_ast(source)))
    seen = {source}
    for operator in [get_operator(name)() for name in OPERATORS]:
        for node in nodes_of_source:
            for i, (start, stop) in enumerate(operator.mutation_positions(node)):
                try:
                    changed = mutated(source, node, operator, i)
                except AttributeError:  # cosmic-ray does not know every form, as `except module.Error`
                    continue
                unread_here = any(a <= start and stop <= b for a, b in left_out)
                if unread_here or changed in seen or is_idle(operator, i, node):
                    continue
                seen.add(changed)
                around = [n for a, b, n in nodes if a <= start < b]  # from the widest to the narrowest
                function = ".".join(n.name for n in around if isinstance(n, ast.FunctionDef | ast.ClassDef))
                (first, _), (last, _) = span(around[-1])
                change = Change(module, function or "module", *difference(source, changed))
                yield Mutant(change, start[0], range(first, last + 1), changed)


def is_idle(operator: Any, i: int, node: Any) -> bool:
    """Whether a change does what another one does as well, or is none."""
    if isinstance(operator, NumberReplacer):
        return i > 0  # n + 1 is enough, n - 1 would double the work
    if isinstance(operator, AddNot):  # `not a == b` is a != b, which is tried, and `not not a` is a
        condition = ast.parse(f"({node.children[2 if node.type == 'test' else 1].get_code()})", mode="eval").body
        turned = ast.Eq | ast.NotEq | ast.Is | ast.IsNot
        compared = isinstance(condition, ast.Compare) and len(condition.ops) == 1
        return isinstance(condition, ast.UnaryOp) or (compared and isinstance(condition.ops[0], turned))
    return bool(node.type == "operator" and node.value == "*" and node.get_next_leaf() == ",")  # f(x, *, y)


def mutated(source: str, node: Any, operator: Any, i: int) -> str:
    """The source with the i-th change of this node, spliced in: far quicker than to parse it each time."""
    parent, node.parent = node.parent, None
    twin = copy.deepcopy(node)
    node.parent = twin.parent = parent
    changed = operator.mutate(twin, i)
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    begin, end = (starts[line - 1] + column for line, column in (node.get_start_pos_of_prefix(), node.end_pos))
    return source[:begin] + (changed.get_code() if changed else "") + source[end:]


def unread(tree: ast.AST) -> Iterator[ast.AST]:
    """What has no part in the behaviour: annotations, type aliases, blocks for type checkers, the `strict` of zip."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "strict":  # an assertion
            yield node.value
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias" and node.value is not None:
            yield node.value
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield node


def span(node: Any) -> tuple[Place, Place]:
    first = min([node.lineno, *(above.lineno for above in getattr(node, "decorator_list", ()))])
    return (first, node.col_offset), (node.end_lineno, node.end_col_offset)


def difference(source: str, changed: str) -> tuple[str, str]:
    """The lines in which two texts differ, on one line each."""
    a, b = source.splitlines(), changed.splitlines()
    head = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))))
    tail = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(a[head:][::-1], b[head:][::-1], strict=False))))
    return tuple(" ".join(" ".join(lines[head : len(lines) - tail]).split()) for lines in (a, b))  # type: ignore


# -- running tests in a fork -------------------------------------------------------------------------------------------


@dataclass
class Baseline:
    """The tests, with the seconds that each takes, and which of them reach a line: none, where it runs at import."""

    seconds: dict[str, float]
    reached: dict[str, dict[int, list[str]]]

    def tests_for(self, mutant: Mutant, kills: Counter[str]) -> list[str]:
        """Those that reach the place, or all, where it runs at import; the most promising first."""
        lines = self.reached.get(mutant.change.module, {})
        reached = [lines[line] for line in mutant.reach if line in lines]
        tests = {test for some in reached for test in some} or (self.seconds.keys() if reached else ())
        return sorted(tests, key=lambda test: -(kills[test] + 0.1) / (self.seconds[test] + 0.1))


class Measured:
    """A plugin of pytest: which test takes how long and reaches which lines.

    What a module's fixture reaches is reached by all tests of the file, and no test finds what another has cached.
    """

    def __init__(self, folder: Path, room: str) -> None:
        self.seconds: Counter[str] = Counter()
        self.test, self.cached = "", ("tests", room)
        self.coverage = coverage.Coverage(data_file=None, config_file=False, source=[str(folder / room)])
        self.coverage.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        for name, module in list(sys.modules.items()):
            for value in list(vars(module).values()) if name.partition(".")[0] in self.cached else ():
                if isinstance(value, CACHE):
                    value.cache_clear()
        self.test = nodeid
        self.coverage.switch_context(nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.coverage.switch_context(self.test if request.scope == "function" else request.node.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context(self.test)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def baseline(self, folder: Path) -> Baseline:
        self.coverage.stop()
        data = self.coverage.get_data()
        found = {str(Path(file).relative_to(folder)): data.contexts_by_lineno(file) for file in data.measured_files()}
        within: dict[str, list[str]] = {test: [test] for test in self.seconds} | {"": []}
        for test in self.seconds:
            within.setdefault(test.partition("::")[0], []).append(test)
        return Baseline(self.seconds, {
            module: {line: [test for part in contexts for test in within[part]] for line, contexts in lines.items()}
            for module, lines in found.items()
        })  # fmt: skip


class Trial:
    """A plugin of pytest: these tests in this order, each with a limit; `killer` is the one that failed."""

    def __init__(self, tests: Sequence[str], seconds: dict[str, float]) -> None:
        self.place = {test: i for i, test in enumerate(tests)}
        self.seconds = seconds
        self.killer = "an import"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(chosen, key=lambda item: self.place[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        limit(10 + 10 * self.seconds[nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.killer = report.nodeid


def limit(seconds: float) -> None:
    """End this process when it has computed for so long, or waited for ten minutes."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(600)


def run_pytest(folder: Path, files: Iterable[str], plugin: object) -> int:
    quiet = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", quiet, "--rootdir", str(folder)]
    return int(pytest.main([*options, *files], plugins=[plugin]))


def fork(folder: Path, work: Any) -> int:
    """Start work() in a process of its own that sees the copy in this folder; what it prints goes to a file there.

    It leads a group of processes, so that a browser which it has opened can be ended with it.
    """
    if pid := os.fork():
        os.setpgid(pid, pid)
        return pid
    try:
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, signal.SIG_DFL)
        os.chdir(folder)
        output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.path[:] = [str(folder), *(p for p in sys.path if p not in ("", str(ROOT)))]
        os.environ["PYTHONPATH"] = str(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] in COPIED]:
            del sys.modules[name]
        os._exit(work())
    except BaseException:
        traceback.print_exc()
        os._exit(99)


def measure(folder: Path, room: str) -> int:
    """Run all tests of a room as it is, and write the baseline."""
    measured = Measured(folder, room)
    failed = run_pytest(folder, [room, *tests_of(folder, room)], measured)
    if not failed:
        (folder / "baseline.json").write_text(json.dumps(vars(measured.baseline(folder))))
    return failed


def tests_of(folder: Path, room: str) -> list[str]:
    """The test files that are about a room."""
    names = sorted(p.name for p in (folder / "tests").glob("test_*.py"))
    if room == "minitensor":
        return [f"tests/{name}" for name in names if not name.startswith(ELSEWHERE)]
    return [f"tests/{name}" for name in names if name.startswith(f"test_{room}_")]


def attempt(folder: Path, tests: list[str], seconds: dict[str, float]) -> int:
    """Run some of the tests, and if all of these pass, the others; 0 if all pass, else the killer is in a file."""
    sys.dont_write_bytecode = True  # two mutants of one size in one second would be taken for each other
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))  # not of addresses: a browser reserves a thousand GB
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit(60)
    for part in (tests[:FIRST], tests[FIRST:]):
        trial = Trial(part, seconds)
        files = dict.fromkeys(test.partition("::")[0] for test in part)
        if part and run_pytest(folder, files, trial) not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            Path("killer").write_text(trial.killer)
            return 1
    return 0


# -- all of them -------------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """What is known so far, in a folder, so that a run which was stopped goes on where it was."""

    folder: Path
    baseline: Baseline
    outcomes: dict[str, str]  # of each mutant by its key: the test that killed it, or "" where it survived

    @classmethod
    def resume(cls, folder: Path, project: Path, again: bool, room: str) -> Session:
        """The session that the folder holds, if it is of the same sources, else a new one.

        If again, what was killed before counts as killed, and only the survivors are tried on the tests of today.
        """
        folder.mkdir(parents=True, exist_ok=True)
        state, past = folder / "baseline.json", folder / "outcomes.jsonl"
        outcomes = dict(json.loads(line) for line in past.read_text().splitlines()) if past.exists() else {}
        text = json.loads(state.read_text()) if state.exists() else {}
        mark = fingerprint(project, room)
        if text.get("fingerprint") != mark:
            outcomes = {key: by for key, by in outcomes.items() if by and again}
            past.write_text("".join(json.dumps(pair) + "\n" for pair in outcomes.items()))
            print(f"The tests on {room} as it is, to see which reach which line (a minute or two) ...", flush=True)
            pid = fork(project, lambda: measure(project, room))
            try:
                _, status = os.waitpid(pid, 0)
            finally:
                end(pid)
            if status:
                raise SystemExit(f"{tail(project)}\nThe tests fail without any mutant; mend that first.")
            text = {"fingerprint": mark, **json.loads((project / "baseline.json").read_text())}
            state.write_text(json.dumps(text))
        reached = {m: {int(line): tests for line, tests in lines.items()} for m, lines in text["reached"].items()}
        return cls(folder, Baseline(text["seconds"], reached), outcomes)

    def add(self, mutant: Mutant, by: str) -> None:
        self.outcomes[mutant.key] = by
        with (self.folder / "outcomes.jsonl").open("a") as file:
            file.write(json.dumps([mutant.key, by]) + "\n")


def fingerprint(project: Path, room: str) -> str:
    files = sorted(p for folder in (room, "tests") for p in (project / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(p.read_bytes() for p in files if p.name != Path(__file__).name)).hexdigest()


def tail(project: Path) -> str:
    return "\n".join((project / "output").read_text().splitlines()[-30:])


def run(todo: Sequence[Mutant], session: Session, copies: Sequence[Path]) -> None:
    """Try each mutant, one at a time in each copy."""
    kills = Counter(by for by in session.outcomes.values() if by)
    waiting, idle, busy = list(todo)[::-1], list(copies), {}
    tqdm.monitor_interval = 0  # no thread: a fork would copy half of it
    bar = tqdm(total=len(todo), unit="mutant", smoothing=0.05, file=sys.stdout)
    try:
        while waiting or busy:
            while waiting and idle:
                mutant, place = waiting.pop(), idle.pop()
                tests = session.baseline.tests_for(mutant, kills)
                (place / "killer").unlink(missing_ok=True)
                file = place / mutant.change.module
                original = file.read_text()
                file.write_text(mutant.source)
                forget_bytecode(file)
                pid = fork(place, lambda p=place, t=tests: attempt(p, t, session.baseline.seconds))
                busy[pid] = mutant, place, original
            pid, status = os.wait()
            end(pid)
            mutant, place, original = busy.pop(pid)
            (place / mutant.change.module).write_text(original)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) not in (0, 1):
                raise SystemExit(f"{tail(place)}\nThe test run broke at {mutant.change.module}:\n{mutant.change}")
            by = os.WIFSIGNALED(status) and signal.Signals(os.WTERMSIG(status)).name
            by = by or (status and (place / "killer").read_text()) or ""
            session.add(mutant, by)
            kills[by] += 1
            idle.append(place)
            bar.set_postfix_str(f"{sum(not by for by in session.outcomes.values())} survived")
            bar.update()
    finally:
        bar.close()
        for pid in busy:
            end(pid)


def end(pid: int) -> None:
    """End a process that `fork` has started, and what it has started in turn."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def forget_bytecode(module: Path) -> None:
    for file in (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc"):
        file.unlink()


def listed() -> list[Change]:
    """The survivors that mutants.md explains."""
    found, module, function, before = [], "", "", ""
    for line in LISTED.read_text().splitlines() if LISTED.exists() else ():
        if line.startswith("## "):
            module = line[3:]
        elif line.startswith("@@ "):
            function = line[3:]
        elif line.startswith("- ") and function:
            before = line[2:]
        elif line.startswith("+ ") and function:
            found.append(Change(module, function, before, line[2:]))
        elif line.startswith("```"):
            function = ""
    return found


def report(found: dict[str, list[Mutant]], session: Session, room: str) -> tuple[str, bool]:
    """The table, the survivors that nobody has explained, what is out of date; and whether all is well."""
    known = listed()
    rows, strangers, gone = [], [], []
    for module, every in found.items():
        tried = [m for m in every if m.key in session.outcomes]
        survivors = [m.change for m in tried if not session.outcomes[m.key]]
        rows.append((module, len(tried), len(survivors)))
        strangers += [change for change in survivors if change not in known]
        possible = [*survivors, *(m.change for m in every if m not in tried)]
        gone += [change for change in known if change.module == module and change not in possible]
    total, survived = sum(n for _, n, _ in rows), sum(s for _, _, s in rows)
    lines = ["| module | mutants | killed | survived | killed, % |", "|---|--:|--:|--:|--:|"]
    for module, n, s in [*sorted(rows), ("all", total, survived)]:
        lines.append(f"| {module} | {n} | {n - s} | {s} | {100 * (n - s) / max(n, 1):.1f} |")
    for title, changes in (
        (f"{len(strangers)} survived that mutants.md does not explain:", strangers),
        (f"{len(gone)} in mutants.md are killed, or no longer there:", gone),
    ):
        if changes:
            lines += ["", title]
        for module in dict.fromkeys(change.module for change in changes):
            lines += ["", f"## {module}", "", "```diff", *(str(c) for c in changes if c.module == module), "```"]
    return "\n".join(lines), not strangers and survived <= (1 - ENOUGH[room]) * total


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=str(__doc__).partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="as minitensor/pool.py (default: all)")
    parser.add_argument("--room", choices=ENOUGH, default="minitensor", help="whose mutants (default: %(default)s)")
    parser.add_argument("--again", action="store_true",
                        help="after a change of the tests: only what survived before")  # fmt: skip
    parser.add_argument("--sample", type=int, metavar="N",
                        help="only N of them, drawn at random: an estimate")  # fmt: skip
    parser.add_argument("--workers", type=int, default=getattr(os, "process_cpu_count", os.cpu_count)() or 1,
                        metavar="N",
                        help="mutants at a time (default: one a core, %(default)s)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR",
                        help="write mutants/ there: report.md, and what is known so far (default: out)")  # fmt: skip
    args = parser.parse_args()
    every = sorted(str(p.relative_to(ROOT)) for p in (ROOT / args.room).rglob("*.py"))
    if unknown := set(args.modules) - set(every):
        parser.error(f"no module {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be ended is to be stopped: clean up
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        copies = [Path(temporary).resolve() / str(i) for i in range(max(1, args.workers))]
        copy_project(copies[0])
        found = {m: list(mutants(m, (copies[0] / m).read_text())) for m in args.modules or every}
        chosen = [m for several in found.values() for m in several]
        if args.sample is not None:
            chosen = random.Random(0).sample(chosen, min(args.sample, len(chosen)))
        minutes = 3 + len(chosen) * ALONE / 60 / len(copies)
        print(
            f"{len(chosen)} mutants, {len(copies)} at a time: some {minutes:.0f} minutes; if stopped, it goes on later."
        )
        folder = args.out / ("mutants" if args.room == "minitensor" else f"mutants-{args.room}")
        session = Session.resume(folder.resolve(), copies[0], args.again, args.room)
        for other in copies[1:]:
            shutil.copytree(copies[0], other)
        try:
            run([m for m in chosen if m.key not in session.outcomes], session, copies)
        except KeyboardInterrupt:
            print("\nstopped; the next call goes on from here")
            return 130
        text, well = report({m: several for m, several in found.items() if several}, session, args.room)
    (session.folder / "report.md").write_text(text + "\n")
    print(f"\n{text}\n\n{(time.monotonic() - begun) / 60:.0f} minutes; written: {session.folder / 'report.md'}")
    return not well


def copy_project(folder: Path) -> None:
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)


if __name__ == "__main__":
    sys.exit(main())
