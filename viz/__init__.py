"""viz: pictures, each computed from the layer or the Tensor that it shows.

Read the rooms in this order: drawing (how to draw), subjects (what to draw), pages (what to open in a browser), book
(the course and the source as a site); each says in which order to read its files.
"""

from .book import BookError, book
from .drawing.figure import Figure
from .drawing.render import RenderError, render
from .drawing.sheet import Drawing, Pinned, above, beside, table
from .drawing.style import MEANINGS, Style
from .pages.explorer import explorer
from .pages.playground import playground
from .pages.stepper import stepper
from .subjects.architecture import architecture
from .subjects.arithmetic import convolution_arithmetic
from .subjects.computation import by_layer, computation_graph
from .subjects.connections import connections
from .subjects.connectivity import connectivity
from .subjects.grids import Moving, animate, convolution_letters, convolution_steps
from .subjects.images import commuting_square, filters, halve, photograph, quarter_turn, translate

__all__ = [
    "BookError", "Drawing", "Figure", "MEANINGS", "Moving", "Pinned", "RenderError", "Style", "above", "animate",
    "architecture", "beside", "book", "by_layer", "commuting_square", "computation_graph", "connections",
    "connectivity", "convolution_arithmetic", "convolution_letters", "convolution_steps", "explorer", "filters",
    "halve", "photograph", "playground", "quarter_turn", "render", "stepper", "table", "translate",
]  # fmt: skip
