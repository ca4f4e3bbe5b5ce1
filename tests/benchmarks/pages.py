"""How quickly the explorer moves: `python -m tests.benchmarks.pages` writes the pages of the lecture's networks, opens
them in Chromium, and prints a table.

A frame runs the network forward and backward and paints what is in sight; it is measured while the image turns, at
the size of a laptop's window, and no more than 60 a second are asked for.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nets
import viz
from nets.__main__ import MODELS, RECIPES, in_colour

from ..browser import Browser
from .report import table

SECONDS = 3
COLUMNS = {"size": "page, kB", "first": "first picture, ms", "frames": "frames a second"}
TURNING = """
const turn = document.getElementById("turn"), begin = performance.now(), seconds = arguments[0];
return (async () => {
  let frames = 0;
  for (; performance.now() - begin < 1000 * seconds; frames++) {
    turn.value = (3 * frames) % 180;
    turn.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
  }
  return 1000 * frames / (performance.now() - begin);
})();
"""
LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"


def measured(browser: Browser, name: str, folder: Path) -> dict[str, float]:
    """The numbers of a row of the table."""
    build, (channels, *_) = MODELS[name]
    _, test = nets.digits(size=32)
    test = in_colour(test) if channels == 3 else test
    path = viz.explorer(build(), test.images, folder / f"{name}.html", labels=test.labels)
    browser.open(path)
    browser.settled()
    first = browser.run(LOADED)
    browser.run(TURNING, SECONDS / 3)  # until the script is compiled
    return {"size": path.stat().st_size / 1000, "first": first, "frames": browser.run(TURNING, SECONDS)}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder, "profile"))
        try:
            with browser.emulated(1400, 900):
                values = {name: measured(browser, name, Path(folder)) for name in RECIPES}
        finally:
            browser.quit()
    print(table("network", {name: name for name in RECIPES}, COLUMNS, values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
