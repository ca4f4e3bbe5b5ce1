"""A page on which convolution arithmetic can be tried out: sliders, a window that slides, and the size worked out.

What you can do here: write the `playground`, one HTML file that needs nothing else, and open it in a browser.

The page has no engine beneath it, so data/playground.js says the arithmetic of `minitensor.windows` and the words of
`minitensor.sizes` a second time, in JavaScript; tests/test_viz_browser.py holds each setting of a grid against them.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from ..drawing.render import write_whole
from .page import colors, page, script_of, text_of

TITLE = "Convolution arithmetic"
SLIDERS = (  # name in the page, what it is, letter, least, most on the slider (window.playground.set takes more), begin
    ("n", "input", "n", 1, 20, 7),
    ("k", "kernel", "k", 1, 9, 3),
    ("stride", "stride", "s", 1, 6, 2),
    ("padding", "padding", "p", 0, 8, 1),
    ("dilation", "dilation", "d", 1, 5, 1),
    ("outputPadding", "output padding", "", 0, 5, 0),
)


def playground(path: str | Path, *, back: str | None = None) -> Path:
    """Write an HTML page with convolution, transposed convolution and pooling under sliders; returns the path.

    The window slides over one axis or two; beneath, the output size is worked out as `minitensor.sizes.explain` does.
    Point at an output to see its inputs, at an input to see its outputs.  What is set can be taken along, as a line of
    Python or as SVG.  A setting that the engine refuses gets the engine's message, and the last picture stays.
    back: the address of a page that this one links back to.
    Keys: left and right arrow, home, end, space.  The page asks nothing of the network.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016).

    In the page, `playground.set({kind, n, k, stride, padding, dilation, outputPadding, axes})` sets what is named, and
    the rest as the engine does where it is not named (kind, n and k stay); it returns the message, or "".
    `playground.size()` is the number of outputs along an axis; `playground.wires()` all [input, output], flat numbers.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = playground(Path(folder, "playground.html")).read_text(encoding="utf-8")
    >>> "window.playground" in text, "http://" in text.replace("http://www.w3.org/", "")
    (True, False)
    """
    style = colors() + text_of("playground.css")
    return write_whole(path, page(TITLE, _body(back), style, script_of(text_of("player.js"), text_of("playground.js"))))


def _slider(name: str, what: str, letter: str, least: int, most: int, begin: int) -> str:
    said = f"{what} <i>{letter}</i>" if letter else what
    return (
        f'<label for="{name}">{said} <output id="{name}-number">{begin}</output>'
        f'<input id="{name}" type="range" min="{least}" max="{most}" value="{begin}"></label>'
    )


def _choice(name: str, values: dict[str, str]) -> str:
    """Radio buttons, the first of them chosen."""
    return "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{"" if i else " checked"}> {said}</label>'
        for i, (value, said) in enumerate(values.items())
    )


def _body(back: str | None) -> str:
    kinds = {"convolution": "convolution", "transposed": "transposed convolution", "pooling": "max pooling"}
    link = f'<p><a href="{escape(back)}">Back to all figures</a></p>\n' if back else ""
    return f"""<main>
{link}<h1>{TITLE}</h1>
<form id="settings">
<fieldset><legend>Layer</legend>{_choice("kind", kinds)}</fieldset>
<fieldset><legend>Axes</legend>{_choice("axes", {"1": "one", "2": "two"})}</fieldset>
<div id="sliders">{"".join(_slider(*slider) for slider in SLIDERS)}</div>
</form>
<p id="message" role="alert" hidden></p>
<p id="legend"><span><i class="swatch followed"></i> chosen</span> <span><i class="swatch field"></i> wired to it</span>
<span><i class="swatch padding"></i> margin</span> <span><i class="swatch unwired"></i> without a wire</span></p>
<div id="picture"></div>
<div id="controls" role="group" aria-label="the window">
<button id="back" type="button">◀ Back</button>
<button id="forward" type="button">Forward ▶</button>
<button id="play" type="button" aria-pressed="false">Play</button>
<input id="place" type="range" min="0" value="0" aria-label="place of the window">
<output id="count" for="place"></output>
</div>
<p id="said" role="status" aria-live="polite"></p>
<h2>The size, worked out<span id="axis"> (along each axis)</span></h2>
<pre id="explanation"></pre>
<h2>Take it along</h2>
<p><code id="python"></code> <span id="shapes"></span></p>
<p><button id="copy" type="button">Copy as Python</button> <button id="save" type="button">Save SVG</button>
<span id="done" role="status"></span></p>
<p id="help">Keys: <kbd>←</kbd> <kbd>→</kbd> move the window, <kbd>Home</kbd> <kbd>End</kbd> first and last place,
<kbd>space</kbd> plays. Or drag the window. Point at an output to see its inputs, at an input to see its outputs; with
the keyboard, <kbd>Tab</kbd> leads to them and the arrow keys from one to the next.</p>
</main>"""
