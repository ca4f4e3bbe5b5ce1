"""What the command line writes: the explorer of a network that was kept, and the end of the tour."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nets
import viz
from viz import demo as tour
from viz.__main__ import main

from .browser import Browser, needs_browser


def test_what_is_no_network_is_refused_with_each_reason_once(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "text.npz").write_text("no network")
    assert main(["explore", str(tmp_path / "text.npz"), "--out", str(tmp_path / "page.html")]) == 1
    reasons = [part.partition(": ")[2] for part in capsys.readouterr().err.removeprefix("viz: ").split("; ")]
    assert len(set(reasons)) == len(reasons) == 1


def test_the_module_of_the_commands_names_each_of_them(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    [names] = re.findall(r"\{(.*?)\}", capsys.readouterr().out.partition("\n\n")[0])
    told = set(re.findall(r"python -m viz ([\w-]+)", importlib.import_module("viz.__main__").__doc__ or ""))
    assert told == set(names.split(","))


@pytest.mark.parametrize("name", ["lenet", "lenet5"])
def test_a_network_that_was_kept_can_be_explored(tmp_path: Path, capsys: Any, name: str) -> None:
    build = {"lenet": nets.lenet, "lenet5": nets.lenet5}[name]
    nets.save(tmp_path / "kept.npz", build(seed=3))
    assert main(["explore", str(tmp_path / "kept.npz"), "--out", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'page.html'}\n"
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"<h1>{name}, live</h1>" in text and "Back to all figures" not in text


def test_a_page_says_what_each_kind_of_layer_does_in_the_first_words_of_its_docstring(tmp_path: Path) -> None:
    page = viz.explorer(nets.lenet(), np.zeros((1, 1, 32, 32)), tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<dt>Conv2d</dt><dd>Slide kernels over an image.</dd>" in page
    assert "<dt>Flatten</dt><dd>" in page


@pytest.mark.parametrize(("height", "shift"), [(3, 1), (8, 2), (20, 5)])
def test_an_image_is_moved_by_up_to_a_quarter_of_its_height(tmp_path: Path, height: int, shift: int) -> None:
    model = nets.Sequential(nets.Flatten(), nets.Dense(height * 4, 2))
    page = viz.explorer(model, np.zeros((1, 1, height, 4)), tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count(f'min="-{shift}" max="{shift}"') == 2


@pytest.mark.parametrize(("limit", "value"), [("MOST_NUMBERS", 8), ("MOST_MACS", 6)])
def test_what_is_as_large_as_the_limit_runs_in_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """Three inputs and two outputs: 6 weights and 2 biases, 6 products."""
    for most, live in ((value, True), (value - 1, False)):
        monkeypatch.setattr(f"viz.pages.network.{limit}", most)
        page = viz.explorer(nets.Dense(3, 2), np.ones((1, 3)), tmp_path / "page.html").read_text(encoding="utf-8")
        assert ("Nothing can be drawn" not in page) == live


def test_the_tour_compares_both_slopes_at_the_same_point(capsys: Any) -> None:
    """The loss that it prints is that of the model, and lies between the two beside it."""
    model, (_, test) = nets.lenet(), nets.digits(size=32)
    few = nets.Examples(test.images[:4], test.labels[:4])
    tour.show_gradient(model, few)
    loss, larger, smaller, by_values, by_rules, differ = (
        float(re.search(rf"{what} *([-+]?\d[-+.e\d]*\d)", text)[1])  # type: ignore[index]
        for text in [capsys.readouterr().out]
        for what in ("digits,", r"L\(w \+ h\) =", r"L\(w - h\) =", "/ 2h =", "dL/dw +=", "differ by")
    )
    assert min(larger, smaller) - 1e-9 <= loss <= max(larger, smaller) + 1e-9
    assert abs(by_values - (larger - smaller) / 2e-5) < 1e-6
    assert abs(differ - abs(by_rules - by_values)) <= 0.05 * differ + 1e-10 and differ < 1e-6


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


@pytest.mark.parametrize("name", ["lenet", "lenet5", "resnet"])
def test_the_page_of_a_network_that_was_kept_knows_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    train, test = nets.digits(size=32)
    few = nets.Examples(test.images[:3], test.labels[:3])
    monkeypatch.setattr("viz.demo.digits", lambda size: (train, few))  # more are slow
    model = {"lenet": nets.lenet, "lenet5": nets.lenet5, "resnet": nets.resnet}[name](seed=3)
    nets.save(tmp_path / "kept.npz", model)
    text = tour.explore(tmp_path / "kept.npz", tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    space: dict[str, Any] = {"np": np, "nets": nets}
    exec(data["setup"], space)
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(space["model"].state_dict()[key], array)
    assert space["images"].shape == (359, *data["networks"]["after"]["program"]["shape"])


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.mark.parametrize(("name", "classes"), [("lenet", 10), ("lenet", 3), ("resnet", 10)])
def test_the_images_of_a_folder_are_shown_to_the_network_that_they_are_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, classes: int
) -> None:
    """And what the page says of them, and of the network, makes them again."""
    rng, shown = np.random.default_rng(0), dict[str, Any]()
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (2, 28, 28), dtype=np.uint8)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.array([2, 1], np.uint8)))
    for part in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
        records = rng.integers(0, 10, (3, 3073), dtype=np.uint8)
        (tmp_path / f"{part}.bin").write_bytes(records.tobytes())
    model = {"lenet": nets.lenet, "resnet": nets.resnet}[name](classes, seed=3)
    nets.save(tmp_path / "kept.npz", model)

    def explorer(model: nets.Module, images: Any, path: Path, **said: Any) -> Path:
        shown.update(said, images=images, model=model)
        return path

    monkeypatch.setattr(tour, "explorer", explorer)
    options = ["--data", str(tmp_path), "--classes", str(classes), "--out", str(tmp_path / "page.html")]
    assert main(["explore", str(tmp_path / "kept.npz"), *options]) == 0
    space: dict[str, Any] = {"np": np, "nets": nets}
    exec(shown["setup"], space)
    np.testing.assert_array_equal(space["images"], shown["images"])
    assert shown["images"].shape == ((3, 3, 32, 32) if name == "resnet" else (2, 1, 32, 32))
    assert len(shown["labels"]) == len(shown["images"]) and shown["title"] == f"{name}, live"
    for made, kept in ((space["model"], model), (shown["model"], model), (shown["before"], space["before"])):
        for key, array in kept.state_dict().items():
            np.testing.assert_array_equal(made.state_dict()[key], array)


@needs_browser
def test_what_is_copied_from_the_page_of_the_tour_runs_and_computes_what_is_shown(
    browser: Browser, tmp_path: Path
) -> None:
    browser.open(tour.demo(tmp_path, epochs=1))
    choices = ["", "#scores button:nth-child(4)", "#images button:nth-child(3)", "input[value=before]", "#clear"]
    for selector in choices:
        browser.run("if (arguments[0]) document.querySelector(arguments[0]).click()", selector)
        browser.settled()
        browser.run("document.getElementById('copy').click()")
        space: dict[str, Any] = {}
        exec(browser.text("#python"), space)
        pressed = "const all = [...document.querySelectorAll('#scores button')];"
        unit = browser.run(pressed + "return all.findIndex((b) => b.getAttribute('aria-pressed') === 'true')")
        pixels, scores, slope = browser.run(
            "const p = explorer.pixels(); return [p, explorer.forward(p).output, explorer.gradient(p, arguments[0])]",
            unit,
        )
        for found, wanted in ((space["x"], pixels), (space["scores"], scores), (space["g"], slope)):
            np.testing.assert_allclose(found.data.ravel(), wanted, rtol=1e-4, atol=1e-5)
