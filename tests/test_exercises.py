"""The exercises keep what they promise, and the runner bears with every mistake."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import minitensor as mt
from minitensor import Tensor, as_tensor

from .exercises import __main__ as runner
from .exercises import draw, grade, kit, report
from .exercises.bugs import BUGS
from .exercises.engine import ENGINE, Watched
from .exercises.hints import HINTS
from .exercises.tasks import LAWS, TASKS
from .exercises.variants import VARIANTS
from .strategies import Line

FOLDER = Path(__file__).parent / "exercises"
ALL_BUGS = [pytest.param(chapter, bug, id=f"{chapter}: {bug.name}") for chapter, bugs in BUGS.items() for bug in bugs]


@pytest.fixture(autouse=True, scope="module")
def settings_of_the_exercises():
    """Properties are run here as the worker runs them, with fewer cases."""
    grade.use_settings(shrink=False, examples=40)
    yield
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@functools.cache
def written(kind, chapter):
    """The properties of the solutions or the starters, each with the functions of the engine that it uses."""
    found = []
    for test in grade.properties(grade.load(FOLDER / kind / f"{chapter}.py")):
        watched = Watched(ENGINE)
        verdict = grade.judge(test, watched)
        found.append((test, watched.used, verdict))
    return found


# -- the bugs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chapter", "bug"), ALL_BUGS)
def test_every_bug_survives_its_example(chapter, bug):
    """The example test printed beside a bug passes, for the bug as for the right engine."""
    bug.survives(ENGINE)
    bug.survives(bug.engine)


@pytest.mark.parametrize(("chapter", "bug"), ALL_BUGS)
def test_the_reference_solutions_see_every_bug(chapter, bug):
    """Some property of its chapter fails."""
    relevant = [test for test, used, _ in written("solutions", chapter) if used & set(bug.changes)]
    assert any(not grade.judge(test, bug.engine).passed for test in relevant)


@pytest.mark.parametrize("chapter", BUGS)
def test_the_reference_solutions_pass_the_right_engine_and_all_variants(chapter):
    """They ask for nothing that is not promised."""
    for test, used, verdict in written("solutions", chapter):
        assert verdict.passed, f"{test.__name__}: {verdict.message}"
        for variant in VARIANTS:
            if used & set(variant.changes):
                verdict = grade.judge(test, variant.engine)
                assert verdict.passed, f"{test.__name__}, {variant.name}: {verdict.message}"


@pytest.mark.parametrize("chapter", BUGS)
def test_the_starters_see_nothing(chapter):
    """They pass, and do not touch the engine, so no bug can make them fail."""
    for _, used, verdict in written("starters", chapter):
        assert verdict.passed, verdict.message
        assert not used


@pytest.mark.parametrize("chapter", BUGS)
def test_starters_solutions_and_hints_are_about_the_same(chapter):
    """The same names in the same order, and the same law in each docstring."""
    starters, solutions = ([test for test, _, _ in written(kind, chapter)] for kind in ("starters", "solutions"))
    assert [t.__name__ for t in starters] == [t.__name__ for t in solutions] == list(HINTS[chapter])
    assert [t.__doc__ for t in starters] == [t.__doc__ for t in solutions]


def test_there_are_forty_bugs_with_sources():
    """At least 40 in six chapters, each with a name of its own and a place where it was made."""
    assert len(BUGS) == 6
    assert len(ALL_BUGS) >= 40
    for bugs in BUGS.values():
        assert len({bug.name for bug in bugs}) == len(bugs) <= len(report.LETTERS)
        assert all("/" in bug.source and ("issue" in bug.source or "pull request" in bug.source) for bug in bugs)
        assert all(bug.changes for bug in bugs)


def test_the_readme_counts_right():
    """Its numbers are those of the exercises."""
    text = (FOLDER / "README.md").read_text()
    assert f"There are {len(ALL_BUGS)} bugs to see" in text
    for number, (chapter, bugs) in enumerate(BUGS.items(), start=1):
        assert re.search(rf"^\| {number} {chapter} \|.*\| {len(bugs)} \|$", text, re.M)


def test_the_readme_has_an_example_that_sees_nothing(tmp_path):
    """Its first property is true, passes all variants, and no bug of chapter 1 makes it fail: as the text says."""
    code = re.search(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.S)[1]
    (tmp_path / "sizes.py").write_text("from tests.exercises.kit import given, lines\n" + code)
    (test,) = grade.properties(grade.load(tmp_path / "sizes.py"))
    for other in [*VARIANTS, *BUGS["sizes"]]:
        assert grade.judge(test, other.engine).passed, other.name


def ties_first(engine):
    x = engine.tensor([[[1.0, 1.0]]])
    assert engine.gradients(engine.max_pool1d(x, 2), [x])[0].data.tolist() == [[[1, 0]]]


def sums_to_the_last_bit(engine):
    x, w = np.random.default_rng(0).normal(size=(2, 1, 8, 3, 3))
    for layer, axes in (engine.conv1d, 1), (engine.conv2d, 2):
        a, b = (x[:, :, 0], w[:, :, 0]) if axes == 1 else (x, w)
        kit.same(layer(a, b), getattr(mt, f"conv{axes}d")(a, b))


def digits(engine):
    x = np.array([[[0.1, 0.7, 0.3]]])
    for name, *more in ("tanh",), ("softmax",), ("mean",), ("avg_pool1d", 3), ("lp_pool1d", 3):
        kit.same(getattr(engine, name)(x, *more), getattr(ENGINE, name)(x, *more))


def plain_ints(engine):
    assert type(engine.conv_output_size(3, 2)) is int
    assert type(engine.conv_transpose_output_size(3, 2)) is type(engine.same_padding(3)) is int
    assert type(engine.receptive_field([(3, 1)])) is int


def these_words(engine):
    with pytest.raises(ValueError, match="must be at least 1"):
        engine.conv_output_size(0, 2)


def this_stream(engine):
    x = np.ones((8, 2))
    kit.same(engine.dropout(x, 0.5, np.random.default_rng(0)), mt.dropout(x, 0.5, np.random.default_rng(0)))


TOO_STRICT = {
    "ties to the last": ties_first,
    "ties shared": ties_first,
    "another order of sums": sums_to_the_last_bit,
    "other last digits": digits,
    "NumPy numbers": plain_ints,
    "other words": these_words,
    "another random order": this_stream,
}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_asking_too_much_fails_on_a_variant(variant):
    """A property that holds for the right engine by chance does not hold for the variant."""
    assert grade.judge(TOO_STRICT[variant.name], ENGINE).passed
    assert not grade.judge(TOO_STRICT[variant.name], variant.engine).passed


# -- the other direction -----------------------------------------------------------------------------------------------


@functools.cache
def law(name):
    return getattr(grade.load(LAWS), name)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_reference_operators_obey_their_laws(task):
    """All of them; and those of the starter say that they are not written yet."""
    solution = getattr(grade.load(FOLDER / "solutions" / "operators.py"), task.name)
    starter = getattr(grade.load(FOLDER / "starters" / "operators.py"), task.name)
    for name in task.laws:
        verdict = grade.judge(law(name), solution)
        assert verdict.passed, verdict.message
        verdict = grade.judge(law(name), starter)
        assert not verdict.passed
        assert isinstance(verdict.error, NotImplementedError | AttributeError)
    assert task.name in HINTS["operators"]


def of_arrays(f):
    """An operator that computes the right values and loses the graph."""
    return lambda *xs: Tensor(np.array(f(*[x.data if isinstance(x, Tensor) else x for x in xs]).data))


solution = functools.cache(lambda name: getattr(grade.load(FOLDER / "solutions" / "operators.py"), name))

WRONG = {
    "roll": [
        lambda x, s: solution("roll")(x, -s),
        lambda x, s: solution("roll")(x, min(s, 3)),
        of_arrays(solution("roll")),
    ],
    "blur": [as_tensor, lambda x: as_tensor(x) * 0 + 1, lambda x: solution("roll")(solution("blur")(x), 1)],
    "output_size": [
        lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s) + 1,
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1,
        lambda n, k, s, p, d: solution("output_size")(n, k, s, p, 1),
    ],
    "leaky": [mt.relu, lambda x: mt.leaky_relu(x, 0.2), of_arrays(solution("leaky"))],
    "stable_softmax": [
        mt.sigmoid,
        lambda x: as_tensor(x).exp() / as_tensor(x).exp().sum(),
        lambda x: as_tensor(np.full(4, 0.25)),
        of_arrays(solution("stable_softmax")),
    ],
    "convolve": [lambda x, w: solution("convolve")(x, as_tensor(w)[::-1]), of_arrays(solution("convolve"))],
    "stamp": [
        lambda g, w, n: solution("stamp")(g, as_tensor(w)[::-1], n),
        lambda g, w, n: Tensor(solution("stamp")(g, w, n).data),
    ],
    "pool": [
        lambda x, k: as_tensor(x).reshape(-1, k).min(axis=1),
        lambda x, k: as_tensor(x).reshape(-1, k)[:, 0],
        lambda x, k: as_tensor(x).reshape(-1, k).sum(axis=1) * 0 + x.max(),
        lambda x, k: Tensor(as_tensor(x).data.reshape(-1, k).max(axis=1)),
    ],
    "local": [lambda x, w: solution("convolve")(x, as_tensor(w)[0]), of_arrays(solution("local"))],
    "turning": [
        lambda x, w: mt.conv2d(np.asarray(x)[None, None], np.asarray(w)[None, None])[0, 0],
        lambda x, w: as_tensor(x)[:3, :3] * 0,
        lambda x, w: solution("turning")(x, w) * 2,
    ],
}  # fmt: skip


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_wrong_operators_break_a_law(task):
    """So the laws say what they should."""
    for operator in WRONG[task.name]:
        assert any(not grade.judge(law(name), operator).passed for name in task.laws)


# -- drawings ----------------------------------------------------------------------------------------------------------


def test_a_drawing_shows_windows_and_the_cell_that_differs():
    """The window of the cell is full, the others are not; the cell is in brackets on both sides."""
    line = Line(n=3, k=2, stride=2, padding=1, dilation=1, m=2, rest=1)
    with pytest.raises(kit.Differs) as error:
        kit.same(np.array([[[1.0, 5.0]]]), np.array([[[1.0, 2.0]]]))
    text = draw.as_text(draw.counterexample({"line": line, "shift": 3}, error.value))
    assert text.splitlines() == [
        "line: n=3 k=2 stride=2 padding=1 dilation=1",
        "    · 0 1 2 ·",
        "    # #",
        "        ■ ■",
        "shift = 3",
        "found[0], shape [1, 1, 2]",
        "      1 [5]",
        "expected[0], shape [1, 1, 2]",
        "      1 [2]",
    ]


def test_drawings_are_well_formed():
    """As XML, whatever the names and texts are."""
    hostile = '<&"]]>'
    with pytest.raises(kit.Differs) as error:
        kit.same(np.zeros((2, 3)), np.ones((2, 3)))
    pictures = draw.counterexample({hostile: hostile, "x": np.zeros(3), "scalar": np.float64(2)}, error.value)
    ElementTree.fromstring(draw.as_svg(pictures))
    rows = [report.Row(hostile, [report.KILLED, report.SURVIVED], hostile), report.Row("none", [])]
    ElementTree.fromstring(report.picture(hostile, rows, BUGS["sizes"][:2]))


def test_comparisons_are_exact_or_close():
    """same sees the last bit, close does not; both see shapes, and NaN is NaN."""
    kit.same([1.0, np.nan], [1.0, np.nan])
    kit.close(1.0, 1.0 + 1e-9)
    for compare, a, b in (
        (kit.same, 1.0, 1.0 + 1e-9),
        (kit.close, 1.0, 1.1),
        (kit.close, [1.0], [[1.0]]),
        (kit.same, np.nan, 1.0),
    ):
        with pytest.raises(kit.Differs):
            compare(a, b)


def test_a_comparison_that_fails_tells_both_sides(tmp_path):
    """And, where it can be known, which comparison was meant; other assertions, and their words, stay as they are."""
    told = {
        "1 + 1 == 3": "this does not hold: 2 == 3",
        "len([1]) > 4": "this does not hold: 1 > 4",
        "np.float64(1) == 2": "this does not hold: 1.0 == 2",
        "0.1 + 0.2 == 0.3": "this does not hold: 0.30000000000000004 == 0.3 (equal but for rounding: "
        "compare with close(a, b))",
        "np.nan == np.nan": "this does not hold: nan == nan (NaN does not equal itself: "
        "ask np.isnan(a), or same(a, b))",
        "np.ones(2) == np.ones(2)": "== compares arrays cell by cell: compare them as a whole with same(a, b), "
        "or close(a, b)",
        "1 < 2 < 2": "this does not hold",
        "1 == 2, 'my own words'": "my own words",
        "not engine": "this does not hold",
    }
    file = tmp_path / "words.py"
    for assertion, expected in told.items():
        file.write_text(f"from tests.exercises.kit import *\ndef test_words(engine):\n    assert {assertion}\n")
        (test,) = grade.properties(grade.load(file))
        assert grade.judge(test, ENGINE).message == f"words.py, line 3: assert {assertion}\n{expected}"
    file.write_text("def test_words(engine):\n    assert engine.tensor([1.0]) == [1.0]\n")
    (test,) = grade.properties(grade.load(file))
    assert "a Tensor equals itself alone" in grade.judge(test, ENGINE).message


# -- the runner --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command in a folder of its own; returns the exit status and what was printed."""

    def command(*arguments, limit="20"):
        status = runner.main(["--folder", str(tmp_path / "mine"), "--limit", limit, *arguments])
        out = capsys.readouterr()
        assert "Traceback" not in out.out + out.err
        return status, out.out

    command.folder = tmp_path / "mine"
    return command


HEAD = "from tests.exercises.kit import *\nimport pytest\n"


def test_a_first_session(run):
    """start, run, hint, a solution written down, and the score."""
    assert "begin with" in run("run", "1")[1]
    assert run("start")[0] == 0
    status, out = run("run", "sizes")
    assert status == 0
    assert "0 of 12 bugs seen" in out
    assert "to do" in out
    assert "the_sizes_of_lenet" in out

    name = "test_same_padding_keeps_the_size"
    assert HINTS["sizes"][name][0] in run("hint", "1", "same", "padding")[1]
    assert HINTS["sizes"][name][1] in run("hint", "1", name)[1]
    code = run("solution", "1", "same")[1]
    (run.folder / "sizes.py").write_text(HEAD + code)
    out = run("run", "1")[1]
    assert "2 of 12 bugs seen" in out
    assert "■ I  half a kernel" in out
    assert " 2 of 12" in run("list")[1]
    ElementTree.parse(run.folder / "sizes.svg")

    out = run("show", "1", "half", "a", "kernel")[1]
    assert "The smallest case" in out
    assert "k = 2" in out
    ElementTree.parse(run.folder / "counterexample.svg")
    assert "None of your properties" in run("show", "1", "A")[1]

    run("reset", "1")
    assert code in (run.folder / "sizes.py.old").read_text()
    assert (run.folder / "sizes.py").read_text() == (FOLDER / "starters" / "sizes.py").read_text()
    assert " 0 of 12" in run("list")[1]


MISTAKES = (
    HEAD
    + """
@given(lines())
def test_wrong(engine, line):
    assert engine.conv_output_size(line.n, line.k, line.stride, line.padding, line.dilation) == line.n

@given(st.integers())
def test_filters(engine, number):
    assume(False)

@given(lines())
def test_unknown(engine, line):
    engine.conv_size(line.n)

def test_no_engine():
    pass

def test_exit(engine):
    raise SystemExit(3)

def test_end(engine):
    import os
    os._exit(3)

def test_loop(engine):
    print("this goes nowhere", flush=True)
    while True:
        pass

def test_undrawn(engine, x, k):
    pass

@given(whole(1))
def test_rounds(engine, x):
    assert x[0] + 0.1 + 0.2 == x[0] + 0.3

@given(whole(1), st.data())
def test_prints(engine, x, data):
    g = data.draw(whole(2))
    print("x is", x)
    same(g, [1, 2])

@given(st.data())
def test_sizes_in_a_tuple(engine, data):
    data.draw(whole((1, 2)))

@given(lines())
def test_asserts_nothing(engine, line):
    engine.conv_output_size(line.n, line.k, line.stride, line.padding, line.dilation) == line.m

def test_too_strict(engine):
    with pytest.raises(ValueError, match="more than the input"):
        engine.conv_output_size(1, 2)

@given(5)
def test_given_nonsense(engine, x):
    pass

@given(lines())
def test_right(engine, line):
    assert engine.conv_output_size(line.n, line.k, line.stride, line.padding, line.dilation) == line.m
"""
)


def test_mistakes_are_told_in_words(run):
    """Each with its line; and the properties after it are graded all the same."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(MISTAKES)
    out = run("run", "1", limit="2")[1]
    assert "sizes.py, line 6: assert engine.conv_output_size" in out
    assert "line: n=2 k=2" in out
    assert "nearly every case is thrown away" in out
    assert "the engine has no conv_size; do you mean conv_output_size" in out
    assert "it needs an argument for the engine" in out
    assert "SystemExit: 3" in out
    assert "nothing draws x and k: put @given(x=..., k=...)" in out
    assert "this does not hold: 0.30000000000000004 == 0.3 (equal but for rounding: compare with close(a, b))" in out
    assert "  draw 1, shape [2]\n      0 0\n  found" in out
    assert "printed:\n      x is [0.]\n" in out
    assert "whole(*y.shape), got ((1, 2),)" in out
    words = " ".join(out.split())
    assert "test_end <- ended the program" in words
    assert "test_loop <- was cut off after 2 seconds" in words
    assert "test_asserts_nothing <- it has no assert, same or close" in words
    assert "test_too_strict fails on a legal variant, other words" in out
    assert "Hypothesis does not accept its arguments" in out
    assert "■ A  rounds up" in out
    assert out.count("test_wrong fails on the right engine") == 1


@pytest.mark.parametrize(("text", "told"), [
    ("def broken(:", "line 1: this is not Python yet"),
    ("import nonsense_of_mine", "ModuleNotFoundError: No module named 'nonsense_of_mine'"),
    ("x = [\n1 / 0]", "line 2: 1 / 0]"),
    ("raise SystemExit", "SystemExit"),
    ("import os; os._exit(1)", "ended the program"),
    ("while True: pass", "was cut off after 2 seconds"),
])  # fmt: skip
def test_files_that_cannot_be_run_are_told_in_words(run, text, told):
    """A file that is not a program is a message and an exit status of 1."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(text)
    status, out = run("run", "1", limit="2")
    assert status == 1
    assert told in out


def test_operators_are_graded_by_their_laws(run):
    """done, to do, or the broken law with its smallest case."""
    run("start")
    file = run.folder / "operators.py"
    text = file.read_text().replace("raise NotImplementedError", "return as_tensor(x)", 1)
    file.write_text(text + "\n\n" + run("solution", "7", "pool")[1] + "\n\ndel leaky\n")
    status, out = run("run", "7")
    assert status == 0
    assert " 1 roll(x, shift)                                 2 of 3 laws hold" in out
    assert "roll breaks a law: roll(roll(x, a), b)" not in out
    assert "roll breaks a law: roll(x, 1)[i] = x[i - 1]." in out
    assert " 8 pool(x, k)                                     done" in out
    assert "there is no function leaky in your file" in out
    assert " 1 of 10 operators" in run("list")[1]


def test_names_that_do_not_exist_are_told(run):
    """A chapter, a bug or an exercise that is not there is a message with those that are."""
    run("start")
    assert "there are 1 sizes, 2 gradients" in run("run", "nonsense")[1]
    assert "has no bug 'nonsense'" in run("show", "1", "nonsense")[1]
    assert "has no exercise 'nonsense'" in run("hint", "1", "nonsense")[1]
    assert "no bugs to show" in run("show", "7", "A")[1]


def test_progress_that_cannot_be_read_is_none(run):
    """A damaged file is no reason to stop."""
    run("start")
    for damage in "not json", "[1]", '{"sizes": 3}':
        (run.folder / "progress.json").write_text(damage)
        status, out = run("list")
        assert status == 0
        assert " 0 of 12" in out
    run("hint", "2")
    assert json.loads((run.folder / "progress.json").read_text())["gradients"]["hints"]


def test_watch_grades_when_a_file_is_saved(run, monkeypatch):
    """Once at the beginning for a chapter that was named, again after it was saved, and Ctrl-C ends it quietly."""
    run("start")
    file = run.folder / "sizes.py"
    file.write_text("")
    graded = []
    monkeypatch.setattr(runner, "grade_chapter", lambda options, chapter: graded.append(chapter))
    turns = iter([lambda: os.utime(file, (1, 1)), lambda: None])

    def sleep(seconds):
        turn = next(turns, None)
        if turn is None:
            raise KeyboardInterrupt
        turn()

    monkeypatch.setattr(time, "sleep", sleep)
    status, out = run("watch", "1")
    assert status == 0
    assert "Watching" in out
    assert graded == ["sizes", "sizes"]


@pytest.mark.parametrize("chapter", runner.CHAPTERS)
def test_every_chapter_lists_its_bugs_or_laws(run, chapter):
    """Each bug with its source and its example; each task with its laws."""
    out = run("bugs", chapter)[1]
    if chapter == "operators":
        assert all(task.signature in out for task in TASKS)
        return
    for bug in BUGS[chapter]:
        assert bug.source in " ".join(out.split())
        assert f"def {bug.survives.__name__}(engine" in out


@pytest.mark.parametrize("chapter", runner.CHAPTERS)
def test_every_solution_can_be_shown(run, chapter):
    """With the helpers that it needs; what is shown is Python."""
    for name in HINTS[chapter]:
        out = run("solution", chapter, name)[1]
        assert name in out
        ast.parse(out)


def test_what_waits_for_the_processor_is_not_cut_off(run):
    """The limit is on the time that a property computes; one that sleeps is waited for longer."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(
        "import time\ndef test_sleeps(engine):\n    time.sleep(1.5)\n    assert engine.same_padding(3) == 1\n"
    )
    assert "cut off" not in run("run", "1", limit="1")[1]


def test_a_long_row_fits_on_the_terminal(monkeypatch):
    """A remark goes to the next line, and a long name loses a part of its middle."""
    monkeypatch.setenv("COLUMNS", "60")
    rows = [
        report.Row(f"test_{'very_' * 20}long", [report.KILLED] * 4, "remark"),
        report.Row("test_short", [], "remark"),
    ]
    lines = report.matrix(rows, BUGS["sizes"][:4]).splitlines()
    assert all(len(line) <= 60 for line in lines[:4])
    assert lines[1].endswith("…ry_very_long")
    assert lines[2].strip() == "<- remark"
    assert lines[3].endswith("test_short   <- remark")


def test_a_hint_when_each_exercise_works_shows_a_bug_that_is_left(run):
    """Or says that one must be named."""
    run("start")
    names = [bug.name for bug in BUGS["sizes"]]
    for done in names[1:], names:
        (run.folder / "progress.json").write_text(
            json.dumps({"sizes": {"done": done, "properties": list(HINTS["sizes"])}})
        )
        out = run("hint", "1")[1]
        assert "Each exercise works already" in out
        assert (names[0] in out) == (done != names)


def test_what_asks_too_much_is_not_shown_as_seeing(run):
    """A property that fails on a legal variant sees no bug; the next one that does is taken."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(
        HEAD
        + "def test_strict(engine):\n"
        + "    assert type(engine.conv_output_size(5, 2, 2)) is int and engine.conv_output_size(5, 2, 2) == 2\n"
        + "def test_legal(engine):\n    assert engine.conv_output_size(5, 2, 2) == 2\n"
    )
    assert "test_legal sees it" in run("show", "1", "A")[1]
