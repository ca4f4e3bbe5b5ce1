"""Which names are public, where each of them is explained, and what a word in the text means.

What you can do here: ask `Names` for the `home` of a name, or for what a word `means`; and ask for the `arguments` of
a function.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import minitensor
import nets
import viz

from . import PATH_MODULES
from .annotated import Sources

ROOT = Path(minitensor.__file__).parents[1]
PACKAGES: dict[str, ModuleType] = {"minitensor": minitensor, "nets": nets, "viz": viz}
WORD = re.compile(r"([A-Za-z_][\w.]*)(?:\(.*\))?\Z", re.DOTALL)


class Home(NamedTuple):
    """Where a name is explained: a page, and the place on it."""

    page: str
    anchor: str


class Names:
    """The names of the three packages."""

    def __init__(self) -> None:
        self.sources = Sources(ROOT, tuple(PACKAGES))
        self.public = {package: self._public(package) for package in PACKAGES}
        self.sizes = {
            n: ("minitensor.sizes", n) for n in sorted(self.sources.defined["minitensor.sizes"]) if n[0].islower()
        }

    def _public(self, package: str) -> dict[str, tuple[str, str]]:
        """Each public name of a package, with the module that defines it and its name there."""
        module = PACKAGES[package]
        imported = {name for name, (_, inner) in self.sources.meanings(package).items() if inner}
        names = {*getattr(module, "__all__", ()), *imported}
        found = {}
        for name in sorted(name for name in names if not name.startswith("_")):
            place = self.sources.find(package, name)
            if place is None:
                raise ValueError(f"{package}.{name} is public, and no file defines it")
            found[name] = place
        return found

    def home(self, place: tuple[str, str]) -> Home | None:
        """The page of a definition: its file's if that is on the reader's path, else the reference; None if private."""
        module, name = place
        if module in PATH_MODULES:
            page = f"source/{module.removeprefix('minitensor.')}"
            return Home(page, f"{module}.{name}" if name else "")
        package = module.split(".")[0]
        if place in self.public[package].values() or place in self.sizes.values():
            return Home(f"reference/{package}", f"{module}.{name}" if name else module)
        if place == ("minitensor.sizes", ""):
            return Home("reference/minitensor", module)
        return None

    def means(self, text: str, module: str = "") -> Home | None:
        """What an inline `text` means, seen from a module: a name, a call, a file of the path; None if none of ours."""
        file = re.fullmatch(r"(?:minitensor/)?([\w/]+)\.py", text)
        if file and f"minitensor.{file[1].replace('/', '.')}" in PATH_MODULES:
            return Home(f"source/{file[1].replace('/', '.')}", "")
        found = WORD.match(text)
        if not found:
            return None
        first, *rest = found[1].split(".")
        if first in ("minitensor", "nets", "viz", "mt") and rest:
            first, *rest = rest
        for place in self._places(first, module):
            home = self.home(place)
            if home is not None and place[1] == "" and rest:  # a module, and a name in it
                place = (place[0], rest.pop(0))
                home = self.home(place) if place[1] in self.sources.defined[place[0]] else None
            if home is not None and rest:
                owner = self.object(place)
                return Home(home.page, f"{home.anchor}.{rest[0]}") if rest[0] in methods(owner) else home
            if home is not None:
                return home
        return None

    def _places(self, name: str, module: str) -> list[tuple[str, str]]:
        here = self.sources.find(module, name) if module else None
        shared = [self.public[package].get(name) for package in PACKAGES] + [self.sizes.get(name)]
        return [place for place in [here, *shared] if place is not None]

    @staticmethod
    def object(place: tuple[str, str]) -> Any:
        """The thing itself."""
        module = sys.modules[place[0]]
        return getattr(module, place[1]) if place[1] else module


def methods(thing: Any) -> dict[str, str]:
    """The methods and properties of a class, with their own words: none that are inherited, no functions of elsewhere.

    >>> list(methods(nets.Sequential))
    ['forward']
    """
    found = {}
    for name, value in vars(thing).items() if inspect.isclass(thing) else ():
        own = getattr(value, "__qualname__", f"{thing.__qualname__}.").startswith(f"{thing.__qualname__}.")
        text = (getattr(value, "__doc__", None) or "") if callable(value) or isinstance(value, property) else ""
        if own and text and not name.startswith("_"):
            found[name] = inspect.cleandoc(text)
    return found


def arguments(thing: Any) -> str:
    """What is handed to a function or class, as its file says it; defaults by their names.

    >>> def fit(model: Model, loss: Loss = sorted, check=Path.exists, group=object()) -> float: ...
    >>> arguments(fit)
    '(model: Model, loss: Loss = sorted, check=exists, group=object()) -> float'
    """
    try:
        said = str(inspect.signature(thing)) if callable(thing) else ""
    except (TypeError, ValueError):  # some of NumPy's have none
        return ""
    said = re.sub(r"ForwardRef\('([^']*)'\)|(?<=[:>] )'([^']*)'", lambda found: found[1] or found[2], said)
    said = re.sub(r"<(?:built-in )?function (?:[\w.]*\.)?(\w+)(?: at 0x\w+)?>", r"\1", said)
    said = re.sub(r"<(?:[\w.]*\.)?(\w+) object at 0x\w+>", r"\1()", said)
    return re.sub(r"InitVar\[([^][]*)\]", r"\1", said).replace("<factory>", "...")
