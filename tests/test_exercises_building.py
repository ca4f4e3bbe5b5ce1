"""The track `build`: our engine obeys all laws, legal engines do, and each mistake breaks a law of its own step."""

from __future__ import annotations

import ast
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from minitensor import Tensor, gradients

from .exercises import __main__ as runner
from .exercises import draw, grade
from .exercises.building import bench, bridge, readers
from .exercises.building.mutants import MUTANTS, engine
from .exercises.building.steps import EMPTY, STEPS, sections
from .exercises.building.variants import VARIANTS

FOLDER = Path(__file__).parent / "exercises"


@pytest.fixture(autouse=True)
def settings_of_the_bench():
    grade.use_settings(shrink=False, examples=bench.CASES)
    yield
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def built(tmp_path, source):
    path = tmp_path / "engine.py"
    path.write_text(source)
    return bench.Built(grade.load(path)), path.resolve()


def broken(steps, e, path):
    """The laws that do not hold, of these steps."""
    verdicts = ((step, law, bench.judge(law, e, path)) for step in steps for law in step.laws)
    return [f"{step.number} {law.__name__}: {verdict.message}" for step, law, verdict in verdicts if not verdict.passed]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_a_step_needs_nothing_of_the_next(tmp_path, step):
    """Its laws, and those before it, hold for an engine that ends with it."""
    assert not broken(STEPS[: step.number], *built(tmp_path, engine(sections()[: step.number])))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_legal_engine_passes(tmp_path, variant):
    """Another order, other ties, other names, other rules: what the texts leave open is open."""
    grade.use_settings(shrink=False, examples=20)
    assert not broken(STEPS, *built(tmp_path, variant.source()))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_a_mistake_in_a_step_fails_in_that_step(tmp_path, step):
    """Of each mutant of the step a law of the step is broken, and none of an earlier one."""
    for mutant in MUTANTS:
        if mutant.step == step.number:
            e, path = built(tmp_path, mutant.source())
            grade.use_settings(shrink=False, examples=bench.CASES)
            assert any(not bench.judge(law, e, path).passed for law in step.laws), mutant
            grade.use_settings(shrink=False, examples=2)
            assert not broken(STEPS[: step.number - 1], e, path), mutant


def test_there_are_more_than_a_hundred_mistakes_in_all_steps():
    """And the bugs of chapter 6 that such an engine can have are among them, by their names."""
    assert len(MUTANTS) > 100
    assert {mutant.step for mutant in MUTANTS} == {step.number for step in STEPS}
    text = (FOLDER / "building" / "mutants.py").read_text()
    for bug in (
        "= for +=", "number on the left", "seed ignored", "None for unused", "follows the array", "added in place",
        "stale inner gradients", "no topological order", "values without a recipe", "recursion", "overflow",
        "drops the graph",
    ):  # fmt: skip
        assert bug in text


def test_each_step_is_told_on_half_a_page():
    """A text with one worked number, two hints and an afterword; our lines are 4 to 40, and use none of a later step.

    NumPy alone is imported.
    """
    assert len(STEPS) == len(sections()) == 16
    for step in STEPS:
        assert step.text().startswith(f"# {step.number}. ")
        assert "For example" in step.text()
        assert 120 < len(step.text().split()) < 450
        assert all(step.hints())
        assert step.afterwards()
        code = [line for line in step.our_lines().splitlines() if line.strip() and not line.strip().startswith("#")]
        assert 4 <= len(code) <= 40
        used = {node.id for node in ast.walk(ast.parse(step.our_lines())) if isinstance(node, ast.Name)}
        assert used.isdisjoint([name for later in STEPS[step.number :] for name in later.adds])
        for name in step.adds:
            assert re.search(rf"^(def|class) {name}\b", step.our_lines(), re.M)
            assert f"`{name}" in step.text()
    source = (FOLDER / "building" / "solution.py").read_text()
    assert re.findall(r"^(?:import|from) (\w+)", source, re.M) == ["itertools", "numpy"]


def test_wrong_engines_learn_to_read_as_well():
    """What the last afterword says: three mistakes that break laws leave more than 95 % of the digits right."""
    for name, source in readers.sources():
        assert readers.accuracy(source, seed=0, epochs=20) > 0.95, name


# -- viz on a foreign engine -------------------------------------------------------------------------------------------


@pytest.fixture
def ours(tmp_path):
    return built(tmp_path, engine(sections()))[0]


def test_a_lifted_function_has_all_derivatives(ours):
    """Its gradient is the foreign engine's, and so is the gradient's gradient."""
    cube = bridge.lifted(ours, lambda x: x * x * x)
    x = Tensor([1.0, 2.0])
    [slope] = gradients(cube(x), [x])
    [bend] = gradients(slope, [x])
    assert slope.data.tolist() == [3, 12]
    assert bend.data.tolist() == [6, 12]


def test_a_foreign_recipe_is_drawn_with_its_operators(ours):
    """The same operators, values and inputs."""
    x = ours.Tensor([1.0, 2.0])
    twin = bridge.recorded(ours, ours.tanh(x * x), {x: "x"})
    assert np.array_equal(twin.data, np.tanh([1.0, 4.0]))
    assert twin.primitive.__name__ == "tanh"
    (product,) = twin.inputs
    assert product.primitive.__name__ == "multiply"
    assert product.inputs[0] is product.inputs[1]
    assert product.inputs[0].name == "x"


def test_the_wires_of_a_foreign_convolution_share_their_weights(ours):
    """Three weights over five pixels: nine wires."""
    figure = bridge.wires(ours)
    assert figure.dot.count("->") + figure.dot.count("--") >= 9


def test_a_broken_graph_is_drawn_with_the_order_of_the_visit(tmp_path):
    """Boxes and wires, and the number of each visit."""
    grade.use_settings(shrink=True)
    mutant = next(m for m in MUTANTS if m.step == 3 and "for t in todo" in m.new)
    e, path = built(tmp_path, mutant.source())
    law = next(law for law in STEPS[2].laws if "leaves" in law.__name__)
    verdict = bench.judge(law, e, path, shrink=True)
    pictures = draw.counterexample(verdict.case or {}, verdict.error)
    assert "has not passed on its share to it yet" in verdict.message
    assert "(1.)" in draw.as_text(pictures)
    svg = draw.as_svg(pictures, ["history"])
    ElementTree.fromstring(svg)
    assert "<path" in svg


# -- the runner --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    def command(*arguments):
        status = runner.main(["--folder", str(tmp_path / "mine"), *arguments])
        out = capsys.readouterr()
        assert "Traceback" not in out.out + out.err
        return status, out.out

    command.folder = tmp_path / "mine"
    return command


def test_a_first_session_of_building(run):
    """start, a text, a mistake that is drawn, a step that holds, hints, a reset that keeps what was built before."""
    run("start")
    file = run.folder / "build" / "engine.py"
    assert file.read_text() == EMPTY
    status, out = run("run", "build")
    assert status == 1
    assert "0 of 16 steps done" in out
    assert "# 1. A value and its recipe" in run("read")[1]
    file.write_text(EMPTY + engine(sections()[:1]))
    out = run("run", "build")[1]
    assert "1 of 16 steps done" in out
    assert "Step 1 holds." in out
    assert "# 2. Adding" in run("read")[1]
    assert "class Tensor" in run("compare", "build")[1]

    mutant = next(m for m in MUTANTS if m.step == 2 and m.new == "a.data - b.data")
    file.write_text(mutant.source())
    out = run("run", "build")[1]
    assert "Step 2, adding and multiplying: sums and products have their values" in out
    assert "expected" in out
    assert "counterexample" not in out
    ElementTree.parse(run.folder / "counterexample.svg")
    assert STEPS[1].hints()[0] in run("hint", "build")[1]
    assert STEPS[1].hints()[1] in run("hint", "build")[1]
    assert "def add" in run("solution", "build")[1]

    written = file.read_text()
    run("reset", "build", "2")
    assert "def add" not in file.read_text()
    assert "class Tensor" in file.read_text()
    assert (run.folder / "build" / "engine.py.old").read_text() == written
    assert "nothing was kept" not in run("reset", "build")[1]
    assert file.read_text() == EMPTY


def test_a_whole_engine_learns_to_read_and_is_drawn(run):
    """All steps hold, digits are read, the graph and the wires are drawn, and its author's own properties judge it."""
    run("start")
    (run.folder / "build" / "engine.py").write_text((FOLDER / "building" / "solution.py").read_text())
    status, out = run("run", "build")
    assert status == 0
    assert "16 of 16 steps done" in out
    best = max(float(share) for share in re.findall(r"([\d.]+)% right", out))
    assert best >= 97
    for name in "graph.svg", "wires.svg":
        ElementTree.parse(run.folder / "build" / name)
    assert "build         ██████████ 16 of 16 steps" in run("list")[1]
    ElementTree.parse(run.folder / "progress.svg")

    (run.folder / "engine.py").write_text((FOLDER / "solutions" / "engine.py").read_text())
    status, out = run("run", "engine", "--own")
    assert status == 0, out
    assert out.count(" holds") >= 12
    assert re.search(r"test_dropout_keeps_the_mean +asks for what it does not have", out)


def test_properties_of_chapter_6_see_a_bug_in_ones_own_engine(run):
    """A wrong order in history is seen by the properties that its author wrote."""
    run("start")
    mutant = next(m for m in MUTANTS if m.step == 4 and m.new == "sums[x] = share")
    (run.folder / "build" / "engine.py").write_text(engine(sections()).replace(mutant.old, mutant.new))
    (run.folder / "engine.py").write_text((FOLDER / "solutions" / "engine.py").read_text())
    status, out = run("run", "engine", "--own")
    assert status == 1
    assert re.search(r"test_a_value_used_again_gets_more +fails", out)


# -- what a student reads ----------------------------------------------------------------------------------------------


def told(tmp_path, old, new):
    """What the first broken law says of an engine with this change, with its smallest case."""
    source = engine(sections())
    assert old in source
    e, path = built(tmp_path, source.replace(old, new))
    grade.use_settings(shrink=True, examples=30)
    for step in STEPS:
        for law in step.laws:
            verdict = bench.judge(law, e, path, shrink=True)
            if not verdict.passed:
                text, _ = draw.of_verdict(law.__name__, verdict)
                return f"{law.__name__}\n{verdict.message}\n{text}"
    return "all laws hold"


SAID = {
    "no copy in floats": ("np.array(data, dtype=float)", "np.array(data)", "of [0], data has the type int64"),
    "a return is missing": (
        "return sorted(seen, key",
        "sorted(seen, key",
        "history gives nothing: is a return missing?",
    ),
    "truth of an array": ("np.ones(y.shape) if seed is None else seed", "seed or 1.0", "ask `is None`"),
    "no tuple": ('"log", [x], [lambda g: g / x]', '"log", (x), (lambda g: g / x)', "(a tuple of one is written (x,)"),
    "a number": ("return Tensor(np.ones(x.shape))", "return 1.0", "power gives a float, and should give a Tensor"),
    "which sign": ("tensor(b) + -a", "a + -tensor(b)", " - Tensor: "),
    "which rule": ("lambda g: a.mT @ g", "lambda g: g @ a.mT", ": g @ a.mT\n"),
    "windows overlap": (": stride] +=", ": stride] =", "fold_adds_each_window_where_it_was_read"),
    "by accident": ("(0, 2, 3, 1, 4, 5))  #", "(0, 2, 3, 4, 5, 1))  #", "conv2d: "),
    "flipped": ("reshape(w, (w.shape[0], -1))", "reshape(w[:, :, ::-1, ::-1], (w.shape[0], -1))", "the flipped kernel"),
    "printed": ("    seen, todo = {y}, [y]", "    print('here')\n    seen, todo = set(), [y]", "printed:\n    here"),
}


@pytest.mark.parametrize(("old", "new", "words"), SAID.values(), ids=SAID)
def test_the_words_lead_to_the_mistake(tmp_path, old, new, words):
    """What is compared, what is missing, and which part of which line was computed."""
    assert words in told(tmp_path, old, new)


def test_the_smallest_case_is_small(tmp_path):
    """Of windows that overwrite each other: one image, one channel, two places along one axis."""
    text = told(tmp_path, ": stride] +=", ": stride] =")
    assert "n = 1, c = 1" in text
    assert len(text.splitlines()) < 20


def test_an_engine_is_built_with_numpy_alone(run):
    """Other imports are told by their line; those that come with Python are free."""
    run("start")
    file = run.folder / "build" / "engine.py"
    file.write_text("import math\nimport numpy as np\nfrom minitensor import Tensor\n")
    status, out = run("run", "build")
    assert status == 2
    assert "engine.py, line 3: it imports minitensor; this engine is built with NumPy alone" in out


def test_parameters_are_drawn_under_their_names(ours):
    """Those of the attributes that hold them, in Modules and in lists."""

    class Model(ours.Module):
        def __init__(self):
            self.first, self.parts = ours.Dense(2, 3, np.random.default_rng(0)), [ours.Tensor(1.0)]

    assert [name for _, name in bridge.named(ours, Model())] == ["first.w", "first.b", "parts.0"]
