"""viz: pictures, each computed from the layer or the Tensor that it shows.

Read the rooms in this order: drawing (how to draw), subjects (what to draw), pages (what to open in a browser); each
says in which order to read its files.
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
    "architecture",
    "book",
    "BookError",
    "convolution_arithmetic",
    "by_layer",
    "computation_graph",
    "connections",
    "connectivity",
    "Drawing",
    "Pinned",
    "above",
    "beside",
    "table",
    "explorer",
    "Figure",
    "Moving",
    "animate",
    "convolution_letters",
    "convolution_steps",
    "commuting_square",
    "filters",
    "halve",
    "quarter_turn",
    "translate",
    "photograph",
    "playground",
    "RenderError",
    "render",
    "stepper",
    "MEANINGS",
    "Style",
]
