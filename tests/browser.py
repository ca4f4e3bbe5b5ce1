"""A real browser for tests of pages: Chromium, driven through WebDriver.

The driver is the one on this machine, so that nothing is downloaded; without it, or without Chromium, tests that need a
browser are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver")
ARGUMENTS = ["headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
             "disable-component-update", "disable-sync", "window-size=1200,900"]  # fmt: skip
WIDTH, HEIGHT = 1200, 900
SETTLED = """
const frame = () => new Promise(requestAnimationFrame);
return (async () => {
  do { await frame(); await frame(); } while (document.querySelector("[aria-busy=true]"));
})();
"""


class Browser:
    """A browser with one page open."""

    def __init__(self, folder: Path) -> None:
        options = ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for argument in [*ARGUMENTS, f"user-data-dir={folder}"]:
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(DRIVER))

    def open(self, page: Path) -> None:
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(script, *args)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def press(self, keys: str, held: str = "") -> None:
        """One key after the other, while another one is held."""
        chain = ActionChains(self.driver, duration=0)
        for key in held:
            chain.key_down(key)
        chain.send_keys(*keys)
        for key in held:
            chain.key_up(key)
        chain.perform()

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def resize(self, width: int, height: int) -> None:
        self.driver.set_window_size(width, height)
        self.run("return new Promise((done) => setTimeout(done, 200))")

    def settled(self) -> None:
        """Waits until what was asked for in this frame is drawn, and the page computes nothing more."""
        self.run(SETTLED)

    def drag(self, points: Sequence[tuple[float, float]], kind: str = "mouse", press: bool = True) -> None:
        """The pointer goes from place to place in the window, pressed from the first one on."""
        builder = ActionBuilder(self.driver, duration=0)
        pointer = builder.add_pointer_input(kind, kind)
        for number, (x, y) in enumerate(points):
            pointer.create_pointer_move(duration=0, x=round(x), y=round(y))
            if number == 0 and press:
                pointer.create_pointer_down(button=0)
        if press:
            pointer.create_pointer_up(button=0)
        builder.perform()

    def messages(self) -> list[Any]:
        """What the page has complained about since the last time."""
        return list(self.driver.get_log("browser"))  # type: ignore[no-untyped-call]

    @contextmanager
    def emulated(self, width: int, height: int = 844, scheme: str = "light", **features: str) -> Iterator[None]:
        """Within the block the window has this size, and the page's reader prefers this scheme and these features."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        wanted = {"prefers-color-scheme": scheme, **{name.replace("_", "-"): value for name, value in features.items()}}
        listed = [{"name": name, "value": value} for name, value in wanted.items()]
        try:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})
            yield
        finally:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def quit(self) -> None:
        self.driver.quit()


@pytest.fixture(name="browser", scope="session")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a process: to start it takes longer than most of them."""
    session = Browser(tmp_path_factory.mktemp("profile"))
    try:
        yield session
    finally:
        session.quit()
