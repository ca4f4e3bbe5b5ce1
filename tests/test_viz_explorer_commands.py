"""What the command line writes: the explorer of a network that was kept, and the end of the tour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nets
from viz import demo as tour
from viz.__main__ import main


@pytest.mark.parametrize("name", ["lenet", "lenet5"])
def test_a_network_that_was_kept_can_be_explored(tmp_path: Path, capsys: Any, name: str) -> None:
    build = {"lenet": nets.lenet, "lenet5": nets.lenet5}[name]
    nets.save(tmp_path / "kept.npz", build(seed=3))
    assert main(["explore", str(tmp_path / "kept.npz"), "--out", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'page.html'}\n"
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"<h1>{name}, live</h1>" in text and "Back to all figures" not in text


def test_a_file_that_cannot_be_explored_is_named(tmp_path: Path, capsys: Any) -> None:
    for content, said in ((None, "none.npz"), (b"nothing of the kind", "cannot load")):
        file = tmp_path / "none.npz"
        if content is not None:
            file.write_bytes(content)
        assert main(["explore", str(file), "--out", str(tmp_path / "page.html")]) == 1
        assert said in capsys.readouterr().err
    nets.save(file, nets.Dense(3, 2))
    assert main(["explore", str(file), "--out", str(tmp_path / "page.html")]) == 1
    assert "belongs to another model" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_the_tour_ends_with_the_page_of_the_network_that_it_has_trained(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viz.__main__.demo", lambda out: tour.demo(out, epochs=1))
    monkeypatch.setattr("viz.__main__.gallery", lambda folder, explorer: folder / "index.html")
    assert main(["demo", "--out", str(tmp_path)]) == 0
    page = Path(capsys.readouterr().out.splitlines()[-1].strip())
    assert page == tmp_path / "explorer.html"
    assert page.stat().st_size < 2_000_000
    assert '<a href="gallery/index.html">Back to all figures</a>' in page.read_text(encoding="utf-8")
