"""What importing does, and which chapter may use which."""

from __future__ import annotations

import ast
import builtins
import graphlib
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import minitensor

ROOT = Path(minitensor.__file__).parents[1]
ORDER = ("minitensor", "nets", "viz")  # imports run one way: each package knows those before it


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, modules):
    """The modules of ours that a file imports, wherever in the file, with relative names resolved."""
    package = module_name(path).split(".") if path.name == "__init__.py" else module_name(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in modules else source


def test_importing_minitensor_loads_numpy_and_nothing_else():
    """In a fresh interpreter: every module that importing minitensor adds is Python's, NumPy's or its own."""
    code = "import sys, numpy; before = set(sys.modules); import minitensor; print(*sys.modules.keys() - before)"
    added = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    roots = {name.split(".")[0] for name in added}
    assert "minitensor" in roots
    assert {root for root in roots if root not in sys.stdlib_module_names} <= {"minitensor", "numpy"}


def test_imports_run_one_way():
    """A package imports itself and those before it, and within minitensor no two modules need each other, but one."""
    for i, package in enumerate(ORDER):
        for path in sources(package):
            used = {name.split(".")[0] for name in imports(path, set())}
            assert not used & set(ORDER[i + 1 :]), path
    modules = {module_name(path): path for path in sources("minitensor")}
    graph = {name: {m for m in imports(path, modules) if m in modules and m != name} for name, path in modules.items()}
    last = (ROOT / "minitensor" / "tensor.py").read_text().splitlines()[-1]
    assert last.startswith("from . import activations, backprop, more, ops  #")
    graph["minitensor.tensor"] = {"minitensor.checks"}  # the one circle: a Tensor's methods are made of Tensors
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle, if there is one


@pytest.mark.parametrize("package", ["nets", "viz"])
def test_each_public_name_is_listed_and_a_star_import_replaces_nothing(package):
    """What a package takes from its rooms is in __all__, so in its help; no name is Python's or minitensor's."""
    module = importlib.import_module(package)
    known = {name for name, thing in vars(module).items() if not name.startswith("_") and not inspect.ismodule(thing)}
    assert known <= set(module.__all__) and len(set(module.__all__)) == len(module.__all__)
    assert not set(module.__all__) & {*dir(builtins), *minitensor.__all__}


def test_there_are_no_late_imports():
    """No function imports anything: what a module needs is said at its top."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    for package in ORDER:
        for path in sources(package):
            inside = [
                node for f in ast.walk(ast.parse(path.read_text())) if isinstance(f, functions) for node in ast.walk(f)
            ]
            assert not [n.lineno for n in inside if isinstance(n, ast.Import | ast.ImportFrom)], path


PATH = ("tensor", "backprop", "finite", "ops", "windows", "conv", "pool", "activations", "losses", "normalize")


def test_the_readers_path_is_an_evenings_reading():
    """It has at most 1,700 lines, docstrings included."""
    path = [p for p in sources("minitensor") if p.relative_to(ROOT / "minitensor").with_suffix("").parts[0] in PATH]
    assert sum(len(p.read_text().splitlines()) for p in path) <= 1700


def test_the_readers_path_needs_nothing_beside_it():
    """What explains reverse mode and convolution imports no speed, no formulas and no programs."""
    modules = {module_name(path): path for path in sources("minitensor")}
    for name, path in modules.items():
        if name.split(".")[1:2] and name.split(".")[1] in PATH:
            used = {m.split(".")[1] for m in imports(path, modules) if m.startswith("minitensor.")}
            assert not used & {"fast", "formula", "program"}, name
