"""Units and the wires between them: sparse, dense, shared, strided, padded, in rows and on grids.

What you can do here: draw the `connectivity` of a layer, or of a list of layers.

What there is to draw is a `Stack` (stack.py), what stands in its units and how they look is said in units.py; rows of
units are laid out in rows.py, images as grids in cells.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..drawing.sheet import Pinned
from ..drawing.style import Style
from .cells import in_grids, letters_in_windows
from .connections import Layer
from .rows import Page, in_rows
from .stack import Stack
from .units import Followed, Units


def connectivity(
    layers: Layer | Sequence[Layer],
    input_shape: int | Sequence[int] | None = None,
    *,
    highlight: Followed = None,
    direction: str = "below",
    share: bool | str = False,
    x: npt.ArrayLike | None = None,
    compare: npt.ArrayLike | None = None,
    title: str = "",
    rows: Sequence[str] = (),
    letters: str = "",
    ends: int = 0,
    zeros: bool | None = None,
    unit: int | None = None,
    chain: bool = False,
    labels: Mapping[tuple[int, int], str] | None = None,
    most: int | None = None,
    bias: bool = False,
    weigh: bool = False,
    blocks: bool = False,
    grey: bool = False,
    style: str | Style = "light",
) -> Pinned:
    """Draw the units of a layer, or of a list of layers from below, and every wire between them.

    A model is one layer; to see what is between, give its layers: `list(model)` of a Sequential.
    highlight: units to follow; seen from "below" they are inputs, and all that they reach is marked, from "above" they
    are outputs, and all that they see is marked: their receptive field.  A unit is a flat number or, on a grid, a place
    (row, column) or (channel, row, column); several are a list, or a mapping to colours: {3: "#0072B2"}.  A unit that
    is met from several has all of their colours.
    share: give each parameter a colour and a letter, in the order of its elements; a string of letters shows those
    alone, in bold.  On a grid the letters stand in the window of the one unit that is followed from above.
    x: an input; the values stand in the units, and the wires along which a change would pass (the derivative at x is
    not zero) are bold.  compare: another input; the units whose values differ from those are marked.
    title stands above, rows name the rows from below, letters name the units of each row; ends draws so many units at
    both ends of each row as dots: the row goes on.  style: as `Style`; grey=True is style="print".
    zeros: as in `connections`; with False a pruned layer is drawn as it is pruned.
    unit: an axis of the input; all that lies at one index of it is one node: a token, a time step, a channel.
    chain: outputs that are computed from one another, as the states of a recurrent network, are wired to one another,
    and each to those inputs alone that it reads itself.
    labels: words for units, by (row, unit).  most: of a longer row so many units are drawn, from both ends.
    bias: a unit with the value 1 beside each row, wired to all that has a bias.  weigh: wires as thick as their weight
    is large, dashed where it is below 0.  blocks: on grids, each window in a colour of its own, where none overlap.
    A layer of images is drawn as a grid, several images of a batch one below the other; of each unit that is followed,
    the window is marked in the grid before.  With x, and units seen from above, each cell is framed that passes a
    change on to what is followed, where not all cells of the layer do: of a max pooling the largest of the window.
    Raises ValueError for units or weights that are not there, another direction, no layer, letters or rows for another
    number of rows, a layer that rejects the shape, one with too many units, wires or letters to be looked at, and what
    rows or grids do not have; TypeError for what is no layer, and for numbers and labels of another kind.

    >>> from nets import Conv1d
    >>> connectivity(Conv1d(1, 1, 3), 5, highlight=1, direction="above").dot.count("->")
    9
    """
    if grey and style not in ("light", "print"):
        raise ValueError(f"grey=True is style='print': give it or style (={style!r}), not both")
    style = Style("print") if grey else Style.of(style)
    if not callable(layers) and not isinstance(layers, Iterable):
        raise TypeError(f"connectivity takes a layer, or a list of layers, got {type(layers).__name__}")
    if input_shape is None:
        if x is None:
            raise ValueError("connectivity needs an input_shape, or an input x that has one")
        input_shape = np.asarray(x).shape
    stack = Stack.of([layers] if callable(layers) else list(layers), input_shape, zeros, most is None, chain)
    if unit is not None:
        stack = stack.merged(unit, 1 if isinstance(input_shape, int) else len(input_shape))
    _refuse(
        (
            unit is not None and (x is not None or bool(share) or weigh or bias),
            "a node of several units (unit=) has no number, letter, weight or bias of its own",
        ),
        (chain and (bool(share) or weigh or bias), "a chain has no letters, weights or biases: share, weigh, bias"),
        (len(rows) > len(stack.shapes), f"rows (={rows!r}) must name at most the {len(stack.shapes)} rows there are"),
        (blocks and not stack.has_grids, "blocks belong to grids: these units stand in rows"),
        (
            stack.has_grids and (bias or weigh or chain or most is not None or bool(ends) or bool(letters)),
            "bias, weigh, chain, most, ends and letters belong to units in rows: grids have no wires, names or dots",
        ),
    )
    units = Units(stack, highlight, direction, letters, labels or {}, x, compare, style)
    if unit is None:
        units.check_labels()
    shared = stack.shared(share) if share else {}
    if stack.has_grids:
        drawing = in_grids(units, letters_in_windows(units, shared), stack.blocks() if blocks else {}, rows)
        drawing.caption(title)
    else:
        page = Page(style.orientation or "up", ends, most, unit is not None, bias, weigh, title, rows)
        drawing = in_rows(units, page, shared, share is not True)
    drawing.style = style
    return drawing.figure(title or f"connectivity of {' to '.join(str(n) for n in stack.sizes)} units")


def _refuse(*faults: tuple[bool, str]) -> None:
    """ValueError for the first of the faults that is there."""
    for found, said in faults:
        if found:
            raise ValueError(said)
