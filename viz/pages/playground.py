"""A page on which convolution arithmetic can be tried out: sliders, a window that slides, and the size worked out.

What you can do here: write the `playground`, one HTML file that needs nothing else, and open it in a browser.

The page has no engine beneath it, so data/playground.js says the arithmetic of `minitensor.windows` and the words of
`minitensor.sizes` a second time, in JavaScript; tests/test_viz_browser.py holds each setting of a grid against them.
"""

from __future__ import annotations

from pathlib import Path

from ..drawing.render import write_whole
from .page import Back, body_of, colors, link_back, page, script_of, text_of

TITLE = "Convolution arithmetic"


def playground(path: str | Path, *, back: Back = None) -> Path:
    """Write an HTML page with convolution, transposed convolution and pooling under sliders; returns the path.

    The window slides over one axis or two; beneath, the output size is worked out as `minitensor.sizes.explain` does.
    Point at an output to see its inputs, at an input to see its outputs.  What is set can be taken along, as a line of
    Python or as SVG.  A setting that the engine refuses gets the engine's message, and the last picture stays.
    back: the address of a page that this one links back to, or (address, words).
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
    body = body_of("playground.html", title=TITLE, back=link_back(back))
    style = colors() + text_of("playground.css")
    return write_whole(path, page(TITLE, body, style, script_of(text_of("player.js"), text_of("playground.js"))))
