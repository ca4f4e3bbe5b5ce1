"""The program of a recipe.

What you can do here: `program` makes a `Program`: a text, and a function that runs without the engine.
"""

from __future__ import annotations

import keyword
import linecache
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from types import FunctionType
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from ..conv import _conv, _conv_transpose
from ..fast.cores import LONG, all_cores
from ..tensor import Array, Tensor
from .definitions import free_name
from .origins import differentiated, made_of_gradients, sections
from .text import Writer, wrapped, written_within
from .values import Value, Values, needed

INDENT = "\n    "
PIECE = 10_000  # lines that are compiled as one function
WORD = re.compile(r"[^\W\d]\w*")


class Program:
    """Outputs as a function of inputs, one assignment after the other; made by `program`.

    `source` is a module that needs NumPy alone: it defines `program(...)`, and above it what that calls, as the
    chapters of minitensor define it.  `str` is its body.  Called with arrays, in the order of the inputs or by name, it
    returns the outputs in their order: an array, or a tuple if there are several.  What runs is this text, with quicker
    functions of the same value where the engine has them (`fast/`).  `inputs` and `outputs` are the names that were
    given, and `parameters` what the inputs are called in the text.
    """

    def __init__(
        self,
        lines: Sequence[Value],
        outputs: Mapping[str, Value],
        inputs: Mapping[str, Value],
        names: Mapping[Value, str],
        sections: Mapping[Value, str],
    ) -> None:
        self.outputs, self.inputs = tuple(outputs), tuple(inputs)
        self._outputs, self._inputs = list(outputs.values()), list(inputs.values())
        self._lines, self._names, self._sections = lines, names, sections
        self.parameters = [names[x] for x in self._inputs]

    @cached_property
    def _text(self) -> tuple[Writer, list[str]]:
        writer = Writer(self._lines, self._outputs, self._names, quick=False)
        return writer, writer.body(self._sections)

    @property
    def source(self) -> str:
        """A module that defines `program`; ValueError for what cannot be printed, as an operator that is a lambda."""
        writer, body = self._text
        return f"{writer.above()}\n\n\n{self._defined(body)}\n"

    def __str__(self) -> str:
        return self._defined(self._text[1])

    def _defined(self, body: list[str]) -> str:
        head = wrapped("def program(", self.parameters, "):").replace("\n    )", "\n)")
        return INDENT.join([head, *aligned(body)]).replace(f"{INDENT}\n", "\n\n")

    @cached_property
    def run(self) -> Callable[..., Any]:
        """The function that runs: it takes arrays as they are, unchecked, and numbers as NumPy's scalars.

        Long convolutions share the cores themselves; where there are none, products are left to BLAS and its threads.
        """
        writer = Writer(self._lines, self._outputs, self._names, quick=True)
        lines = writer.body()
        space = {"np": np, **writer.functions, **writer.constants}
        if len(lines) <= PIECE:
            run = self._executed(f"({', '.join(self.parameters)})", lines, space)
        else:
            pieces = [self._executed("()", piece, space).__code__ for piece in in_pieces(lines)]

            def run(*arrays: Any) -> Any:
                local = space | dict(zip(self.parameters, arrays, strict=True))
                for piece in pieces:
                    result = FunctionType(piece, local)()
                return result

        return all_cores()(run) if any(map(is_long_convolution, self._lines)) else run

    def _executed(self, parameters: str, lines: Sequence[str], space: dict[str, Any]) -> Any:
        """A function of these lines; an error in it shows the line."""
        text = INDENT.join([f"def program{parameters}:", *lines])
        file = f"<program {id(self)}, {lines[0]}>"
        defined: dict[str, Any] = {}
        exec(compile(text, file, "exec"), space, defined)
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        return defined["program"]

    def __call__(self, *arrays: npt.ArrayLike, **named: npt.ArrayLike) -> Any:
        given = dict(zip(self.parameters, arrays, strict=False)) | named
        if len(arrays) + len(named) != len(self._inputs) or given.keys() != set(self.parameters):
            asked = ", ".join(self.parameters)
            raise TypeError(f"the program takes {asked}; got {len(arrays)} arrays{''.join(f', {n}' for n in named)}")
        values = [fitting(name, given[name], x) for name, x in zip(self.parameters, self._inputs, strict=True)]
        results = self.run(*values)
        return tuple(map(np.asarray, results)) if type(results) is tuple else np.asarray(results)


def program(outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Program:
    """The recipes of outputs as a program of inputs, both by name: NumPy as a student would write it by hand.

    What the outputs are made of beside the inputs is a constant of the program.  Values have the names of the inputs,
    of the outputs, of Tensors, d_ and a name for the gradient of a scalar output by something, else t1, t2, ...; what
    is no name in Python is made one, as C1_weight of "C1.weight".  Behind a line stands its shape and, in such a
    gradient, which rule made it: that of the operator for its input 0, 1, ...  A long text has headings.
    Raises TypeError for anything but Tensors, ValueError for an input that is named twice.

    >>> from minitensor import gradients
    >>> x, w = Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])
    >>> loss = ((x @ w).tanh() ** 2).sum()
    >>> gradient = program({"loss": loss, "d_w": gradients(loss, [w])[0]}, {"x": x, "w": w})
    >>> print(gradient)
    def program(x, w):
        t1 = x @ w        # (1, 1)
        t2 = np.tanh(t1)  # (1, 1)
        t3 = t2 ** 2      # (1, 1)
        loss = t3.sum()
        d_t2 = 2 * t2     # (1, 1), rule 0 of power in t3
        t4 = t2 * t2      # (1, 1), rule 0 of tanh in t2
        t5 = 1 - t4       # (1, 1), rule 0 of tanh in t2
        d_t1 = d_t2 * t5  # (1, 1), rule 0 of tanh in t2
        d_w = x.T @ d_t1  # (2, 1), rule 1 of matmul in t1
        return loss, d_w
    >>> [loss, slope] = gradient(x.data, w.data)
    >>> bool(loss == np.tanh(11) ** 2)
    True
    """
    for kind, tensors in (("outputs", outputs), ("inputs", inputs)):
        if not isinstance(tensors, Mapping) or not all(isinstance(name, str) for name in tensors):
            raise TypeError(f"{kind} are Tensors by name, as {{'x': x}}, got {type(tensors).__name__}")
        for name, t in tensors.items():
            if not isinstance(t, Tensor):
                raise TypeError(f"{name} must be a Tensor, got {type(t).__name__}")
    if len(set(inputs.values())) != len(inputs):
        raise ValueError(f"each input is one Tensor and has one name, got {list(inputs)}")
    if not outputs:
        raise ValueError("a program has at least one output")
    return program_of(outputs, inputs, {})


def program_of(
    outputs: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor | Array],
    labels: Mapping[int, str],
    said: Collection[str] | None = None,
) -> Program:
    """As `program`; inputs may be arrays of whole numbers too, and labels says, by id, which settings are these.

    An output whose name nobody has said gives way to the name of a gradient.
    """
    known = {name: Value(np.shape(x), np.asarray(x).dtype) for name, x in inputs.items()}
    tensors = {x: known[name] for name, x in inputs.items() if isinstance(x, Tensor)}
    values = Values(tensors, {array: known[name] for array, name in labels.items()})
    gradients = differentiated(outputs, tensors.keys(), values)
    results = dict(zip(outputs, values.of(outputs.values()), strict=True))
    losses = {name: results[name] for name in outputs if name in {output for output, _ in gradients.values()}}
    tensor_names = {x: t.name for t, x in reversed(values.known.items()) if t.name is not None}
    layers = {x for x in tensor_names if x.primitive is not None}
    lines = needed(results.values())
    forward = set(needed(losses.values()))
    later = made_of_gradients(lines, forward)
    within = written_within(lines, list(results.values()), layers, later)

    taken: set[str] = set()
    names = {known[name]: free_name(as_identifier(name), taken) for name in inputs}
    wanted = tensor_names | {x: name for name, x in reversed(results.items()) if x not in names}
    said = outputs if said is None else said
    for x, said_name in wanted.items():  # first the outputs, so that no other value takes their names
        if said_name in said and results.get(said_name) is x and x.primitive is not None:
            names[x] = free_name(as_identifier(said_name), taken)
    number = 0
    for x in lines:
        if x in names or x in within or x.primitive is None:
            continue
        name: str | None = wanted.get(x)
        output, of = gradients.get(x, ("", None))
        if of in names and (name is None or (name in results and name not in said)):
            loss = f"_{as_identifier(output)}_d" if len(losses) > 1 and of in known.values() else ""
            name = f"d{loss}_{names[of]}"
        elif name is None:
            name = f"t{(number := number + 1)}"
        names[x] = free_name(name if of is None and x not in wanted else as_identifier(name), taken)
    return Program(lines, results, known, names, sections(names, losses, forward, layers, later))


def in_pieces(lines: Sequence[str]) -> list[list[str]]:
    """The lines in bodies of functions that hand on, as globals, what others need.

    Python needs 2 kB a line to compile one function, and twice the time: for a million lines, 2 GB.
    """
    pieces, later = [], set[str]()
    for begin in reversed(range(0, len(lines), PIECE)):
        piece = list(lines[begin : begin + PIECE])
        made = {line.partition(" = ")[0] for line in piece if not line.startswith("del ")}
        gone = {name for line in piece if line.startswith("del ") for name in line[4:].split(", ")}
        shared = (made & later) | (gone - made)
        pieces.append([f"global {', '.join(sorted(shared))}"] * bool(shared) + piece)
        later |= {word for line in piece for word in WORD.findall(line)}
    return pieces[::-1]


def is_long_convolution(x: Value) -> bool:
    """Whether it takes so long that to change who uses the cores, before and after, does not matter."""
    if x.primitive not in (_conv, _conv_transpose):
        return False
    image, weight = x.inputs[:2]
    return math.prod(x.shape if x.primitive is _conv else image.shape) * math.prod(weight.shape[1:]) >= LONG // 4


def aligned(lines: list[str]) -> list[str]:
    """The lines with their comments under each other."""
    width = min(max([len(line.partition("  # ")[0]) for line in lines if "  # " in line], default=0), 60)
    return [f"{a:{width}}{mark}{b}" if mark else a for a, mark, b in (line.partition("  # ") for line in lines)]


def as_identifier(name: str) -> str:
    """A name that Python can read.

    >>> as_identifier("C1.weight"), as_identifier("2nd"), as_identifier("lambda"), as_identifier("x₁")
    ('C1_weight', '_2nd', 'lambda_', 'x1')
    """
    normal = normalize("NFKC", name)  # as Python reads it
    word = "".join([c if f"_{c}".isidentifier() else "_" for c in normal])
    word = word if word.isidentifier() else f"_{word}"
    return f"{word}_" if keyword.iskeyword(word) or word in ("np", "len", "slice", "__debug__") else word


def fitting(name: str, given: Any, wanted: Value) -> Any:
    """What was given for an input as an array like the one that the program was made of."""
    array = np.asarray(given)
    if wanted.dtype.kind == "f" and array.dtype.kind in "iub":
        array = array.astype(wanted.dtype)
    if array.shape != wanted.shape:
        raise ValueError(f"{name} has shape {array.shape}, and this program is for {wanted.shape}: make one for it")
    if array.dtype != wanted.dtype:
        raise TypeError(f"{name} has dtype {array.dtype}, and this program is for {wanted.dtype}: make one for it")
    return array if array.ndim else array[()]
