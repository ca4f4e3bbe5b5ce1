"""viz: pictures, each computed from the layer or the Tensor that it shows.

Read the chapters in this order: style, dot, render, export, tex, figure, drawing (how to draw); computation, slopes,
connections, connectivity, grids, arithmetic, images, architecture (what to draw); lecture, samples, gallery, check,
page, stepper, playground (for the lecture hall).
"""

from .architecture import architecture
from .arithmetic import convolution_arithmetic
from .computation import by_layer, computation_graph
from .connections import connections
from .connectivity import connectivity
from .drawing import Drawing, above, beside, table
from .figure import Figure
from .grids import animate, convolution_letters, convolution_steps
from .images import commuting_square, filters, halve, photograph, quarter_turn, translate
from .playground import playground
from .render import RenderError, render
from .stepper import stepper
from .style import Style

__all__ = [
    "architecture",
    "convolution_arithmetic",
    "by_layer",
    "computation_graph",
    "connections",
    "connectivity",
    "Drawing",
    "above",
    "beside",
    "table",
    "Figure",
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
    "Style",
]
