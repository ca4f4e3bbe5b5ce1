"""What Sphinx is taught for the book: which names are links, and where to; how a thing is called and known."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor
import viz
from viz.book.annotated import cut
from viz.book.found import Law
from viz.book.rules import rules

extension = pytest.importorskip("viz.book.extension", reason="needs what the book is built with: make book")
nodes = pytest.importorskip("docutils.nodes")

PUBLIC = [name for package in ("minitensor", "nets", "viz") for name in extension.NAMES.public[package]]
PAGES = ["course/01-x", "source/backprop", "reference/viz"]


def site() -> Any:
    """What a page asks Sphinx for: where another page is, as seen from it."""
    return SimpleNamespace(builder=SimpleNamespace(get_relative_uri=lambda page, other: f"{page}~{other}"))


def page(*parts: Any) -> Any:
    document = nodes.document(None, None)
    document += nodes.paragraph("", "", *parts)
    return document


def links(document: Any) -> list[tuple[str, str]]:
    return [(found.astext(), found["refuri"]) for found in document.findall(nodes.reference)]


def address(here: str, name: str, module: str = "") -> str:
    home = extension.NAMES.means(name, module)
    return f"{here}~{home.page}" + f"#{home.anchor}" * bool(home.anchor)


@given(st.lists(st.sampled_from([*PUBLIC, "x", "np.add", "for"]), max_size=5), st.sampled_from(PAGES))
def test_a_name_of_ours_is_a_link_to_its_home_and_no_other_word_is(names: list[str], here: str) -> None:
    document = page(*(nodes.literal(name, name) for name in names))
    extension.link_names(site(), document, here)
    ours = [name for name in names if name in PUBLIC]
    assert links(document) == [(name, address(here, name)) for name in ours]
    assert [word.astext() for word in document.findall(nodes.literal)] == names
    assert all(isinstance(word.parent, nodes.reference) == (word.astext() in ours)
               for word in document.findall(nodes.literal))  # fmt: skip


def test_a_name_in_a_title_or_a_link_stays_and_a_list_of_names_is_a_link_each() -> None:
    document = page(
        nodes.title("", "", nodes.literal("", "conv2d")),
        nodes.literal("", "conv2d gradients"),
        nodes.literal("", "conv2d x"),
        nodes.reference("", "", nodes.literal("", "conv2d"), refuri="there"),
    )
    extension.link_names(site(), document, "course/01-x")
    both = [(name, address("course/01-x", name)) for name in ("conv2d", "gradients")]
    assert links(document) == [*both, ("conv2d", "there")]
    assert document.astext() == "conv2d" + "conv2d gradients" + "conv2d x" + "conv2d"


def test_a_file_is_no_link_on_its_own_page() -> None:
    for here, expected in ("source/conv", []), ("source/pool", [("conv.py", "source/pool~source/conv")]):
        document = page(nodes.literal("", "conv.py"))
        extension.link_names(site(), document, here)
        assert links(document) == expected


def test_a_name_is_seen_from_the_module_that_it_stands_in() -> None:
    for module in ("minitensor.pool", "minitensor.conv"):
        document = page(nodes.literal("", "_max_pool", module=module))
        extension.link_names(site(), document, "reference/viz")
        expected = ("_max_pool", "reference/viz~source/pool#minitensor.pool._max_pool")
        assert links(document) == [expected] * (module == "minitensor.pool")


@pytest.mark.parametrize(
    ("here", "text", "warned"),
    [
        ("course/01-x", "nobody", True), ("course/01-x", "nobody.knows(it)", True), ("course/01-x", "no", True),
        ("course/01-x", "used", False),
        ("course/01-x", "used.here", False), ("course/01-x", "print(x)", False), ("course/01-x", "lambda", False),
        ("course/01-x", "np.add", False), ("course/01-x", "q", False), ("course/01-x", "2 * nobody", False),
        ("course/01-x", "gradients", False), ("source/conv", "nobody", False),
    ],
)  # fmt: skip
def test_a_chapter_is_warned_of_a_name_that_nobody_has(
    monkeypatch: pytest.MonkeyPatch, here: str, text: str, warned: bool
) -> None:
    """Python, NumPy, the package and the code of the page have names; a letter alone is mathematics."""
    said: list[str] = []
    monkeypatch.setattr(
        extension.logger, "warning", lambda words, *names, location: said.append(words % names + location)
    )
    document = page(nodes.literal("", text))
    document += nodes.literal_block("", "used = 1")
    extension.link_names(site(), document, here)
    assert said == ([f"`{text}` is no name of ours, and no code of this page uses itcourse/01-x"] if warned else [])


def test_in_the_cells_of_a_chapter_what_is_imported_from_us_is_a_link() -> None:
    code = "from minitensor import Tensor, gradients\nfrom math import exp\nexp(gradients)"
    words = {"n": ["gradients", "exp"], "nf": ["Tensor"], "k": ["Tensor"]}
    body = "".join(f'<span class="{kind}">{name}</span> ' for kind, names in words.items() for name in names)
    for here, linked in ("course/01-x", True), ("source/conv", False):
        context = {"body": body}
        extension.link_code(site(), here, "", context, page(nodes.literal_block("", code)))
        found = re.findall(r'<a href="([^"]*)"><span class="\w+">(\w+)</span></a>', context["body"])
        assert found == ([(address(here, name), name) for name in ("gradients", "Tensor")] if linked else [])
        assert re.sub(r"</?a\b[^>]*>", "", context["body"]) == body
    extension.link_code(site(), "course/01-x", "", {}, None)


def test_the_code_beside_its_words_has_the_numbers_and_the_blank_lines_of_its_file() -> None:
    """Lines that are said on the left are left out; a name that is local means nothing of ours."""
    text = "from .ops import exp\n\n\ndef f(x):\n    # said\n    y = exp(x) < 1\n\n    return gradients(y)\n"
    node = extension.lines_of(text, [4, 6, 8], "minitensor.conv", {"conv"}, "source/conv")
    assert node["numbers"] == [4, 6, 7, 8]
    assert node["lines"] == ["def f(x):", "    y = exp(x) < 1", "", "    return gradients(y)"]
    assert "conv" not in node["links"] and node["page"] == "source/conv"
    node["links"] = {"gradients": ("source/backprop", "there"), "exp": ("source/conv", ""), "y": ("source/conv", "y")}
    translator = SimpleNamespace(builder=site().builder, body=[])
    with pytest.raises(nodes.SkipNode):
        extension.visit_code(translator, node)
    [html] = translator.body
    assert re.findall(r'data-line="(\d+)"', html) == ["4", "6", "7", "8"]
    assert re.sub(r"<[^>]*>", "", html) == "".join(f"{line}\n" for line in node["lines"]).replace("<", "&lt;")
    linked = re.findall(r'<a href="([^"]*)"><span class="\w+">(\w+)</span></a>', html)
    assert linked == [("#y", "y"), ("", "exp"), ("source/conv~source/backprop#there", "gradients"), ("#y", "y")]


@pytest.mark.parametrize(
    ("full", "thing", "method", "kind", "private"),
    [
        ("minitensor.conv.conv2d", minitensor.conv2d, False, "function", False),
        ("minitensor.tensor.Tensor", minitensor.Tensor, False, "class", False),
        ("minitensor.tensor.Tensor.sum", minitensor.Tensor.sum, True, "method", False),
        ("minitensor.conv._conv", minitensor.conv2d, False, "function", True),
        ("viz.drawing.style.MEANINGS", viz.MEANINGS, False, "data", False),
    ],
)
def test_sphinx_knows_a_definition_by_its_kind_and_the_search_offers_what_is_public(
    full: str, thing: Any, method: bool, kind: str, private: bool
) -> None:
    known: list[Any] = []
    domain = SimpleNamespace(note_object=lambda *words, **settings: known.append((words, settings)))
    directive = SimpleNamespace(env=SimpleNamespace(domains=SimpleNamespace(python_domain=domain)))
    extension._note(directive, full, thing, method)
    assert known == [((full, kind, full), {"aliased": private, "location": full})]


def test_how_a_thing_is_called_is_said_as_its_file_says_it() -> None:
    said = extension.signature("gradients", minitensor.gradients).astext()
    assert said.startswith("gradients(output: Tensor, wrt: ") and "'" not in said and "ForwardRef" not in said
    assert extension.signature("MEANINGS", viz.MEANINGS).astext() == "MEANINGS"
    said = extension.signature("f", lambda x=object(): x).astext()  # noqa: B008  without its place in memory
    assert said == "f(x=object())"


def test_a_prime_stands_beside_its_letter_once() -> None:
    found = extension.mathml("f'(x)", display=False)
    assert "<msup>" not in found and found.count("′") == 1 and "</mi><mo lspace=" in found
    assert "<msup>" in extension.mathml("x^2", display=False)
    assert ('display="block"' in extension.mathml("x", display=True)) and 'display="block"' not in found


# -- the directives ----------------------------------------------------------------------------------------------------


def directive(kind: type, argument: str, folder: Path, here: str) -> tuple[Any, list[str]]:
    """A directive on a page, and the names that it makes known."""
    known: list[str] = []
    domain = SimpleNamespace(note_object=lambda full, *words, **settings: known.append(full))
    env = SimpleNamespace(docname=here, srcdir=str(folder), note_dependency=lambda path: None)
    env.domains = SimpleNamespace(python_domain=domain)
    made = object.__new__(kind)
    made.arguments = [argument]
    made.state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=env)))
    return made, known


def page_of(
    module: str, folder: Path, monkeypatch: pytest.MonkeyPatch, figures: int, laws: int
) -> tuple[Any, list[str]]:
    """The page of a source file, of whose functions each has so many figures and laws."""
    picture = viz.Figure("digraph { a }")

    def drawn() -> viz.Figure:
        return picture

    law = [
        Law("test_x.py", f"test_law_{n}", "", f"def test_law_{n}(): ...", frozenset(), frozenset()) for n in range(laws)
    ]
    monkeypatch.setattr(extension, "figures_of", lambda name: [(f"title {n}", drawn) for n in range(figures)])
    monkeypatch.setattr(extension, "laws_of", lambda name, tests: law)
    made, known = directive(extension.Annotated, module, folder, f"source/{module.removeprefix('minitensor.')}")
    document = nodes.document(None, None)
    document += made.run()
    return document, known


@pytest.mark.parametrize(
    "module", ["minitensor.ops.contract", "minitensor.finite", "minitensor.backprop", "minitensor.losses"]
)
def test_the_page_of_a_file_has_all_of_its_code_its_names_and_what_belongs_to_them(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, known = page_of(module, tmp_path, monkeypatch, 0, 0)
    text = extension.NAMES.sources.paths[module].read_text(encoding="utf-8")
    parts = cut(text)
    shown = [n for lines in document.findall(extension.code_lines) for n in lines["numbers"]]
    assert [n for n in shown if text.splitlines()[n - 1].strip()] == [n for part in parts for n in part.code]
    rows = [row for row in document.findall(nodes.container) if "part" in row["classes"]]
    assert len(rows) == len(parts)
    full = [".".join(filter(None, [module, p.owner, n])) for p in parts for n in p.names]
    assert known == full == [name for row in rows for name in row["ids"]]
    headings = [p.heading[0].upper() + p.heading[1:] for p in parts if p.heading]
    assert [heading.astext() for heading in document.findall(nodes.rubric)] == headings
    for row, part in zip(rows, parts, strict=True):
        assert ("wide" in row["classes"]) == (not part.code)
        formulas = [b.astext() for b in row.findall(nodes.literal_block) if "formula" in b["classes"]]
        longest = max((len(line) for formula in formulas for line in formula.splitlines()), default=0)
        assert ("stacked" in row["classes"]) == (longest > 44)
    [contents] = [p for p in document.findall(nodes.paragraph) if "contents-line" in p["classes"]]
    functions = [p.name for p in parts if p.name and not p.owner and not p.name.startswith("_") and p.name.islower()]
    assert contents.astext().split() == functions
    own = [v for v in vars(extension.NAMES.object((module, ""))).values()
           if isinstance(v, minitensor.Primitive) and v.__module__ == module]  # fmt: skip
    told = [raw.astext() for raw in document.findall(nodes.raw) if 'class="rules"' in raw.astext()]
    assert all(t.count("<math") == t.count('display="block"') > 0 for t in told)
    assert [t.count("<dd>") for t in told] == [1 + len(rules(p).inputs) for p in own]
    graphs = [p for p in own if rules(p).graph]
    images = [image["uri"].rpartition("/")[2] for image in document.findall(nodes.image)]
    assert len(images) == len(graphs) and set(images) == {path.name for path in tmp_path.glob("pictures/*")}


@pytest.mark.parametrize(("figures", "laws"), [(0, 1), (2, 3), (4, 15), (5, 17)])
def test_a_function_has_its_first_figures_and_laws_and_the_count_of_all(
    figures: int, laws: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = page_of("minitensor.finite", tmp_path, monkeypatch, figures, laws)
    parts = cut(extension.NAMES.sources.paths["minitensor.finite"].read_text(encoding="utf-8"))
    public = [p for p in parts if isinstance(p.node, ast.FunctionDef) and not p.owner and not p.name.startswith("_")]
    titles = re.findall("<summary>(.*?)</summary>", "".join(raw.astext() for raw in document.findall(nodes.raw)))
    expected = [f"Figure: title {n}" for n in range(min(figures, 3))] + [f"Laws: {laws}"]
    assert titles == expected * len(public)
    blocks = [b for b in document.findall(nodes.literal_block) if "law" in b["classes"]]
    assert len(blocks) == min(laws, 3) * len(public)
    others = [p.astext() for p in document.findall(nodes.paragraph) if "others" in p["classes"]]
    named = ", ".join(f"law {n}" for n in range(3, min(laws, 15)))
    more = f", and {laws - 15} more" if laws > 15 else ""
    assert others == ([f"And: {named}{more}."] * len(public) if laws > 3 else [])


def test_a_public_name_that_says_nothing_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(extension.logger, "warning", lambda words, *names: said.append(words % names))
    made, _ = directive(extension.Reference, "viz", tmp_path, "reference/viz")
    for thing, warned in ((lambda: 0, True), (("data",), False), (viz.render, False)):
        said.clear()
        monkeypatch.setattr(extension.NAMES, "object", lambda place, thing=thing: thing)
        made.entry("viz", "thing", ("viz.drawing.render", "render"))
        assert said == ["viz.thing is public and says nothing"] * warned


@pytest.mark.parametrize(("module", "operators"), [("minitensor.activations", True), ("minitensor.finite", False)])
def test_of_an_operator_the_laws_that_hold_for_each_are_named(
    module: str, operators: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = page_of(module, tmp_path, monkeypatch, 0, 1)
    assert any("each operator" in p.astext() for p in document.findall(nodes.paragraph)) == operators


@pytest.mark.parametrize("package", ["minitensor", "nets", "viz"])
def test_the_reference_of_a_package_has_each_public_name_once_under_its_file(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extension.logger, "warning", pytest.fail)  # for a name that says nothing
    made, known = directive(extension.Reference, package, tmp_path, f"reference/{package}")
    sections = made.run()
    places = dict(extension.NAMES.public[package])
    places |= {f"sizes.{n}": place for n, place in extension.NAMES.sizes.items()} if package == "minitensor" else {}
    found = []
    for section in sections:
        title, *entries = section.children
        assert section["ids"] == [f"file-{title.astext().removesuffix('.py').replace('/', '.')}"]
        for entry in entries:
            first = next(iter(entry.findall(lambda n: isinstance(n, nodes.literal | nodes.literal_block)))).astext()
            name = re.split("[(:]", first)[0]
            assert places[name][0] == section["ids"][0].removeprefix("file-")
            elsewhere = extension.NAMES.home(places[name]).page != f"reference/{package}"
            seen_from = {word.get("module") for word in entry.findall(nodes.literal)} - {None}
            assert not elsewhere or seen_from <= {places[name][0]}
            assert bool(entry["ids"]) == (not elsewhere)
            found.append(name)
    assert sorted(found) == sorted(places)
    on_path = [s["ids"][0].removeprefix("file-") for s in sections]
    first = [m for m in extension.PATH_MODULES if m in on_path]
    assert on_path == [*first, *sorted(set(on_path) - set(first))]
    assert len(set(known)) == len(known)
    for name in known:
        assert any(name in node["ids"] for section in sections for node in section.findall(nodes.container))
