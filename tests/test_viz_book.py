"""The book: nothing of a source file is lost, names and links lead somewhere, chapters are whole."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
import viz
from minitensor import Primitive
from tests.exercises.bugs import BUGS
from tests.exercises.building.steps import STEPS
from tests.exercises.chapters import ABOUT
from viz.__main__ import main
from viz.book.annotated import cut
from viz.book.chapters import CELL, figure_of, prepare, where
from viz.book.contact import contact_sheet
from viz.book.finish import write_notebook
from viz.book.found import figures_of, laws, laws_of, used
from viz.book.links import broken
from viz.book.names import Names, arguments
from viz.book.prose import blocks, spans
from viz.book.rules import met, rules
from viz.drawing.export import adaptive
from viz.pages.gallery import readme_figures, x_times_its_tanh
from viz.subjects.lecture import FIGURES, IN_THE_BOOK, ON_SLIDES

from .test_package import PATH, module_name

ROOT = Path(__file__).parents[1]
book = sys.modules["viz.book"]  # the module: `viz.book` is its function
NAMES = Names()
SOURCES = sorted(path for package in ("minitensor", "nets", "viz") for path in (ROOT / package).rglob("*.py"))
CHAPTERS = sorted((ROOT / "viz" / "book" / "course").glob("*.md"))
ROOMS = ("minitensor", "nets", "viz", "tests")
MARKDOWN = sorted(
    [
        *ROOT.glob("*.md"),
        *[path for room in ROOMS for path in (ROOT / room).rglob("*.md") if path.parent.name != "course"],
    ]
)


# -- source, cut into parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_line_that_is_not_blank_is_in_one_part(path):
    text = path.read_text(encoding="utf-8")
    shown = [n for part in cut(text) for n in part.said + part.code]
    assert sorted(shown) == [n for n, line in enumerate(text.splitlines(), start=1) if line.strip()]


@given(
    st.lists(
        st.sampled_from(
            ["a = 1\n", "def f():\n    'f'\n", "# why\n", "@f\nclass C:\n    x = 1\n\n    def g(self): 'g'\n", "\n"]
        )
    )
)
def test_every_line_of_any_file_is_in_one_part(pieces):
    text = "".join(pieces)
    shown = [n for part in cut(text) for n in part.said + part.code]
    assert sorted(shown) == [n for n, line in enumerate(text.splitlines(), start=1) if line.strip()]


MEMBERS = {  # of a class: its text, the names of the part that it begins (none where it joins what is above), its lines
    "told": ("    @f\n    def told(self):\n        'Says.'\n        return 1\n", ["told"]),
    "remarked": ("    # why\n    def remarked(self):\n        return 1\n", ["remarked"]),
    "silent": ("    def silent(self):\n        return 1\n", None),
    "a_field": ("    a_field: int = 1\n", None),
    "a_remarked_field": ("    # why\n    a_remarked_field = 2\n", ["a_remarked_field"]),
}


@given(st.lists(st.sampled_from(sorted(MEMBERS)), min_size=1, max_size=6), st.booleans())
def test_each_method_that_says_something_is_a_part_and_what_follows_it_joins_it(members, documented):
    """The lines of the parts follow on each other as those of the file; the first part has the class's own name."""
    first = "@f\nclass C(Base):\n" + "    'A class.'\n\n" * documented
    text = first + "\n".join(MEMBERS[m][0] for m in members) + "\n\nrest = 1\n"
    expected = [("C", "", first.count("\n") + 1)]
    at = first.count("\n") + 1
    for member in members:
        body, names = MEMBERS[member]
        if names:
            expected.append((f"C.{member}", "C", at))
        at += body.count("\n") + 1
    expected.append(("rest", "", at + 1))
    found = [part for part in cut(text) if part.name]
    assert [(p.name, p.owner) for p in found] == [(name, owner) for name, owner, _ in expected]
    lines = [sorted(p.said + p.code) for p in found]
    begins = [1, *[begin for *_, begin in expected[1:]]]
    assert [some[0] for some in lines] == begins
    assert [n for some in lines for n in some] == [n for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    assert found[0].docstring == "A class." * documented


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_definition_is_the_name_of_a_part(path):
    text = path.read_text(encoding="utf-8")
    named = {name for part in cut(text) if not part.owner for name in part.names}
    assert named == NAMES.sources.defined[module_name(path)]


def test_the_readers_path_has_a_page_for_each_file():
    files = {m for m in NAMES.sources.paths if m.split(".")[1:2] and m.split(".")[1] in PATH and m != "minitensor.ops"}
    assert files <= set(book.PATH_MODULES)


# -- what is said of a function ----------------------------------------------------------------------------------------


def test_every_operator_of_the_readers_path_is_met_by_a_call():
    for module in book.PATH_MODULES:
        for name, value in vars(NAMES.object((module, ""))).items():
            if isinstance(value, Primitive) and value.__module__ == module:
                assert value in met(), f"{module}.{name}"


def test_an_operator_has_a_formula_for_each_input():
    for primitive, t in met().items():
        found = rules(primitive)
        assert found is not None and len(found.inputs) == len(t.inputs)


def test_what_the_book_says_of_the_operators_is_in_the_golden_file():
    """A line each: the value, what is handed to each input, and how large the graph of the gradient is.

    After a change that is meant: REFRESH_GOLDEN=1 pytest tests/test_viz_book.py, and read what changed.
    """
    lines = []
    for primitive in met():
        found = rules(primitive)
        shares = [f"  {name}: {share or 'nothing'}" for name, share in found.inputs]
        dot = found.graph.dot if found.graph else ""
        graph = f"  graph: {dot.count('label=')} labels, {dot.count('->')} wires"
        lines += [f"{primitive.name}: {found.value}", *shares, graph]
    path = ROOT / "tests" / "golden" / "operators.txt"
    if os.environ.get("REFRESH_GOLDEN"):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8").splitlines() == lines


def test_an_operator_that_no_call_meets_has_no_rules():
    assert rules(Primitive(lambda x: x)) is None


@pytest.mark.parametrize("name", ["conv", "max_pool", "gradients", "_conv"])
def test_laws_and_figures_of_a_name_call_it(name):
    called = {f"{name.strip('_')}{rank}" for rank in ("", "1d", "2d", "3d")}
    found = laws_of(name, ROOT / "tests")
    assert found and all(called & law.uses for law in found)
    for law in set(laws(ROOT / "tests")) - set(found):
        assert not called & law.uses
    assert name == "gradients" or figures_of(name)


@given(st.sampled_from(["relu", "sum", "windows", "row"]), st.sampled_from(["np", "math"]))
def test_a_name_counts_where_it_means_something_of_minitensor(name, other):
    """Imported from it, or behind mt; not behind another module, as a variable, or imported from elsewhere."""
    ours = frozenset([name])
    for code in (f"def test(): {name}(1)", f"def test(): mt.{name}(1)", f"def test(): return [mt.{name}]"):
        assert name in used(code, ours)[0]
    for code in (f"def test(): {other}.{name}(1)", f"def test(x): x.{name}", f"def test({name}): {name}(1)"):
        assert name not in used(code, ours)[0]
    assert name not in used(f"def test(): {name}(1)", frozenset())[0]


def test_a_function_says_how_it_is_called_without_places_in_memory():
    for package, names in NAMES.public.items():
        for name, place in names.items():
            said = arguments(NAMES.object(place))
            assert " at 0x" not in said and "<f" not in said, f"{package}.{name}{said}"
    assert "loss: Loss = cross_entropy" in arguments(nets.fit) and "rng" in arguments(nets.Conv2d)


# -- prose -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "kind"), [("    y = 2 x", "formula"), ("Words.", "words"), (">>> 2", "doctest")])
@given(st.integers(1, 3))
def test_a_line_that_is_hardly_indented_goes_on_with_what_stands_before_it(before, kind, width):
    [block] = blocks(f"{before}\n{' ' * width}and more")
    assert block.kind == kind and block.text.endswith("and more")


@given(st.text(st.sampled_from("ab `*_()[]"), max_size=40))
def test_spans_are_the_text_without_its_marks(text):
    def marked(kind: str, words: str) -> str:
        return {"code": f"`{words}`", "emphasis": f"*{words}*", "text": words}[kind]

    assert "".join(marked(*span) for span in spans(text)) == text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_keep_every_word_of_a_docstring(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            text = ast.get_docstring(node) or ""
            assert " ".join(block.text for block in blocks(text)).split() == text.split()


# -- names -------------------------------------------------------------------------------------------------------------


def test_every_public_name_has_a_home_and_a_docstring():
    for package, names in NAMES.public.items():
        for name, place in names.items():
            assert NAMES.home(place) is not None, f"{package}.{name}"
            thing = NAMES.object(place)
            if callable(thing):
                assert (thing.__doc__ or "").strip() and not thing.__doc__.startswith(f"{name}("), f"{package}.{name}"


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("gradients", "source/backprop"),
        ("conv2d(x, w)", "source/conv"),
        ("Tensor.backward", "source/tensor"),
        ("ops/shape.py", "source/ops.shape"),
        ("sizes.explain", "reference/minitensor"),
        ("viz.connections", "reference/viz"),
        ("lenet", "reference/nets"),
    ],
)
def test_a_name_in_the_text_leads_to_its_page(text, page):
    home = NAMES.means(text)
    assert home is not None and home.page == page


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("Tensor", "minitensor.tensor.Tensor"),
        ("Tensor.sum(axis=0)", "minitensor.tensor.Tensor.sum"),
        ("Tensor.nobody", "minitensor.tensor.Tensor"),
        ("Tensor.__init__", "minitensor.tensor.Tensor"),
        ("gradients.x", "minitensor.backprop.gradients"),
        ("nets.Module.parameters", "nets.layers.module.Module.parameters"),
        ("minitensor.sizes", "minitensor.sizes"),
        ("sizes.explain", "minitensor.sizes.explain"),
        ("pool.py", ""),
    ],
)
def test_a_name_in_the_text_leads_to_what_says_something_about_it(text, anchor):
    """A method to itself, if it has a docstring, else to its class."""
    assert NAMES.means(text).anchor == anchor


@pytest.mark.parametrize("text", ["x", "np.add", "nobody", "a + b", "tests/test_x.py", ""])
def test_what_is_no_name_of_ours_leads_nowhere(text):
    assert NAMES.means(text) is None


# -- chapters ----------------------------------------------------------------------------------------------------------


def cells(path: Path) -> Iterator[str]:
    return (found[1] for found in CELL.finditer(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_asks_answers_and_sets_three_exercises(path):
    text = path.read_text(encoding="utf-8")
    assert re.match(r"# \d+\. ", text) and text.count("\n# ") == sum(cell.count("\n# ") for cell in cells(path))
    assert len(re.findall(r"^\d\. ", text[text.index("## Exercises") :], re.M)) == 3
    assert "## What goes wrong" in text and "**Where to read on:**" in text
    assert all(len(line) <= 88 for cell in cells(path) for line in cell.splitlines())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_names_exercises_that_exist(path):
    text = path.read_text(encoding="utf-8")
    for word, names in re.findall(r"`(?:python -m tests\.exercises )?(run|bugs) (\w+)`", text):
        assert names in {*ABOUT, "build"}, word
    for number in re.findall(r"`(?:python -m tests\.exercises )?read (\d+)`", text):
        assert 1 <= int(number) <= len(STEPS)


def test_the_numbers_of_bugs_that_the_text_names_are_those_that_there_are():
    for path in ROOT / "viz/book/course/12-laws.md", ROOT / "README.md":
        [said] = re.findall(r"(\d+) bugs that were really made", " ".join(path.read_text(encoding="utf-8").split()))
        assert int(said) == sum(len(bugs) for bugs in BUGS.values()), path


def test_the_readme_counts_chapters_and_steps_as_they_are():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    words = {14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen"}
    assert f"{words[len(CHAPTERS)]} chapters" in text and f"{words[len(STEPS)]} steps" in text


@pytest.fixture(name="prepared")
def fixture(tmp_path: Path) -> Path:
    """A copy of the book's folder as Sphinx is given it."""
    shutil.copytree(ROOT / "viz" / "book", tmp_path, ignore=shutil.ignore_patterns("*.py"), dirs_exist_ok=True)
    prepare(tmp_path, book.PATH_MODULES)
    return tmp_path


def test_every_figure_of_a_chapter_has_its_caption_and_its_place_in_the_margin(prepared):
    drawn = 0
    for path in CHAPTERS:
        count = sum(figure_of(cell) is not None for cell in cells(path))
        text = (prepared / "course" / path.name).read_text(encoding="utf-8")
        under = r"^{\.margin}\n\*Deep Learning\*, section .*\n\n{\.caption-line}\n\S"
        assert len(re.findall(under, text, re.M)) == count
        drawn += count
    assert drawn > 30


def test_the_source_is_listed_in_the_order_of_the_path(prepared):
    text = (prepared / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^source/(.*)$", text, re.M) == [name.partition(".")[2] for name in book.PATH_MODULES]


@pytest.mark.parametrize("known", [IN_THE_BOOK, ON_SLIDES])
def test_what_the_book_and_the_slides_have_are_figures_of_ours(known):
    assert set(known) <= {draw.__name__ for _, _, draw in FIGURES}
    assert all(said in where(name) for name, said in known.items())


@settings(max_examples=20)  # each is a folder of files
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=3), max_size=3), st.sets(st.sampled_from("abcdef")))
def test_the_contact_sheet_has_each_figure_once_and_leads_to_where_it_stands_first(pages, in_the_gallery):
    """The pages show figures of some contents; the gallery has some of them, and others."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        for part in ("_images", "gallery"):
            (site / part).mkdir()
        links = [
            f'<li class="toctree-l1"><a class="reference internal" href="{n}.html">{n}</a>' for n in range(len(pages))
        ]
        (site / "index.html").write_text("".join(links), encoding="utf-8")
        for n, contents in enumerate(pages):
            for content in contents:
                (site / "_images" / f"{n}-{content}.svg").write_text(
                    adaptive(f"<svg>{content}</svg>"), encoding="utf-8"
                )
            shown = [
                f'<span class="picture" id="p{i}"><img src="_images/{n}-{content}.svg" alt="{content}" style=""></span>'
                for i, content in enumerate(contents)
            ]
            (site / f"{n}.html").write_text("".join(shown), encoding="utf-8")
        for content in in_the_gallery:
            (site / "gallery" / f"{content}.svg").write_text(f"<svg>{content}</svg>\n", encoding="utf-8")
        figures = [
            f'<figure id="{content}">\n<h3>{content.upper()}</h3></figure>' for content in sorted(in_the_gallery)
        ]
        (site / "gallery" / "index.html").write_text("".join(figures), encoding="utf-8")
        (site / "figures.html").write_text(contact_sheet(site), encoding="utf-8")
        found = re.findall(
            r'<a href="([^"]+)"><img [^>]*> (\w)</a>', (site / "figures.html").read_text(encoding="utf-8")
        )
        first = {}
        for n, contents in enumerate(pages):
            for i, content in enumerate(contents):
                first.setdefault(content.upper(), f"{n}.html#p{i}")
        rest = {c.upper(): f"gallery/index.html#{c}" for c in sorted(in_the_gallery) if c.upper() not in first}
        assert found == [(address, content) for content, address in [*first.items(), *rest.items()]]
        assert broken(site) == []


def test_the_readme_shows_its_expression_and_figures_that_are_fresh(tmp_path):
    """Its first figure is the graph of the y of its first lines."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]*\]\((viz/figures/[^)]+)\)", text)
    fresh = {path.name: path.read_bytes() for path in readme_figures(tmp_path)}
    assert {(ROOT / name).name: (ROOT / name).read_bytes() for name in shown} == fresh
    assert sorted(fresh) == sorted(path.name for path in (ROOT / "viz" / "figures").iterdir())
    names = {}
    for line in re.findall(r"^>>> (.*)", text[: text.index(shown[0])], re.M):
        exec(line, names)
    drawn = viz.computation_graph(names["y"], gradients=True, style=viz.Style(orientation="right"))
    assert Path(shown[0]).stem == x_times_its_tanh.__name__ and drawn.dot == x_times_its_tanh().dot


# -- links and notebooks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_markdown_lead_somewhere(path):
    """To a file that is there, and to a heading that it has; those of the course are checked when the book is built."""
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.S)
    for address in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, place = address.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), address
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M) if place else []
        assert not place or place in [re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in headings], address


def test_a_name_in_a_docstring_is_one_that_the_code_has():
    """In backticks stand names of modules, of folders, or words of the code; a name that is gone leads nowhere."""
    said, known = [], {"np", *(part for module in NAMES.sources.paths for part in module.split("."))}
    for module, path in NAMES.sources.paths.items():
        code = path.read_text(encoding="utf-8")
        for node in ast.walk(NAMES.sources.trees[module]):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node, clean=False) or ""
                said += [(path, words) for kind, words in spans(text) if kind == "code"]
                code = code.replace(text, "")
        known |= set(re.findall(r"\w+", code))
    known |= {re.sub(r"[123]d$", "", word) for word in known}  # a function of all ranks
    for path, words in said:
        name = re.fullmatch(r"([A-Za-z_][\w.]+?)(?:\.py|\(.*\))?", words)
        if name and not words.endswith(".bin"):  # a file of the reader's
            assert set(name[1].split(".")) <= known, f"{path}: {words}"


@given(st.sets(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_a_link_is_broken_unless_its_place_is_there(places, links):
    page = "".join(f'<p id="{p}"></p>' for p in places) + "".join(f'<a href="#{link}"></a>' for link in links)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.html").write_text(page, encoding="utf-8")
        assert broken(Path(folder)) == [f"page.html: #{link}" for link in links if link not in places]


@given(st.sampled_from(["https://example.org/a.js", "http://example.org/a.js", "//example.org/a.js"]), st.booleans())
def test_a_page_may_link_to_another_site_and_load_nothing_from_it(address, twice):
    linked = [f'<a href="{address}">', f'<link rel="next" href="{address}">', f'<svg><use href="{address}">']
    loaded = [f'<script src="{address}">', f'<img src="{address}">', f'<iframe src="{address}">']
    loaded += [f'<link rel="{rel}" href="{address}">' for rel in ("stylesheet", "icon", "shortcut Icon", "preload")]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text("".join(linked), encoding="utf-8")
        assert broken(Path(folder)) == []
        for one in loaded:
            page.write_text(one + linked[2] * twice, encoding="utf-8")
            assert broken(Path(folder)) == [f"page.html: {address}"]


def notebook(*outputs):
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"x": 1}, "outputs": list(outputs), "source": "f()"}
    text = {"cell_type": "markdown", "metadata": {}, "source": "# 1. A\n[b](02-b.md) [c](../source/c.md)"}
    return {"cells": [text, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_two_notebooks_of_one_chapter_are_equal(tmp_path):
    """What differs from run to run, ids and places in memory, is not in the file."""
    shown = [
        {"output_type": "execute_result", "data": {"text/plain": f"<F at 0x7f{n}>"}, "metadata": {}} for n in (1, 2)
    ]
    texts = []
    for n, output in enumerate(shown):
        path = tmp_path / f"{n}" / "01-a.ipynb"
        path.parent.mkdir()
        write_notebook(notebook(output), path)
        texts.append(path.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]


def test_a_notebook_begins_with_what_it_needs_and_links_to_notebooks(tmp_path):
    path = tmp_path / "01-a.ipynb"
    write_notebook(notebook(), path)
    first, text, _code = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert first["source"].startswith("%pip install")
    assert text["source"] == "# 1. A\n[b](02-b.ipynb) [c]"


# -- the command -------------------------------------------------------------------------------------------------------


def test_without_its_tools_the_book_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(book, "NEEDED", ("a_module_that_nobody_has",))
    assert main(["book", "--out", str(tmp_path / "book")]) == 1
    assert "pip install '.[book]'" in capsys.readouterr().err


@pytest.mark.parametrize("inventory", [None, "", "# Sphinx inventory version 2\n# Project: thesis\n"])
def test_a_folder_with_something_else_is_left_alone(monkeypatch, tmp_path, inventory):
    monkeypatch.setattr(book, "NEEDED", ())
    (tmp_path / "thesis.txt").write_text("years of work")
    if inventory is not None:
        (tmp_path / "objects.inv").write_text(inventory)
    with pytest.raises(FileExistsError, match="something else"):
        viz.book(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.fixture(name="built")
def fixture_built(tmp_path, monkeypatch):
    """The book, with a page and a link for what Sphinx and the gallery would write; the address to link to."""
    address = ["index.html"]

    def sphinx(command, **settings):
        source, site = map(Path, command[-2:])
        (site / "_sources").mkdir(parents=True)
        for name in (".buildinfo", "_sources/index.md.txt"):
            (site / name).write_text("")
        (site / "objects.inv").write_bytes(book.INVENTORY)
        (site / "index.html").write_text(f'<a href="{address[0]}">{settings["env"]["HERE"]}</a>')
        assert (source / "index.md").exists() and settings["env"]["PYTHONHASHSEED"] == "0"
        return subprocess.CompletedProcess(command, address[0] == "", f"{source}/index.md: ", "is wrong")

    monkeypatch.setenv("HERE", "passed on")
    monkeypatch.setattr(book, "NEEDED", ("sys",))
    monkeypatch.setattr(book.subprocess, "run", sphinx)
    monkeypatch.setattr(book, "gallery", lambda folder: folder.mkdir())
    monkeypatch.setattr(book, "playground", lambda path, back: path.write_text(f'<a href="{back[0]}">'))
    monkeypatch.setattr(book, "finish", lambda source, site, executed: (site / "finished.html").write_text(""))
    return tmp_path / "out" / "book", address


def test_a_book_is_built_whole_and_replaces_the_one_before(built, capsys):
    folder, _ = built
    for _ in range(2):
        assert main(["book", "--out", str(folder)]) == 0
        assert capsys.readouterr() == (f"{folder / 'index.html'}\n", "")
        names = {path.name for path in folder.iterdir()}
        assert names == {"objects.inv", "index.html", "finished.html", "playground.html", "gallery"}
        assert "passed on" in (folder / "index.html").read_text()
        (folder / "old.html").write_text("")


@pytest.mark.parametrize(("address", "said"), [("gone.html", "gone.html"), ("", "index.md: is wrong")])
def test_a_book_with_a_broken_link_or_a_wrong_page_is_refused_and_the_one_before_stays(built, capsys, address, said):
    folder, addresses = built
    assert main(["book", "--out", str(folder)]) == 0
    before = sorted(path.name for path in folder.rglob("*"))
    addresses[0] = address
    capsys.readouterr()
    assert main(["book", "--out", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and ("viz/book/index.md" in err or address)
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_sphinx_is_told_to_refuse_what_the_book_promises_to_refuse():
    """A cell that fails, a name that is nobody's; and to leave out what would ask the network for something."""
    told = runpy.run_path(str(ROOT / "viz" / "book" / "conf.py"))
    assert told["nitpicky"] is True and told["nb_execution_raise_on_error"] is True
    assert told["nb_execution_mode"] == "force" and told["nb_ipywidgets_js"] == {}
    assert told["html_show_search_summary"] is False and told["html_copy_source"] is False
    assert told["copybutton_prompt_is_regexp"] is True and re.match(told["copybutton_prompt_text"], "... x")
