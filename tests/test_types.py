"""What a type checker says of a user's program."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import minitensor

ROOT = Path(minitensor.__file__).parents[1]

PROGRAM = """
import minitensor as mt
from minitensor import Tensor, conv2d, formula, gradients, max_pool2d, no_grad, primitive, relu
from minitensor.tensor import Array

@primitive
def cube(x: Array) -> Array:
    return x * x * x

cube.defvjp(lambda g, out, x: g * 3 * x**2)
x = Tensor([1.0, 2.0], name="x")
[slope] = gradients(cube(x).sum(axis=0), [x])
y: Tensor = conv2d(Tensor([[[[1.0]]]]), Tensor([[[[1.0]]]]), stride=1)
with no_grad():
    z = mt.max(relu(x)) + mt.sum(x) + max_pool2d(y, 1, 1)
print(formula(slope), z)
"""
MISTAKES = {
    'x.sum(axis="nonsense")': "axis",
    "x.sum(foo=3)": "foo",
    "conv2d(x, x, strode=2)": "strode",
    "x.reshap(3)": "reshap",
    "mt.nonsense(x)": "nonsense",
}


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy comes with make check")
def test_a_program_passes_the_strictest_check_and_mistakes_do_not(tmp_path):
    """`mypy --strict` finds nothing in a right program, and each wrong keyword, argument and name in a wrong one."""
    path, config = tmp_path / "program.py", tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\nstrict = True\n[mypy-minitensor.*]\nfollow_imports = silent\n"
    )  # as where it is installed

    def check(text):
        path.write_text(text)
        command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path), str(path)]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout

    assert "Success" in check(PROGRAM)
    wrong = check(PROGRAM + "\n".join(MISTAKES))
    first = PROGRAM.count("\n") + 1
    for number, (mistake, word) in enumerate(MISTAKES.items(), start=first):
        assert any(f"program.py:{number}:" in line and word in line for line in wrong.splitlines()), (mistake, wrong)
