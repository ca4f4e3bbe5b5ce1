"""What Sphinx is taught for the book: annotated source, reference, names that are links, mathematics as MathML.

What you can do here: `setup` is called by Sphinx (conf.py names this module).

Two directives make pages: `annotated` a source file, prose beside code, and `reference` the public names of a package.
Both make known to Sphinx what they define, so that search and inventory know it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from jupyter_cache.executors import utils
from math_core import LatexToMathML
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from minitensor import Primitive

from .annotated import Part, cut
from .found import Law, figures_of, laws_of
from .names import PATH_MODULES, ROOT, WORD, Home, Names, arguments, methods
from .prose import blocks, spans
from .rules import rules

logger = logging.getLogger(__name__)
NAMES = Names()
MATH = LatexToMathML()
TOKEN = re.compile(r'<span class="(n|nf|nc|nb|nd|fm)">@?([^<]+)</span>')
PRIME = re.compile(r"<msup>(<mi>[^<]*</mi>)<mo>([′″‴])</mo></msup>")
MOST_FIGURES, MOST_LAWS, MOST_NAMED = 3, 3, 12  # of a function: figures, laws in full, and more of them by name
COLUMN = 44  # characters of a formula that find room beside the code


class code_lines(nodes.General, nodes.Element):
    """Lines of a source file with their numbers; `links` says what the names in them mean."""


# -- the parts of a page -----------------------------------------------------------------------------------------------


def prose(text: str, module: str) -> list[nodes.Node]:
    """A docstring or a comment as nodes; names in it are links, seen from the module that it stands in."""
    made: list[nodes.Node] = []
    for kind, content in blocks(text):
        if kind == "words":
            paragraph = nodes.paragraph()
            for what, words in spans(content):
                if what == "code":
                    paragraph += nodes.literal(words, words, module=module)
                else:
                    paragraph += nodes.emphasis(words, words) if what == "emphasis" else nodes.Text(words)
            made.append(paragraph)
        else:
            content = content if kind == "doctest" else content.replace("`", "")
            block = nodes.literal_block(content, content, classes=[kind])
            block["language"] = "pycon" if kind == "doctest" else "text"
            made.append(block)
    return made


def lines_of(text: str, numbers: list[int], module: str, hidden: set[str], page: str) -> code_lines:
    """Lines of a file, from the first to the last of these numbers, without those that are said beside them."""
    node = code_lines()
    lines = text.splitlines()
    node["numbers"], node["lines"] = [], []
    for before, n in zip([None, *numbers], numbers, strict=False):
        if before is not None and n > before + 1 and not any(lines[m - 1].strip() for m in range(before + 1, n)):
            node["numbers"] += range(before + 1, n)  # blank lines between
            node["lines"] += [""] * (n - before - 1)
        node["numbers"].append(n)
        node["lines"].append(lines[n - 1])
    meanings = NAMES.sources.meanings(module)
    homes = {name: NAMES.home(place) for name, place in meanings.items() if name not in hidden}
    node["links"] = {name: tuple(home) for name, home in homes.items() if home is not None}
    node["page"] = page
    return node


class Annotated(SphinxDirective):
    """A source file of the reader's path: its parts in order, each with what it says on the left."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        self.module = self.arguments[0]
        self.page = self.env.docname
        path = NAMES.sources.paths[self.module]
        self.env.note_dependency(str(path))
        self.text = path.read_text(encoding="utf-8")
        parts = cut(self.text)
        first = parts[0].docstring.split("\n", 1)[0]
        parts[0].docstring = parts[0].docstring.removeprefix(first).strip("\n")
        made = prose(first, self.module)
        contents = nodes.paragraph(classes=["contents-line"])
        for part in parts:
            if not part.owner and not part.name.startswith("_") and part.name.islower():
                contents += [nodes.literal(part.name, part.name, module=self.module), nodes.Text(" ")]
        made.append(contents)
        primitives = {n: v for n, v in vars(_module(self.module)).items() if isinstance(v, Primitive)}
        for part in parts:
            if part.heading:
                made.append(nodes.rubric("", part.heading[:1].upper() + part.heading[1:]))
            made.append(self.part(part, primitives))
        return made

    def part(self, part: Part, primitives: dict[str, Primitive]) -> nodes.Node:
        """A row of the page: what the part says on the left; on the right code, examples, and what belongs to it."""
        row = nodes.container(classes=["part", "annotated"])
        for name in part.names:
            full = ".".join(filter(None, [self.module, part.owner, name]))
            row["ids"].append(full)
            _note(self, full, part.node, bool(part.owner))
        said = self.said(part)
        formulas = "\n".join(node.astext() for node in said if "formula" in node["classes"])
        examples = [node for node in said if part.code and "doctest" in node["classes"]]
        left = [node for node in said if node not in examples]
        right = [lines_of(self.text, part.code, self.module, part.hidden, self.page), *examples]
        here = primitives.get(part.names[0]) if part.names else None
        if here is not None and here.__module__ == self.module:
            computed, graph = self.operator(part.names[0], here)
            left += computed
            right += graph
        if part.names and not part.owner and isinstance(part.node, ast.FunctionDef) and not part.name.startswith("_"):
            right += self.belongings(part.names[0], here is not None)
        row += nodes.container("", *left, classes=["said"])
        if part.code:
            row += nodes.container("", *right, classes=["done"])
        else:
            row["classes"].append("wide")
        if max(map(len, formulas.splitlines()), default=0) > COLUMN:
            row["classes"].append("stacked")
        return row

    def said(self, part: Part) -> list[nodes.Node]:
        """Name, docstring and comment of a definition; elsewhere the comment comes first, as it does in the file."""
        defines = isinstance(part.node, ast.FunctionDef | ast.ClassDef)
        made: list[nodes.Node] = []
        if part.name and defines and not part.name.startswith("_"):
            made.append(nodes.paragraph("", "", nodes.strong(part.name, part.name), classes=["name"]))
        texts = [text for text in (part.docstring, part.comment) if text]
        for text in texts if defines else texts[::-1]:
            made += prose(text, self.module)
        return made

    def operator(self, name: str, primitive: Primitive) -> tuple[list[nodes.Node], list[nodes.Node]]:
        """Formula and rules, and the graph of the gradient."""
        found = rules(primitive)
        if found is None:
            logger.warning("no call in rules.CALLS meets the operator %s.%s", self.module, name)
            return [], []
        if not found.inputs:  # made of nothing: there is no rule, and its formula is only a name
            return [], []
        rows = [f"<dt>computes</dt><dd>{mathml(found.value, display=True)}</dd>"]
        for x, share in found.inputs:
            said = mathml(share, display=True) if share else "nothing: it is flat"
            rows.append(f"<dt>hands to {_variable(x)}</dt><dd>{said}</dd>")
        told: list[nodes.Node] = [nodes.raw("", f'<dl class="rules">{"".join(rows)}</dl>', format="html")]
        if found.graph is None:
            return told, []
        picture = self.drawn(
            f"gradient-of-{self.module}.{name}.svg", found.graph.svg(), f"gradient of {name.strip('_')}"
        )
        return told, folded("The graph of this gradient", [picture])

    def belongings(self, name: str, operator: bool) -> list[nodes.Node]:
        """The figures and the laws that name this function."""
        made: list[nodes.Node] = []
        for title, draw in figures_of(name)[:MOST_FIGURES]:
            figure = draw()
            made += folded(f"Figure: {title}", [self.drawn(f"{draw.__name__}.svg", figure.svg(), title)])
        found = laws_of(name, ROOT / "tests")
        if found:
            body: list[nodes.Node] = [_law(law) for law in found[:MOST_LAWS]]
            if found[MOST_LAWS:]:
                others = [law.name.removeprefix("test_").replace("_", " ") for law in found[MOST_LAWS:]]
                more = f", and {len(others) - MOST_NAMED} more" if others[MOST_NAMED:] else ""
                words = f"And: {', '.join(others[:MOST_NAMED])}{more}."
                body.append(nodes.paragraph("", words, classes=["others"]))
            if operator:
                every = (
                    "Besides, those that hold for each operator: tests/test_gradients.py and tests/test_adjoints.py."
                )
                body.append(nodes.paragraph("", every))
            made += folded(f"Laws: {len(found)}", body)
        return made

    def drawn(self, name: str, svg: str, alternative: str) -> nodes.Node:
        """A picture, in a file that Sphinx copies."""
        folder = Path(self.env.srcdir, "pictures")
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(svg, encoding="utf-8")
        return nodes.image(uri=f"/pictures/{name}", alt=alternative)


class Reference(SphinxDirective):
    """The public names of a package: those on the reader's path as links, the others with what they say."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        package = self.arguments[0]
        names = dict(NAMES.public[package])
        if package == "minitensor":
            names |= {f"sizes.{name}": place for name, place in NAMES.sizes.items()}
        made: list[nodes.Node] = []
        modules: dict[str, list[str]] = {}
        for name, place in names.items():
            modules.setdefault(place[0], []).append(name)
        on_path = [m for m in PATH_MODULES if m in modules]
        for module in [*on_path, *sorted(set(modules) - set(on_path))]:
            path = module.replace(".", "/")
            section = nodes.section(ids=[f"file-{module}"], names=[f"file-{module}"])
            section += nodes.title("", f"{path}.py" if NAMES.sources.paths[module].name != "__init__.py" else path)
            for name in modules[module]:
                section += self.entry(package, name, names[name])
            made.append(section)
        return made

    def entry(self, package: str, name: str, place: tuple[str, str]) -> list[nodes.Node]:
        """A public name: a link and its first sentence, or all that it says, with its methods."""
        thing, full = NAMES.object(place), f"{place[0]}.{place[1]}" if place[1] else place[0]
        constant = isinstance(thing, str | int | float | tuple | dict)  # its docstring would be that of its type
        text = inspect.getdoc(thing) if not constant and not _made_by_dataclass(thing) else ""
        if not text and not constant:
            logger.warning("%s.%s is public and says nothing", package, name)
        row = nodes.container(classes=["entry"])
        here = NAMES.home(place)
        if here is None or here.page != self.env.docname:  # it is explained beside its source
            first = blocks(text or "")[0].text if text else ""
            row += nodes.paragraph("", "", nodes.literal(name, name), classes=["name"])
            row += prose(re.split(r"(?<=\.)\s", first, maxsplit=1)[0], place[0])
            return [row]
        row["ids"].append(full)
        _note(self, full, thing, False)
        row += signature(f"{name}: {type(thing).__name__}" if constant else name, thing)
        row += prose(text or "", place[0])
        for method, told in methods(thing).items():
            inner = nodes.container(classes=["entry", "method"], ids=[f"{full}.{method}"])
            _note(self, f"{full}.{method}", vars(thing)[method], True)
            inner += signature(f"{place[1]}.{method}", vars(thing)[method])
            inner += prose(told, place[0])
            row += inner
        return [row]


def signature(name: str, thing: Any) -> nodes.Node:
    """How it is called."""
    said = f"{name}{arguments(thing)}"
    block = nodes.literal_block(said, said, classes=["signature"])
    block["language"] = "python"
    return block


def folded(title: str, body: list[nodes.Node]) -> list[nodes.Node]:
    """Something that opens when it is asked for."""
    begin = nodes.raw("", f'<details><summary>{escape(title)}</summary><div class="folded">', format="html")
    return [begin, *body, nodes.raw("", "</div></details>", format="html")]


def _law(law: Law) -> nodes.Node:
    block = nodes.literal_block(law.code, f"# tests/{law.file}\n{law.code}", classes=["law"])
    block["language"] = "python"
    return block


def _variable(name: str) -> str:
    letter, _, index = name.partition("_")
    return f"<i>{letter}</i>" + (f"<sub>{index}</sub>" if index else "")


def _module(name: str) -> Any:
    return NAMES.object((name, ""))


def _made_by_dataclass(thing: Any) -> bool:
    return inspect.isclass(thing) and (thing.__doc__ or "").startswith(f"{thing.__name__}(")


def _note(directive: SphinxDirective, full: str, node: Any, method: bool) -> None:
    """Make a definition known, as Sphinx's own Python domain would; the search offers those without an underscore."""
    is_class = isinstance(node, ast.ClassDef) or inspect.isclass(node)
    is_function = isinstance(node, ast.FunctionDef) or callable(node)
    kind = "class" if is_class else "method" if method else "function" if is_function else "data"
    private = any(name.startswith("_") for name in full.split("."))
    directive.env.domains.python_domain.note_object(full, kind, full, aliased=private, location=full)


# -- names as links ----------------------------------------------------------------------------------------------------


def link_names(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Make a link of each `name` of ours; warn of a name in the course that is nobody's."""
    code = " ".join(block.astext() for block in doctree.findall(nodes.literal_block))
    known = set(re.findall(r"[A-Za-z_]\w*", code)) | set(dir(builtins)) | set(keyword.kwlist) | {"np", "numpy"}
    for literal in list(doctree.findall(nodes.literal)):
        if isinstance(literal.parent, nodes.reference | nodes.title):
            continue
        text = literal.astext()
        module = literal.get("module", "")
        if " " in text and all(NAMES.means(word, module) for word in text.split()):  # a list of names
            words = [nodes.literal(word, word, module=module) for word in text.split()]
            literal.parent.replace(literal, [n for word in words for n in (word, nodes.Text(" "))][:-1])
            for word in words:
                _link(word, docname, app, known)
        else:
            _link(literal, docname, app, known)


def _link(literal: nodes.literal, docname: str, app: Sphinx, known: set[str]) -> None:
    """Make a name of ours a link to its home, and warn where a chapter names what nobody knows."""
    text = literal.astext()
    home = NAMES.means(text, literal.get("module", ""))
    if home is not None and (home.page, home.anchor) != (docname, ""):
        reference = nodes.reference("", "", refuri=_address(app, docname, home), internal=True, classes=["ours"])
        literal.replace_self(reference)
        reference += literal
    elif home is None and docname.startswith("course/"):
        found = WORD.match(text)
        if found and found[1].split(".")[0] not in known and len(found[1]) > 1:
            logger.warning("`%s` is no name of ours, and no code of this page uses it", text, location=docname)


def link_code(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """In the cells of a chapter, make a link of each name that it imports from us."""
    if not page.startswith("course/") or doctree is None:
        return
    code = "\n".join(block.astext() for block in doctree.findall(nodes.literal_block))
    imported = re.findall(r"^from ((?:minitensor|nets|viz)[\w.]*) import (.*)$", code, re.M)
    homes = {name: NAMES.means(name, module) for module, names in imported for name in re.findall(r"\w+", names)}

    def linked(found: re.Match[str]) -> str:
        home = homes.get(found[2])
        return f'<a href="{_address(app, page, home)}">{found[0]}</a>' if home else found[0]

    context["body"] = TOKEN.sub(linked, context["body"])


def _address(app: Sphinx, page: str, home: Home) -> str:
    """Where a name is at home, as seen from a page."""
    uri = app.builder.get_relative_uri(page, home.page)
    return f"{uri}#{home.anchor}" if home.anchor else uri


def visit_code(translator: Any, node: code_lines) -> None:
    """Coloured lines with their numbers, in which names are links."""
    builder, page = translator.builder, node["page"]
    text = "\n".join(node["lines"])
    coloured = highlight(text, PythonLexer(), HtmlFormatter(nowrap=True))
    coloured = coloured.removesuffix("\n").split("\n")
    links = {name: Home(*home) for name, home in node["links"].items()}

    def linked(found: re.Match[str]) -> str:
        home = links.get(unescape(found[2]))
        if home is None:
            return found[0]
        uri = "" if home.page == page else builder.get_relative_uri(page, home.page)
        return f'<a href="{uri}{"#" + home.anchor if home.anchor else ""}">{found[0]}</a>'

    rows = [
        f'<span class="line" data-line="{n}">{TOKEN.sub(linked, line)}\n</span>'
        for n, line in zip(node["numbers"], coloured, strict=True)
    ]
    translator.body.append(f'<div class="highlight"><pre tabindex="0">{"".join(rows)}</pre></div>')
    raise nodes.SkipNode


# -- mathematics -------------------------------------------------------------------------------------------------------


def mathml(latex: str, *, display: bool) -> str:
    """LaTeX as MathML, in which a prime stands beside its letter: the font has raised it already."""
    converted = MATH.convert_with_local_state(latex, displaystyle=display)
    return PRIME.sub(r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>', converted)


def join_math(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """What touches a formula, such as a comma, stays on its line; a browser may break a line on both sides of one."""
    for node in list(doctree.findall(nodes.math)):
        around = node.parent.children
        at = around.index(node)
        joined = nodes.inline(classes=["joined"])
        before, after = around[at - 1] if at else None, around[at + 1] if at + 1 < len(around) else None
        if isinstance(before, nodes.Text) and (touches := re.search(r"\S+\Z", before)):
            node.parent.replace(before, nodes.Text(before[: touches.start()]))
            joined += nodes.Text(touches[0])
        joined += node.deepcopy()
        if isinstance(after, nodes.Text) and (touches := re.match(r"\S+", after)):
            node.parent.replace(after, nodes.Text(after[touches.end() :]))
            joined += nodes.Text(touches[0])
        if len(joined) > 1:
            node.parent.replace(node, joined)


def _visit_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def _visit_math_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    # What a cell prints is one text, however it arrives: else two builds may differ.
    utils.executenb = partial(utils.executenb, coalesce_streams=True)
    app.add_html_math_renderer("mathml", (_visit_math, None), (_visit_math_block, None))
    app.add_directive("annotated", Annotated)
    app.add_directive("reference", Reference)
    app.add_node(code_lines, html=(visit_code, None))
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", join_math)
    app.connect("html-page-context", link_code)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
