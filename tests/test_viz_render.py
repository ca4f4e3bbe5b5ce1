"""Figures are drawn by whatever renderer there is, safely, or say clearly why not."""

import importlib
import io
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minitensor import Tensor
from nets.training.png import decode, encode
from viz import Figure, RenderError, computation_graph, connectivity, render
from viz.drawing.export import size_of
from viz.drawing.render import EMBEDDED, VARIABLE, _fault, find_renderer, layout, write_whole
from viz.drawing.sheet import Drawing, Wire

from .checks import raises

SIMPLE = Figure("digraph { a -> b }", title="two nodes")
BEGINNINGS = {
    ".svg": b"<svg",
    ".SVG": b"<svg",
    ".png": b"\x89PNG",
    ".pdf": b"%PDF",
    ".tex": b"\\documentclass",
    ".dot": b"digraph",
}


def program(folder: Path, body: str) -> str:
    """A renderer that we write ourselves."""
    path = folder / "renderer"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VARIABLE, raising=False)
    module = importlib.import_module("viz.drawing.render")  # viz.render itself is the function of that name
    monkeypatch.setattr(module, "embedded_renderer", lambda: None)


# -- which program draws -----------------------------------------------------------------------------------------------


def test_the_embedded_renderer_is_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_renderer().stem == EMBEDDED
    assert "<svg" in SIMPLE.svg()


def test_the_system_renderer_comes_before_the_embedded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "dot"
    system.write_text(f"#!{sys.executable}\nprint('<svg >of the system</svg>')\n")
    system.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "of the system" in SIMPLE.svg()
    monkeypatch.setenv(VARIABLE, EMBEDDED)
    assert "of the system" not in SIMPLE.svg()


def test_without_a_renderer_the_error_names_both_remedies(nothing_installed: None) -> None:
    with pytest.raises(RenderError, match=r"pip install graphviz-pure.*apt install graphviz"):
        SIMPLE.svg()


def test_a_missing_choice_is_never_silently_replaced(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="'no-such-program' was not found"):
        SIMPLE.svg(renderer="no-such-program")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("time.sleep(60)", "stopped after 0.5 s"),
        ("pass", r"drew nothing \(exit status 0\): it gave no reason"),
        ("sys.exit('no such layout')", r"drew nothing \(exit status 1\): no such layout"),
        ("print('<svg/>'); sys.exit(3)", r"drew nothing \(exit status 3\): it gave no reason"),
        ("print('error')", "did not write svg .*it wrote b'error"),
        ("print('<svg>half')", "did not write svg .*it wrote b'<svg>half"),
        ("print('<html/>')", "did not write svg .*its root is not <svg>"),
        ("sys.stdout.buffer.write(bytes(range(256)))", "did not write svg"),
    ],
)
def test_a_renderer_that_fails_is_an_error_with_its_reason(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        render(SIMPLE.dot, renderer=program(tmp_path, body), timeout=0.5 if "sleep" in body else 60)


def test_a_program_that_does_not_run_is_an_error_with_remedies(tmp_path: Path) -> None:
    path = tmp_path / "renderer"
    path.write_bytes(b"\x7fELF and nothing more")
    path.chmod(0o755)
    with pytest.raises(RenderError, match=r"renderer does not run \(.*pip install graphviz-pure"):
        render(SIMPLE.dot, renderer=str(path))


def test_a_form_that_is_none_and_a_pdf_of_a_program_that_writes_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"form \(='bmp'\) must be one of svg, png, pdf, json"):
        render(SIMPLE.dot, "bmp")
    with pytest.raises(RenderError, match="graphviz-pure does not write pdf: save the figure as svg"):
        render(SIMPLE.dot, "pdf", renderer=EMBEDDED)


def test_another_program_is_asked_for_a_pdf(tmp_path: Path) -> None:
    assert render(SIMPLE.dot, "pdf", renderer=program(tmp_path, "print('%PDF-1.5'); print('%%EOF')")).startswith(
        b"%PDF"
    )


@given(st.integers(20, 300), st.integers(20, 300))
@settings(max_examples=5)
def test_an_svg_has_the_size_of_the_layout_in_points_and_a_png_twice_as_many_pixels(width: int, height: int) -> None:
    drawing = Drawing()
    drawing.box(0, 0, width, height, "")
    left, low, right, high = (float(n) for n in layout(drawing.dot)["bb"].split(","))
    whole = right - left + 14.4, high - low + 14.4
    assert size_of(drawing.figure().svg(renderer=EMBEDDED)) == pytest.approx(whole, abs=2)
    with Image.open(io.BytesIO(render(drawing.dot, "png", renderer=EMBEDDED))) as image:
        assert image.size == pytest.approx([2 * n for n in whole], abs=3)


def test_a_curve_that_is_given_is_drawn_as_it_is() -> None:
    drawing = Drawing()
    ends = drawing.point(0, 0), drawing.point(100, 0)
    given_ = ((0.0, 0.0), (20.0, 90.0), (60.0, -70.0), (100.0, 0.0))
    drawing.wires.append(Wire(*ends, {"arrowhead": "none"}, False, given_))
    [path] = re.findall(r'<path fill="none" [^>]* d="([^"]*)"', drawing.figure().svg(renderer=EMBEDDED))
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
    found = [(x - numbers[0], numbers[1] - y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    assert found == pytest.approx(np.array(given_), abs=0.1)


@pytest.mark.parametrize("text", ["plain words", "one\\N", "a\\Gb", "\\"])
def test_the_layout_has_the_words_of_the_figure(text: str) -> None:
    drawing = Drawing()
    drawing.text(0, 0, text)
    found = layout(drawing.dot, renderer=EMBEDDED)
    assert [op["text"] for o in found["objects"] for op in o["_ldraw_"] if op["op"] == "T"] == [text]


def test_a_pipe_and_a_device_are_written_to_and_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """Both are our own: if this failed, a device of the machine would be lost."""
    pipe, (terminal, behind) = tmp_path / "pipe", os.openpty()
    os.mkfifo(pipe)
    end, device = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), Path(os.ttyname(behind))
    for path, reader in (pipe, end), (device, terminal):
        assert write_whole(path, b"words") == path
        assert os.read(reader, 9) == b"words"
    assert pipe.is_fifo() and device.is_char_device()
    for opened in end, terminal, behind:
        os.close(opened)
    with pytest.raises(FileNotFoundError, match=r"there is no such folder: '.*nowhere'"):
        write_whole(tmp_path / "nowhere" / "x.svg", b"")


def test_the_error_of_a_renderer_ends_with_the_last_words_of_what_it_said(tmp_path: Path) -> None:
    body = "print('x' * 600 + 'the reason', file=sys.stderr); print('no picture')"
    with pytest.raises(RenderError) as caught:
        render(SIMPLE.dot, renderer=program(tmp_path, body))
    said = str(caught.value)
    assert said.endswith("x" * 490 + "the reason") and "x" * 491 not in said


def test_on_a_time_limit_what_the_renderer_started_ends_too(tmp_path: Path) -> None:
    pids = tmp_path / "pid"
    start = "import subprocess; child = subprocess.Popen(['sleep', '600'])"
    child = f"{start}; open({str(pids)!r}, 'w').write(str(child.pid)); child.wait()"
    with pytest.raises(RenderError, match="stopped after"):
        render(SIMPLE.dot, renderer=program(tmp_path, child), timeout=2)
    for _ in range(100):  # the system ends it when it gets to it
        if not runs(int(pids.read_text())):
            return
        time.sleep(0.1)
    pytest.fail("it still runs")


def test_an_interrupted_renderer_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids, end = tmp_path / "pid", tmp_path / "end"
    body = f"import os; open({str(pids)!r}, 'w').write(str(os.getpid())); time.sleep(30); open({str(end)!r}, 'w')"

    def interrupted(*_: object, **__: object) -> None:
        while not (pids.exists() and pids.read_text()):
            time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render(SIMPLE.dot, renderer=program(tmp_path, body))
    monkeypatch.undo()
    assert not runs(int(pids.read_text())) and not end.exists()


def runs(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and waits to be noticed."""
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(stat.strip()) and not stat.startswith("Z")


@pytest.mark.parametrize("form", ["svg", "png", "pdf", "json"])
@given(kept=st.floats(0, 0.99))
@settings(max_examples=10)
def test_a_file_that_ends_too_early_is_not_taken_for_a_picture(form: str, kept: float) -> None:
    whole = SIMPLE.pdf(renderer=EMBEDDED) if form == "pdf" else render(SIMPLE.dot, form, renderer=EMBEDDED)
    assert _fault(whole, form) == ""
    assert _fault(whole[: int(len(whole.rstrip()) * kept)], form)
    assert _fault(whole + b"\n", form) == "" and _fault(whole[1:], form)


def test_json_that_is_no_object_is_no_layout() -> None:
    assert _fault(b"[1]", "json") == "not an object" and _fault(b'{"a": 1}', "json") == ""


@given(before=st.one_of(st.none(), st.binary(max_size=9)), after=st.binary(max_size=9))
@settings(max_examples=20)
def test_a_file_is_written_whole_or_not_at_all(before: bytes | None, after: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        if before is not None:
            path.write_bytes(before)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="disk full"):
            patch.setattr("os.fsync", disk_full)
            write_whole(path, after)
        assert (path.read_bytes() if path.exists() else None) == before
        assert write_whole(path, after).read_bytes() == after
        assert os.listdir(folder) == ["file"]


def disk_full(_: int) -> None:
    raise OSError("disk full")


def test_a_link_stays_a_link_and_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    picture = Drawing()
    picture.image(0, 0, 20, 20, encode(np.eye(4)))
    picture.figure("image").svg(renderer=EMBEDDED)
    with pytest.raises(RenderError):
        render("this is not DOT", renderer=EMBEDDED)
    assert os.listdir(tmp_path) == []


# -- what a figure does ------------------------------------------------------------------------------------------------


def test_a_notebook_shows_the_reason_and_the_text_where_nothing_can_be_drawn(nothing_installed: None) -> None:
    shown = SIMPLE._repr_mimebundle_()
    assert "pip install graphviz-pure" in shown["text/html"]
    assert "a -&gt; b" in shown["text/html"]


def test_the_suffix_chooses_the_form(tmp_path: Path) -> None:
    for suffix, beginning in BEGINNINGS.items():
        assert SIMPLE.save(tmp_path / f"figure{suffix}", renderer=EMBEDDED).read_bytes().startswith(beginning)
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf, \.tex, \.dot, got 'figure.bmp'"):
        SIMPLE.save(tmp_path / "figure.bmp")


def test_images_are_inside_the_svg() -> None:
    picture = Drawing()
    picture.image(0, 0, 20, 20, encode(np.eye(4)))
    picture.image(40, 0, 20, 20, encode(1 - np.eye(4)))
    text = picture.figure("images").svg(renderer=EMBEDDED)
    assert len(re.findall(r'xlink:href="data:image/png;base64,', text)) == len(re.findall("<image", text)) == 2


@pytest.mark.parametrize("suffix", [".dot", ".tex"])
def test_two_figures_in_one_folder_keep_their_images(suffix: str, tmp_path: Path) -> None:
    contents = {name: encode(np.eye(n)) for n, name in enumerate(["one", "two"], start=2)}
    for name, content in contents.items():
        picture = Drawing()
        picture.image(0, 0, 20, 20, content)
        picture.text(0, 40, 'image="image0.png"')
        picture.figure().save(tmp_path / f"{name}{suffix}", renderer=EMBEDDED)
    for name, content in contents.items():
        text = (tmp_path / f"{name}{suffix}").read_text(encoding="utf-8")
        images = {path.name: path.read_bytes() for path in tmp_path.glob("*.png") if path.name in text}
        assert images == {f"{name}-image0.png": content}
        if suffix == ".dot":
            assert b"<image" in render(text, "svg", renderer=EMBEDDED, images=images)
            assert r"image=\"image0.png\"" in text


@pytest.mark.parametrize("name", ["../escape.png", "a/b.png", "/tmp/escape.png", "", "..", "."])
def test_an_image_stays_in_the_folder_of_its_picture(name: str) -> None:
    with raises(ValueError, f"image (={name!r}) must have the name of a file"):
        render("digraph {}", images={name: b"x"})


def test_drawing_twice_gives_the_same_bytes() -> None:
    x = Tensor([1.0, 2.0], name="x")
    first, second = (computation_graph((x * x).sum(), gradients=True) for _ in range(2))
    assert first == second
    assert first.svg(renderer=EMBEDDED) == second.svg(renderer=EMBEDDED)


# -- hostile text ------------------------------------------------------------------------------------------------------

NASTY = [
    '"',
    "\\",
    "\\N\\G\\l",
    "<b>x</b>",
    "&amp;",
    "a\nb",
    "\x00\x1b[31m",
    "\u202egnp",
    "\ud800",
    "<<",
    ">",
    "]];",
    "-->",
]
names = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.lists(st.sampled_from(NASTY)).map("".join))


@given(names)
@settings(max_examples=40)
def test_a_name_is_only_ever_text(name: str) -> None:
    x = Tensor(2.0, name=name)
    root = ET.fromstring(computation_graph(x * x, layers={name: [x]}).svg(renderer=EMBEDDED))
    groups = [g.get("class") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    assert (groups.count("node"), groups.count("edge"), groups.count("cluster")) == (2, 2, 1)
    assert {g.tag.split("}")[1] for g in root.iter()} <= {"svg", "g", "title", "polygon", "path", "text", "polyline"}


@given(names)
@settings(max_examples=40)
def test_a_title_is_only_ever_text(title: str) -> None:
    figure = connectivity(lambda x: 2 * x, 2, title=title, rows=[title], letters="x" + (title or "y")[-1])
    root = ET.fromstring(figure.svg(renderer=EMBEDDED))
    assert not [g for g in root.iter() if g.tag.endswith(("script", "}a", "image"))]


@pytest.mark.parametrize("text", ['R&D "<b>" \\N', "&amp; &lt; &#65;", "<i>", "\\", "a -> b; }"])
def test_names_and_titles_arrive_as_they_were_written(text: str) -> None:
    drawn = [
        computation_graph(Tensor(2.0, name=text) * 1),
        connectivity(lambda x: 2 * x, 2, title=text),
        connectivity(lambda x: 2 * x, 2, rows=[text]),
    ]
    for figure in drawn:
        root = ET.fromstring(figure.svg(renderer=EMBEDDED))
        assert text in ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]


# -- pictures as files -------------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_png_gives_back_what_it_was_given(height: int, width: int, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width))
    assert (decode(encode(levels / 255)) * 255 == levels).all()


@pytest.mark.parametrize(("form", "mode"), [("jpeg", "RGB"), ("png", "RGBA"), ("png", "P"), ("gif", "P"), ("png", "1")])
def test_photographs_of_many_kinds_are_read_as_grey(form: str, mode: str) -> None:
    """White above, black below; what is transparent is the paper."""
    image, file = Image.new("L", (16, 24), 255), io.BytesIO()
    image.paste(0, (0, 16, 16, 24))
    image.convert(mode).save(file, form)
    grey = decode(file.getvalue())
    assert grey.shape == (24, 16)
    assert grey[:14].min() > 0.98 and grey[18:].max() < 0.02


def test_a_photograph_that_is_marked_as_turned_is_turned_upright() -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees to the right
    Image.new("L", (16, 24), 255).save(file, "jpeg", exif=exif)
    assert decode(file.getvalue()).shape == (16, 24)


@given(st.data())
def test_a_damaged_picture_is_a_clear_error(data: st.DataObject) -> None:
    file = encode(np.eye(5))
    at = data.draw(st.integers(8, len(file) - 1))
    damaged = bytearray(file)
    damaged[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(damaged), file[:at]):
        try:
            assert decode(broken).ndim == 2
        except ValueError as error:
            assert "picture" in str(error)
