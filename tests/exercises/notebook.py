"""Chapters as notebooks: a starter as cells, and cells as the text that is graded.  A notebook is JSON (nbformat 4)."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from .reading import CELL


def text_of(data: bytes) -> str:
    """The code of a notebook as one file: its code cells in their order, each under its number.

    Lines for the notebook alone (%magic, !shell, x = !ls, help?) become comments, and so do cells in another language
    (%%bash).  Raises ValueError for what is no notebook.

    >>> cells = [{"cell_type": "code", "source": ["x = 1\\n", "%time x"]}, {"cell_type": "markdown", "source": "x"}]
    >>> print(text_of(json.dumps({"cells": cells}).encode()))
    # %% cell 1
    x = 1
    # %time x
    """
    try:
        notebook = json.loads(data)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    return "\n".join(f"{CELL}{number}\n{plain(source)}" for number, source in enumerate(sources, start=1))


def plain(source: str) -> str:
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    foreign = first.startswith("%%") and not first.startswith(PYTHON)
    return "\n".join(silenced(line) if foreign or for_the_notebook(line) else line for line in lines)


PYTHON = ("%%time", "%%capture", "%%prun", "%%python")  # magic words of a cell whose text is Python all the same


def for_the_notebook(line: str) -> bool:
    return re.match(r"\s*[%!?]|\s*[\w.]+\?{1,2}\s*$|\s*\w+ *= *[%!]", line) is not None


def silenced(line: str) -> str:
    """The line as a comment; where a block needs a statement, `pass` is one."""
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}pass  # {line.strip()}" if indent else f"# {line}"


def notebook_of(starter: str) -> str:
    """A starter as a notebook: its text as a cell to read, then a cell for each thing that it defines.

    >>> cells = json.loads(notebook_of('"Read me."\\nimport math\\n\\n\\ndef f():\\n    pass\\n'))["cells"]
    >>> [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    [('markdown', 'Read me.'), ('code', 'import math'), ('code', 'def f():\\n    pass')]
    """
    tree, lines = ast.parse(starter), starter.splitlines()
    text = ast.get_docstring(tree, clean=False)
    cells = [] if text is None else [cell("markdown", text.strip())]
    group: list[str] = []
    for node in tree.body[0 if text is None else 1 :]:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        code = "\n".join(lines[first - 1 : node.end_lineno])
        if isinstance(node, ast.Import | ast.ImportFrom):
            group.append(code)
            continue
        cells += [cell("code", "\n".join(group))] if group else []
        group = []
        cells.append(cell("code", code))
    cells += [cell("code", "\n".join(group))] if group else []
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}, indent=1
    )


def cell(kind: str, source: str) -> dict[str, Any]:
    rest = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **rest}
