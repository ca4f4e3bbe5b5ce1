"""What the command that measures promises."""

from __future__ import annotations

import sys

import pytest

from nets.__main__ import MODELS, RECIPES

from .benchmarks import __main__ as command
from .benchmarks.driver import Comparison, Result


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), 1), (KeyboardInterrupt(), 130)])
def test_what_was_measured_before_an_error_or_ctrl_c_is_shown_and_written(error, status, tmp_path, monkeypatch, capsys):
    def compare(name, engines, *_):
        if name == "pool-2":
            raise error
        return Comparison({e: Result(0.125, 1_000_000) for e in engines}, {})

    monkeypatch.setattr(command, "compare", compare)
    monkeypatch.setattr(sys, "argv", ["", "--tasks", "mlp", "pool-2", "--peers", "--out", str(tmp_path)])
    assert command.main() == status
    shown = capsys.readouterr()
    assert "| MLP 784-256-128-10 step, batch 128 | 125 | 125 |" in shown.out
    assert (tmp_path / "benchmarks.md").read_text() in shown.out and (tmp_path / "benchmarks.svg").exists()
    assert ("no" if status == 1 else "stopped") in shown.err


def test_what_is_trained_takes_the_digits():
    assert {"lenet", "lenet5"} <= set(command.TRAINED) < set(RECIPES)
    assert all(MODELS[name][1] == (1, 32, 32) for name in command.TRAINED)
