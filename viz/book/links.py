"""Where links lead.

What you can do here: list what is `broken` in a folder of pages.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = ("stylesheet", "icon", "preload")  # what a browser fetches of a <link> without being asked


class Page(HTMLParser):
    """The places on a page that a link can name, the addresses that it names, and those that it loads by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.addresses: list[str] = []
        self.loaded: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = tag == "link" and not set(LOADED).isdisjoint((dict(attrs).get("rel") or "").lower().split())
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value or "")
            elif name in ("href", "src") and value and tag != "use":
                self.addresses.append(value)
                if loads or name == "src":
                    self.loaded.add(value)


def broken(folder: Path) -> list[str]:
    """Each address on a page of the folder that leads nowhere: no such file, or no such place on its page.

    Addresses of other sites are not asked; what a page loads must not be one, and is listed where it is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder, "a.html")
    ...     _ = page.write_text('<p id="here"><a href="#here"></a><a href="#there"></a><img src="b.png">')
    ...     broken(Path(folder))
    ['a.html: #there', 'a.html: b.png']
    """
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    wrong = []
    for path, page in pages.items():
        for address in page.addresses:
            parts = urlsplit(address)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if parts.netloc:  # of another site
                fault = address in page.loaded
            else:
                known = parts.scheme in ("data", "mailto") or target.is_file()
                fault = not known or (target in pages and place not in {"", *pages[target].ids})
            if fault:
                wrong.append(f"{path.relative_to(folder.resolve())}: {address}")
    return wrong
