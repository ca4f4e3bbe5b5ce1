"""The exercises keep what they promise: bugs are seen, legal engines pass, and names change no verdict."""

from __future__ import annotations

import functools
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import minitensor as mt
from minitensor import Tensor, as_tensor

from .exercises import draw, grade, kit, reading, report, session, starting
from .exercises.bugs import BUGS
from .exercises.bugs.held_out import HELD_OUT
from .exercises.chapters import chapters
from .exercises.engine import ENGINE, Watched
from .exercises.hints import HINTS
from .exercises.notebook import text_of
from .exercises.tasks import LAWS, TASKS
from .exercises.variants import VARIANTS
from .strategies import Line

FOLDER = Path(__file__).parent / "exercises"
ALL_BUGS = [pytest.param(chapter, bug, id=f"{chapter}: {bug.name}") for chapter, bugs in BUGS.items() for bug in bugs]


@pytest.fixture(autouse=True, scope="module")
def settings_of_the_exercises():
    """Properties are run here as the worker runs them, with fewer cases."""
    grade.use_settings(shrink=False, examples=120)
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


@pytest.mark.parametrize("chapter", BUGS)
def test_the_reference_solutions_see_every_bug(chapter):
    """Some property of its chapter fails; and so many of them are enough, as the runner tells whoever has finished."""
    rows = []
    for test, used, _ in written("solutions", chapter):
        touched = [bug for bug in BUGS[chapter] if used & set(bug.changes)]
        seen = {bug.name for bug in touched if not grade.judge(test, Watched(bug.engine)).passed}
        marks = [report.KILLED if bug.name in seen else report.SURVIVED for bug in BUGS[chapter]]
        rows.append(report.Row(test.__name__, marks))
    assert set(report.killers(rows, BUGS[chapter])) == {bug.name for bug in BUGS[chapter]}
    assert len(session.fewest(rows)) == starting.FEWEST[chapter]


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


def test_the_readme_adds_a_bug(tmp_path):
    """Its file of --more adds a bug that its own example does not see, and that a reference solution sees."""
    code = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.S)[1]
    (tmp_path / "more.py").write_text(code)
    bug = chapters([tmp_path / "more.py"])["sizes"].bugs[-1]
    bug.survives(ENGINE)
    bug.survives(bug.engine)
    assert any(not grade.judge(test, Watched(bug.engine)).passed for test, _, _ in written("solutions", "sizes"))


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


def this_recipe(engine):
    assert engine.multiply(engine.tensor(2.0), 3.0).primitive is mt.multiply(Tensor(2.0), 3.0).primitive


TOO_STRICT = {
    "ties to the last": ties_first,
    "ties shared": ties_first,
    "another order of sums": sums_to_the_last_bit,
    "other last digits": digits,
    "NumPy numbers": plain_ints,
    "other words": these_words,
    "another random order": this_stream,
    "another recipe": this_recipe,
}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_asking_too_much_fails_on_a_variant(variant):
    """A property that holds for the right engine by chance does not hold for the variant."""
    assert grade.judge(TOO_STRICT[variant.name], ENGINE).passed
    assert not grade.judge(TOO_STRICT[variant.name], variant.engine).passed


# -- verdicts ----------------------------------------------------------------------------------------------------------

RARE = """
from tests.exercises.kit import *

@given(x=whole(3, low=-20, high=20))
def test_{name}(engine, x):
    assert values(engine.tanh(x))[0] >= -0.9999999999 or x[1] != 7
"""


def test_renaming_changes_nothing(tmp_path):
    """Properties of other names and words have the same cases, and so the same verdict and smallest case."""
    found = []
    for name in "abcde":
        file = tmp_path / f"{name}.py"
        file.write_text(RARE.format(name=f"{name}_{'of_another_length' * (name > 'b')}"))
        (test,) = grade.properties(grade.load(file))
        verdict = grade.judge(test, Watched(ENGINE), seeds=grade.SEEDS)
        found.append((verdict.passed, verdict.arguments["x"].tolist() if verdict.arguments else None))
    assert all(verdict == found[0] for verdict in found)


FALSE = """
from tests.exercises.kit import *

@given(n=st.integers(0, 99))
def test_{n}(engine, n):
    assert engine.conv_output_size(200, 1) == 200
    assert n != {n}
"""


def test_what_is_false_once_in_a_hundred_times_is_not_credited(tmp_path):
    """Ten such properties, ten times seen."""
    for n in range(3, 100, 10):
        file = tmp_path / "false.py"
        file.write_text(FALSE.format(n=n))
        (test,) = grade.properties(grade.load(file))
        assert not grade.judge(test, Watched(ENGINE), seeds=grade.SEEDS).passed


@pytest.mark.parametrize("chapter", HELD_OUT)
def test_the_reference_solutions_see_the_bugs_that_are_held_out(chapter):
    """They are of the kinds that the chapter is about; each has a name that no other bug has."""
    for bug in HELD_OUT[chapter]:
        assert bug.name not in {other.name for other in BUGS[chapter]}
        relevant = [test for test, used, _ in written("solutions", chapter) if used & set(bug.changes)]
        assert any(not grade.judge(test, Watched(bug.engine)).passed for test in relevant), bug.name


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
    "blur": [
        of_arrays(solution("blur")),
        as_tensor,
        lambda x: as_tensor(x) * 0 + 1,
        lambda x: solution("roll")(solution("blur")(x), 1),
    ],
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
        of_arrays(solution("turning")),
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
        "found, shape [1, 1, 2]",
        "      1 [5]",
        "expected, shape [1, 1, 2]",
        "      1 [2]",
    ]


def test_a_drawing_shows_what_took_part_and_what_failed(tmp_path):
    """Parts of a case that the property does not use are left out; numbers of the failing line are there, loops too."""
    file = tmp_path / "parts.py"
    file.write_text(
        "from tests.exercises.kit import *\n\n\n@given(case=convolutions(batch=3), unused=whole(2), data=st.data())\n"
        "def test_parts(engine, case, unused, data):\n    for turn in range(2):\n"
        "        number = data.draw(st.integers(5, 9))\n        wrong = values(engine.conv1d(case.x, case.w)) + turn\n"
        "        same(wrong * number, wrong)\n"
    )
    (test,) = grade.properties(grade.load(file))
    grade.use_settings(shrink=True)
    (test,) = grade.properties(grade.load(file))
    verdict = grade.smallest(test, Watched(ENGINE))
    grade.use_settings(shrink=False, examples=120)
    text = draw.as_text(draw.counterexample(verdict.case, verdict.error))
    assert "case.x" in text
    assert "case.w" in text
    assert "case.b" not in text
    assert "unused" not in text
    assert "turn = 1" in text
    assert "draw 1 = 5" in text
    assert "draw 2 = 5" in text
    assert "number = 5" in text
    assert "wrong, shape" in text
    assert verdict.arguments["case"].x.shape[:2] == (1, 1)


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
    kit.close(np.inf, np.inf)
    for compare, a, b in (
        (kit.same, 1.0, 1.0 + 1e-9),
        (kit.close, 1.0, 1.1),
        (kit.close, [1.0], [[1.0]]),
        (kit.same, np.nan, 1.0),
        (kit.close, np.inf, 1.0),
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


# -- what nobody means -------------------------------------------------------------------------------------------------

MEANINGLESS = {
    "    assert same(engine.same_padding(3), 1)": "same(a, b) raises by itself",
    "    engine.same_padding(3) == 1": "nobody looks at what this comparison says",
    "    assert (np.ones(2) == 2).all": ".all is a function, and so always true",
    "    assert (k == 99 for k in (1, 3))": "write assert all(... for ...)",
    "    assert [k == 99 for k in (1, 3)]": "write assert all(... for ...)",
    "    try:\n        assert False\n    except Exception:\n        pass": "is caught, and nobody hears it",
    "    try:\n        assert False\n    except:\n        pass": "is caught, and nobody hears it",
    "    def test_inside(engine):\n        assert True": "test_inside stands inside of something",
}


@pytest.mark.parametrize(("body", "told"), MEANINGLESS.items())
def test_a_property_that_checks_nothing_is_told_so(tmp_path, body, told):
    """Each in its line; and what is meant gets no remark."""
    file = tmp_path / "words.py"
    file.write_text(f"def test_words(engine):\n{body}\n")
    (remark,) = reading.remarks(reading.read(file))
    assert re.match(r"words.py, line \d: ", remark)
    assert told in remark


def test_what_is_meant_gets_no_remark():
    """Nor do the reference solutions and the starters."""
    for path in [*(FOLDER / "solutions").glob("*.py"), *(FOLDER / "starters").glob("*.py")]:
        assert not list(reading.remarks(reading.read(path))), path
        sheet = reading.read(path)
        for test in grade.properties(grade.load(path)):
            assert not reading.behind(sheet, test.__name__)


UNGRADED = {
    "@given(lines())\ndef sizes_grow(engine, line):\n    assert True": "let its name begin with test_",
    "@given\ndef test_words(engine, line):\n    assert True": "@given stands there without brackets",
    "if __name__ == '__main__':\n    def test_words(engine):\n        assert True": "stands inside of something",
}


@pytest.mark.parametrize(("text", "told"), UNGRADED.items())
def test_a_property_that_would_not_be_graded_is_told_so(tmp_path, text, told):
    """The name, the brackets and the place that make it one."""
    file = tmp_path / "words.py"
    file.write_text(f"from tests.exercises.kit import *\n{text}\n")
    (remark,) = reading.remarks(reading.read(file))
    assert told in remark


MISUSED = {
    "@given(lines())\ndef test_words(line, engine):\n    assert True": "the engine comes first",
    "@given(lines)\ndef test_words(engine, line):\n    assert True": "call it, as in @given(lines())",
    "@given(lines())\ndef test_words(engine, line):\n    line.n += 1": "line._replace(n=5) makes another",
    "def test_words(engine):\n    assert engine.conv_output_size(300, 1) is 300": "write ==",
    "def test_words(engine):\n    if np.ones(2):\n        pass": "is neither true nor false",
}


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(("text", "told"), MISUSED.items())
def test_what_was_meant_is_told(tmp_path, text, told):
    """Where an error of Python would not lead to the mistake."""
    file = tmp_path / "words.py"
    file.write_text(f"from tests.exercises.kit import *\n{text}\n")
    (test,) = grade.properties(grade.load(file))
    assert told in grade.judge(test, ENGINE, file.resolve()).message


@pytest.mark.parametrize("look", [
    "engine._engine", "engine.same_padding.__closure__", "vars(engine)", "getattr(engine, '_engine')",
    "inspect.getsource(engine.same_padding)", "engine.same_padding.__code__",
])  # fmt: skip
def test_an_engine_is_asked_for_numbers_alone(tmp_path, look):
    """Whoever looks at the engine itself gets no marks; what is private in name only is free."""
    file = tmp_path / "words.py"
    file.write_text(f"import inspect\ndef test_words(engine, line):\n    line._replace(n=1)\n    assert {look}\n")
    beside = reading.taken_from(reading.read(file), "test_words", vars(ENGINE), {"same_padding"})
    assert beside.answer
    assert "looks behind the engine" in beside.told
    file.write_text("def test_words(engine, line):\n    assert getattr(engine, 'tanh')(line._replace(n=1).n)\n")
    assert reading.taken_from(reading.read(file), "test_words", vars(ENGINE), {"tanh"}) is None


def test_an_error_is_told_with_the_calls_that_led_to_it(tmp_path):
    """The line, then what called it, each by the part that was being computed."""
    file = tmp_path / "words.py"
    file.write_text(
        "def half(x):\n    return x / 0\n\n\ndef test_words(engine):\n    assert (1 + half(2)) - (3 + half(4)) == 5\n"
    )
    (test,) = grade.properties(grade.load(file))
    assert grade.judge(test, ENGINE, file.resolve()).message.splitlines() == [
        "words.py, line 2: return x / 0",
        "  called in line 6: half(2)",
        "ZeroDivisionError: division by zero",
    ]


def test_a_file_does_not_say_how_many_cases_are_tried(tmp_path):
    """A profile of Hypothesis that it loads is put back."""
    file = tmp_path / "words.py"
    file.write_text(
        "from hypothesis import settings\n"
        "settings.register_profile('mine', max_examples=1)\n"
        "settings.load_profile('mine')\n"
    )
    before = settings.get_current_profile_name()
    grade.load(file)
    assert settings.get_current_profile_name() == before


def test_lines_are_counted_as_python_counts_them(tmp_path):
    """Windows ends them otherwise, and a page break or a separator of paragraphs ends none."""
    file = tmp_path / "words.py"
    file.write_bytes("x = '\u2028\x0c'\r\ny = len(x)\r\n1 / 0\r\n".encode())
    with pytest.raises(grade.Mistake, match=r"words.py, line 3: 1 / 0\nZeroDivisionError"):
        grade.load(file)


def test_lines_for_the_notebook_alone_are_passed_over():
    """Magic, shells, questions, and cells in another language; what a cell of %%time computes is graded."""
    cells = [
        "%%bash\nls -l",
        "%%time\nx = 1",
        "names = !ls\nx?\n?x\nnp.sum??",
        "for i in 1, 2:\n    %time",
        "y = 4 % 3",
    ]
    notebook = {"cells": [{"cell_type": "code", "source": text.splitlines(keepends=True)} for text in cells]}
    found: dict[str, int] = {}
    text = text_of(json.dumps(notebook).encode())
    exec(text, found)
    assert (found["x"], found["y"]) == (1, 1)
    assert "names" not in found
    assert text.count("\n") + 1 == len(cells) + sum(len(cell.splitlines()) for cell in cells)
