"""What every page has: one file that needs nothing else, and a policy that lets it ask nothing of the network.

What you can do here: put a `page` together from a title, a body, a style and a script of data/; the body is a template
of data/ (`body_of`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from ..drawing.style import MEANINGS

Back = str | tuple[str, str] | None  # the address of a page to link back to, or address and words


def page(title: str, body: str, style: str, script: str) -> str:
    """An HTML page whose policy allows this style and this script, by their hashes, and nothing more.

    >>> text = page("A <b>", "<p>...</p>", "p { margin: 0; }", "")
    >>> "default-src 'none'" in text, "<title>A &lt;b&gt;</title>" in text
    (True, True)
    """
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def text_of(name: str) -> str:
    """The text of a file in data/."""
    return files("viz").joinpath("data", name).read_text(encoding="utf-8")


def body_of(name: str, **values: object) -> str:
    """A template of data/ with each $name in it replaced by its value, which is HTML.

    A page begins anew when one comes back to it.  So must its controls: a browser keeps those that do not ask for it.
    """
    return Template(text_of(name)).substitute(values).replace("<input ", '<input autocomplete="off" ')


def link_back(back: Back) -> str:
    """A line with a link to the page that has led here; a page that is shown in a frame takes it out.

    >>> link_back("a.html"), link_back(None)
    ('<p id="up"><a href="a.html">Back</a></p>\\n', '')
    """
    if not back:
        return ""
    address, words = (back, "Back") if isinstance(back, str) else back
    return f'<p id="up"><a href="{escape(address)}">{escape(words)}</a></p>\n'


def as_json(data: dict[str, Any]) -> str:
    """Data as JSON that may stand in a script element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def base64_of(array: np.ndarray[Any, Any], dtype: str) -> str:
    """The bytes of an array, as text."""
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()


def check_title(title: str) -> None:
    """TypeError for a title that is no text."""
    if not isinstance(title, str):
        raise TypeError(f"title is text, got {title!r}")


def json_number(n: Any) -> Any:
    """A number as JSON has it; infinity and nan as text."""
    n = n.item() if isinstance(n, np.generic) else n
    return n if math.isfinite(n) else str(n)


def script_of(*modules: str) -> str:
    """The texts of JavaScript modules as one script: each after those that it imports from, whose names it shares.

    >>> print(script_of("export const a = 1;", 'import { a } from "./a.js";\\nconst b = a;'))
    "use strict";
    (() => {
    const a = 1;
    const b = a;
    })();
    """
    body = "\n".join(modules)
    body = re.sub(r"^import [^;]*;\n", "", body, flags=re.MULTILINE)
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    return f'"use strict";\n(() => {{\n{body}\n}})();'


def colors() -> str:
    """The colours of the figures as variables of the page, light and dark: --field-line is that of "field, line"."""
    light, dark = (
        "".join(f"--{meaning.replace(', ', '-').replace(' ', '-')}: {both[i]}; " for meaning, both in MEANINGS.items())
        for i in (0, 1)
    )
    dark_pages = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}"
    return f":root {{ {light}}}\n{dark_pages}\n{text_of('look.css')}"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
