"""A recipe as a program: NumPy text, one assignment a line, that runs without the engine.

What you can do here: `program` prints recipes, forward and backward alike; `compiled` makes one of a function at its
first call, and runs it from then on.

The chapters: `values` brings a recipe into its simplest form, `origins` tells which rule made what of it, `text` writes
it in NumPy, `definitions` prints what it calls, `programs` puts these together, `tracing` finds the recipe of a
function, and `outside` what it reads beside its arguments.
"""

from .programs import Program, program
from .tracing import CannotCompile, Compiled, compiled

__all__ = ["CannotCompile", "Compiled", "Program", "compiled", "program"]
