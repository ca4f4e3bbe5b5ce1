"""The runner of the exercises bears with every mistake, tells each in words, and cannot be talked into a verdict."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from .exercises import __main__ as runner
from .exercises import report, session
from .exercises.bugs import BUGS
from .exercises.chapters import ABOUT
from .exercises.hints import HINTS
from .exercises.tasks import TASKS

FOLDER = Path(__file__).parent / "exercises"
ROOT = FOLDER.parent.parent


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
    status, out = run("run", "1")
    assert status == 2
    assert "begin with" in out
    assert run("start")[0] == 0
    status, out = run("run", "sizes")
    assert status == 1
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
    assert "The example asks same_padding(3)" in out
    assert "Your property asks same_padding(2, 1): a ValueError is right, and the bug says 1." in out
    text = (run.folder / "counterexample.svg").read_text()
    assert name in text
    assert "line " in text
    ElementTree.fromstring(text)
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
    assert re.search(r"line: n=\d k=\d stride=\d padding=0 dilation=1", out)
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
    """A file that is not a program is a message and the exit code 2."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(text)
    status, out = run("run", "1", limit="2")
    assert status == 2
    assert told in out


def test_operators_are_graded_by_their_laws(run):
    """done, to do, or the broken law with its smallest case."""
    run("start")
    file = run.folder / "operators.py"
    text = file.read_text().replace("raise NotImplementedError", "return as_tensor(x)", 1)
    file.write_text(text + "\n\n" + run("solution", "7", "pool")[1] + "\n\ndel leaky\n")
    status, out = run("run", "7")
    assert status == 1
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
    monkeypatch.setattr(runner, "graded", lambda folder, chapter: graded.append(chapter))
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


@pytest.mark.parametrize("chapter", list(ABOUT))
def test_every_chapter_lists_its_bugs_or_laws(run, chapter):
    """Each bug with its source and its example; each task with its laws."""
    out = run("bugs", chapter)[1]
    if chapter == "operators":
        assert all(task.signature in out for task in TASKS)
        return
    for bug in BUGS[chapter]:
        assert bug.source in " ".join(out.split())
        assert f"def {bug.survives.__name__}(engine" in out


@pytest.mark.parametrize("chapter", list(ABOUT))
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


FORMS = (
    HEAD
    + """
@given(lines())
def test_returns(engine, line):
    return engine.conv_output_size(line.n, line.k, line.stride, line.padding, line.dilation) == line.m

def test_returns_without_cases(engine):
    return engine.same_padding(3) == 1

@given(lines())
def test_yields(engine, line):
    yield engine.conv_output_size(line.n, line.k) == line.m

async def test_is_async(engine):
    assert engine.same_padding(3) == 1

@given(st.lists(st.integers(), min_size=3000))
def test_is_large(engine, numbers):
    assert engine.same_padding(3) == 1

@given(st.integers())
def test_is_nested(engine, number):
    given(st.integers())(lambda other: engine.same_padding(3))()

def test_pair(engine):
    assert (engine.same_padding(3) == 2, "a pair")

class TestSizes:
    def test_within(self, engine):
        assert engine.same_padding(3) == 1

def test_twice(engine):
    assert engine.same_padding(3) == 2

def test_twice(engine):
    assert engine.same_padding(3) == 1
"""
)


def test_each_form_that_checks_nothing_has_its_own_sentence(run):
    """Not one of them is told to filter less."""
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(FORMS)
    status, out = run("run", "1")
    assert status == 1
    assert "filtering" not in out
    assert out.count("and nobody looks at that: write assert in place of return") == 2
    assert "it has a yield" in out
    assert "it is an async function" in out
    assert "its cases are too large to be tried" in out
    assert "a @given stands within another" in out
    assert "a pair in brackets is always true" in out
    assert "in class TestSizes is not graded (test_within)" in " ".join(out.split())
    assert "a second test_twice hides the first" in out
    assert "0 of 12 bugs seen" in out


CHEATS = {
    "counts its calls": ("calls = []", "calls.append(1)\n    engine.same_padding(3)\n    assert len(calls) < 4"),
    "counts them elsewhere": (
        "import sys\nsys.calls = 0",
        "sys.calls = getattr(sys, 'seen', 0) + 1\n    sys.seen = sys.calls\n    engine.same_padding(3)\n"
        "    assert sys.calls < 5",
    ),
    "remembers answers": (
        "first = {}",
        "assert engine.same_padding(3, 2) == first.setdefault('answer', engine.same_padding(3, 2))",
    ),
    "looks where code lives": ("", "assert 'bugs' not in engine.same_padding.__code__.co_filename"),
    "looks at names": ("", "assert engine.same_padding.__module__ + engine.same_padding.__qualname__ + repr(engine)"),
    "asks inspect": ("import inspect", "assert 'half' not in inspect.getsource(inspect.unwrap(engine.same_padding))"),
    "compares with the answer": (
        "import minitensor.sizes as right",
        "assert engine.same_padding(3, 2) == right.same_padding(3, 2)",
    ),
    "looks into the exercises": (
        "from tests.exercises.engine import ENGINE",
        "assert engine.same_padding(3, 2) == ENGINE.same_padding(3, 2)",
    ),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_sees_nothing(run, cheat):
    """However it tells a wrong engine from the right one, if not by what it computes."""
    above, body = CHEATS[cheat]
    run.folder.mkdir()
    (run.folder / "sizes.py").write_text(f"{above}\n\ndef test_cheat(engine):\n    {body}\n")
    status, out = run("run", "1")
    assert status == 1
    assert "0 of 12 bugs seen" in out


def test_what_is_kept_or_taken_from_elsewhere_is_told(run):
    """State, minitensor on the side that is tested, and the answers, each in a sentence."""
    run.folder.mkdir()
    told = {
        "counts them elsewhere": "keeps something",
        "compares with the answer": "compares engine.same_padding with minitensor.sizes.same_padding",
        "looks into the exercises": "looks into tests.exercises.engine",
    }
    for cheat, sentence in told.items():
        above, body = CHEATS[cheat]
        (run.folder / "sizes.py").write_text(f"{above}\n\ndef test_cheat(engine):\n    {body}\n")
        assert sentence in " ".join(run("run", "1")[1].split())
    (run.folder / "sizes.py").write_text(
        "from minitensor.sizes import conv_output_size\n\n"
        "def test_beside(engine):\n    assert conv_output_size(5, 2) == 4 and engine.same_padding(3) == 1\n"
    )
    assert "which is right beside every engine: ask engine.conv_output_size" in " ".join(run("run", "1")[1].split())


def test_a_file_in_another_encoding_is_told(run):
    """UTF-16 is what some editors save; it is named."""
    run.folder.mkdir()
    for encoding in "utf-16", "utf-16-le":
        (run.folder / "sizes.py").write_bytes("x = 1\n".encode(encoding))
        status, out = run("run", "1")
        assert status == 2
        assert "saved as UTF-16: save it again as UTF-8" in out
    (run.folder / "sizes.py").write_bytes("x = 'é'\n".encode("latin-1"))
    assert "is not saved as UTF-8" in run("run", "1")[1]


def test_a_file_that_changes_while_it_is_graded_changes_nothing(run, monkeypatch):
    """What is graded is a snapshot, and so what is remembered is that of the file as it was."""
    run.folder.mkdir()
    file = run.folder / "sizes.py"
    file.write_text(
        "def test_exit(engine):\n    import os\n    engine.same_padding(3)\n    os._exit(1)\n\n"
        "def test_even(engine):\n    try:\n        engine.same_padding(2)\n    except ValueError:\n        return\n"
        "    assert False\n"
    )
    really = session.stream

    def stream(*arguments, **request):
        for told in really(*arguments, **request):
            file.unlink(missing_ok=True)
            yield told

    monkeypatch.setattr(session, "stream", stream)
    assert "1 of 12 bugs seen" in run("run", "1")[1]
    assert " 1 of 12" in run("list")[1]


def test_the_exit_code_says_whether_all_is_done(run):
    """0 when all that was asked is done, 1 when not, 2 when it could not be judged."""
    run.folder.mkdir()
    assert run("run", "1")[0] == 2
    file = run.folder / "operators.py"
    file.write_text((FOLDER / "solutions" / "operators.py").read_text())
    assert run("run", "7")[0] == 0
    file.write_text("roll = 1\n")
    assert run("run", "7")[0] == 1


def test_what_is_to_be_written_without_is_not_called(run):
    """A convolution by conv1d and a pool by max_pool1d are no solutions, under any name."""
    run.folder.mkdir()
    text = (FOLDER / "solutions" / "operators.py").read_text()
    (run.folder / "operators.py").write_text(
        text + "\nimport minitensor as mt\nfrom minitensor import max_pool1d as other\n\n"
        "def convolve(x, w):\n    return mt.conv1d(as_tensor(x)[None, None], as_tensor(w)[None, None])[0, 0]\n\n"
        "def helper(x, k):\n    return other(as_tensor(x)[None, None], k)[0, 0]\n\n"
        "def pool(x, k):\n    return helper(x, k)\n"
    )
    out = run("run", "7")[1]
    assert "it calls minitensor.conv1d: write it without" in out
    assert "it calls minitensor.max_pool1d: write it without" in out
    assert " 8 of 10 operators done" in out


def test_a_damaged_file_of_progress_is_put_aside(run):
    """With a sentence; nothing of it is lost."""
    run("start")
    (run.folder / "progress.json").write_text("not json")
    assert "cannot be read" in run("list")[1]
    assert (run.folder / "progress.json.damaged").read_text() == "not json"


def test_inside_the_folder_it_is_that_folder(run, monkeypatch, capsys):
    """And a sentence says so."""
    run("start")
    monkeypatch.chdir(run.folder)
    assert runner.main(["hint", "1"]) == 0
    assert "You are inside the folder" in capsys.readouterr().out
    assert not (run.folder / "exercises").exists()
    assert json.loads((run.folder / "progress.json").read_text())["sizes"]["hints"]


def test_pytest_runs_the_properties(run):
    """On the right engine, and with --bug on a wrong one, by its letter or its name; all files at once."""
    run("start")
    (run.folder / "sizes.py").write_text((FOLDER / "solutions" / "sizes.py").read_text())

    def pytest_(*arguments):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=run.folder, timeout=300)

    done = pytest_("--rootdir", str(run.folder), str(run.folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_same_padding" not in done.stdout
    for bug in "I", "half a kernel":
        done = pytest_("sizes.py", "--bug", bug)
        assert done.returncode == 1
        assert "test_same_padding_keeps_the_size" in done.stdout
        assert "1 failed" in done.stdout
    assert "has no bug 'ZZ'" in pytest_("sizes.py", "--bug", "ZZ").stdout


def test_a_notebook_is_graded_as_its_cells_say(run):
    """start --notebook; magics are passed over, and mistakes are told by cell and line."""
    run("start", "--notebook")
    file = run.folder / "sizes.ipynb"
    assert not (run.folder / "sizes.py").exists()
    assert "0 of 12 bugs seen" in run("run", "1")[1]
    notebook = json.loads(file.read_text())
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    first = {**code, "source": ["%matplotlib inline\n", "x = 1\n"]}
    wrong = {**code, "source": ["def test_wrong(engine):\n", "    assert engine.same_padding(3) == 2\n"]}
    right = {**code, "source": run("solution", "1", "same")[1].splitlines(keepends=True)}
    notebook["cells"] += [first, wrong, right]
    cells = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
    file.write_text(json.dumps(notebook))
    out = run("run", "1")[1]
    assert "2 of 12 bugs seen" in out
    assert f"sizes.ipynb, cell {cells - 1}, line 2: assert engine.same_padding(3) == 2" in out
    assert "pytest_" not in out
    file.write_text("{}")
    assert "is not a notebook" in run("run", "1")[1]


def test_the_unguided_level_gives_no_names(run):
    """What the engine offers stays; the exercises' names and sentences go."""
    run("start", "--unguided")
    for chapter in BUGS:
        text = (run.folder / f"{chapter}.py").read_text()
        ast.parse(text)
        assert "Unguided" in text
        assert not any(name in text for name in HINTS[chapter])
    assert "engine.conv_output_size(n, k" in (run.folder / "sizes.py").read_text()


def test_a_chapter_that_is_done_says_what_it_showed(run):
    """Which rows are superfluous, how few the reference needs, what comes next; and the reference beside yours."""
    run.folder.mkdir()
    text = (FOLDER / "solutions" / "sizes.py").read_text()
    (run.folder / "sizes.py").write_text(text)
    status, out = run("run", "1")
    assert status == 0
    words = " ".join(out.split())
    assert "5 of your 8 properties see everything" in words
    assert "Without them nothing would be lost: test_a_kernel_as_wide_as_the_input_has_one_place," in words
    assert "Next: `run gradients`" in words
    out = run("compare", "1", "same")[1]
    assert out.count("def test_same_padding_keeps_the_size") == 2
    assert "nothing to compare yet" in run("compare", "2")[1]


MORE = """
from tests.exercises.engine import Bug

CHAPTER = "norms"
ABOUT = "how long a vector is"
STARTER = "def test_of_a_unit(engine):\\n    pass\\n"
HINTS = {"test_of_a_unit": ("Scale it.", "norm(2 x) = 2 norm(x).")}
FUNCTIONS = {"norm": lambda x: sum(abs(v) for v in x)}


def of_one(engine):
    assert engine.norm([1]) == 1


squares = {"norm": lambda x: sum(v * v for v in x)}
BUGS = [Bug("squares", "It sums squares.", "example/example issue 1", of_one, squares)]
HELD_OUT = [Bug("no bars", "It forgets the bars.", "held out", of_one, {"norm": sum})]
"""


def test_a_teacher_adds_a_chapter_or_bugs(run, tmp_path):
    """With --more FILE: it is started, listed, hinted at, graded and shown like the others; mistakes are told."""
    more = tmp_path / "norms.py"
    more.write_text(MORE)
    run("--more", str(more), "start")
    (run.folder / "norms.py").write_text("def test_scale(engine):\n    assert engine.norm([2]) == 2\n")
    assert "8 norms" in run("--more", str(more), "list")[1]
    status, out = run("run", "norms", "--more", str(more))
    assert status == 0
    assert "1 of 1 bugs seen" in out
    assert "norm([2]): 2 is right, and the bug says 4" in run("show", "norms", "A", "--more", str(more))[1]
    assert "Scale it." in run("hint", "8", "unit", "--more", str(more))[1]
    more.write_text("CHAPTER = 'sizes'\n")
    status, out = run("run", "1", "--more", str(more))
    assert status == 2
    assert "does not define BUGS" in out


@pytest.mark.parametrize(("command", "code"), [("run", runner.NOT_DONE), ("watch", runner.DONE)])
def test_who_stops_a_run_is_not_done_and_who_stops_a_watch_is(command, code, monkeypatch):
    """The exit code tells a script that not all was asked; to stop is how a watch ends."""

    def stopped(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "folder_of", stopped)
    assert runner.main([command]) == code
