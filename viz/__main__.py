"""The command line: `python -m viz gallery --out DIR`, `python -m viz figures`, `python -m viz demo --out DIR`,
`python -m viz playground --out FILE`, `python -m viz explore CHECKPOINT --out FILE`, `python -m viz book --out DIR`,
`python -m viz check-figures`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .book import BookError, book
from .demo import demo, explore
from .drawing.check import report
from .drawing.render import RenderError
from .pages.gallery import figures, gallery, readme_figures
from .pages.playground import playground


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, or 1 with a message where something cannot be read, written or drawn."""
    parser = argparse.ArgumentParser(prog="python -m viz", description="Pictures, pages and the book.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, folder, what in (
        ("gallery", "out/gallery", "draw every figure of the lecture, and one HTML page with all of them"),
        ("figures", "viz/figures", "draw the few figures that the README shows"),
        ("book", "out/book", "build the course, the annotated source and the reference as a site"),
        ("demo", "out", "train a network on real digits, check a gradient, draw what was computed"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--out", type=Path, default=Path(folder), metavar="DIR", help="where to (%(default)s)")
    try_out = "write a page with convolution, transposed convolution and pooling under sliders"
    command = commands.add_parser("playground", help=try_out, description=try_out)
    command.add_argument("--out", type=Path, default=Path("playground.html"), metavar="FILE", help="(%(default)s)")
    run = "write a page that runs a network which `python -m nets train` has kept"
    command = commands.add_parser("explore", help=run, description=run)
    command.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the file that it is kept in (.npz)")
    command.add_argument("--out", type=Path, default=Path("explorer.html"), metavar="FILE", help="(%(default)s)")
    command.add_argument(
        "--data", type=Path, metavar="FOLDER", help="show IDX images of MNIST's kind, for resnet CIFAR-10 (the digits)"
    )
    command.add_argument("--classes", type=int, default=10, metavar="N", help="how many it tells apart (%(default)s)")
    check = "measure each figure: text on a slide of 16:9 and on a phone, contrast, size of file"
    commands.add_parser("check-figures", help=check, description=check)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "demo":
            live = demo(chosen.out)
            page = gallery(chosen.out / "gallery", explorer=live)
            print("4. Go on: every figure of the lecture, and a page that steps through backpropagation, are in")
            print(f"   {page}\n   {page.with_name('stepper.html')}\n")
            print("5. Try: draw a digit, and see what each layer of the network makes of it.  Open in a browser")
            print(f"   {live}")
        elif chosen.command == "gallery":
            page = gallery(chosen.out)
            print(f"{page}\n{page.with_name('stepper.html')}")
        elif chosen.command == "book":
            print(book(chosen.out))
        elif chosen.command == "playground":
            print(playground(chosen.out))
        elif chosen.command == "explore":
            print(explore(chosen.checkpoint, chosen.out, data=chosen.data, classes=chosen.classes))
        elif chosen.command == "check-figures":
            print(report((name, draw()) for name, draw in figures().items()))
        else:
            print(*readme_figures(chosen.out), sep="\n")
    except (RenderError, BookError, OSError, ValueError) as error:
        print(f"viz: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
