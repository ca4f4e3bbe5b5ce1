"""Values as lines of NumPy.

What you can do here: write Values as the body of a function, with `Writer`.

An operator whose definition is one expression of NumPy is written into the line, with its inputs and settings put in:
of `return x.sum(axis=axis, keepdims=keepdims)` becomes `x.sum(axis=0)`.  Any other operator is called by its name.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from textwrap import fill
from types import MappingProxyType
from typing import Any

import numpy as np

from ..checks import FLOATS
from ..conv import _conv, _conv_transpose, _conv_weight
from ..fast.memory import batch_first, batch_last
from ..ops.contract import _matmul
from ..ops.elementwise import _where, add, multiply, subtract
from ..ops.shape import _transpose
from ..tensor import Primitive
from ..windows import Windows
from .definitions import FIELDS, Definitions, Expression, expression_of, free_name
from .values import BROADCASTING, MASKS, Value, is_fresh, may_be_view, may_repeat, ours

LARGE = 1 << 18  # bytes from which on memory is given back as soon as nobody needs it any more,
LARGE_IN_A_RUN = 1 << 14  # and what runs does so earlier: the processor's cache is small
IMAGES = {_conv: (0,), _conv_transpose: (0,), _conv_weight: (0, 1)}  # the inputs that convolution wants batch-last


class Writer:
    """Writes lines, and keeps what they need beside them: functions, settings that are no numbers, generators.

    Where `quick`, an operator that has a quicker function is called, and each image is put into batch-last order once.
    """

    def __init__(
        self, lines: Sequence[Value], outputs: Sequence[Value], names: Mapping[Value, str], quick: bool
    ) -> None:
        self.lines, self.outputs, self.names, self.quick = lines, outputs, names, quick
        self.definitions = Definitions({"np", "program", "Windows", *dir(builtins), *names.values()}, {*names.values()})
        self.constants: dict[str, Any] = {}  # what the lines call by name
        self.batch_last: dict[Value, str] = {}  # the images that have been put into this order, by their other name
        self.functions: dict[str, Callable[..., Any]] = {}
        self._constant_names: dict[Any, str] = {}
        self._formats: dict[Any, str] = {}
        self.bare = bare_masks(lines, outputs)
        self.within = {x for x in lines if x.primitive is not None and x not in names}
        self.readers = {x: line for line in lines for x in line.reads}

    def body(self, sections: Mapping[Value, str] = MappingProxyType({})) -> list[str]:
        """The lines of the function, with a heading before each section, and at the end what it returns."""
        written: list[str] = []
        section = ""
        last = {x: line for line in self.lines for x in self._reads(line)}
        leaving: dict[Value, list[Value]] = {}
        outputs = set(self.outputs)
        for x, line in last.items():
            size = math.prod(x.shape) * x.dtype.itemsize
            if x.primitive is not None and x not in outputs and size >= (LARGE_IN_A_RUN if self.quick else LARGE):
                leaving.setdefault(line, []).append(x)
        images = self._images() if self.quick else {}
        for line in self.lines:
            for image in images.get(line, ()):
                name = self.batch_last[image] = free_name(f"{self.names[image]}_batch_last", self.definitions.taken)
                self.functions |= {"batch_first": batch_first, "batch_last": batch_last}
                written.append(f"{name} = batch_first(batch_last({self.names[image]}))")
            if line.primitive is not None and line not in self.within:
                if section != sections.get(line, ""):
                    section = sections[line]
                    written += [*[""][: len(written)], f"# {section}"]
                comment = "" if self.quick else self._comment(line)
                written.append(f"{self.names[line]} = {self.expression(line)}{comment}")
            if line in leaving:
                names = [name for x in leaving[line] for name in (self.names[x], self.batch_last.get(x)) if name]
                written.append(f"del {', '.join(names)}")
        return [*written, wrapped("return ", self._returned(), "")]

    def _comment(self, line: Value) -> str:
        """Its shape, and which rule has made it, if one has."""
        facts = [str(line.shape)] if line.shape else []
        if line.origin is not None:
            primitive, i, at, _ = line.origin
            is_there = at.primitive is primitive  # `x ** 1` is x, and the rule of power has no line
            while at in self.within:
                at = self.readers[at]
            where = self.names.get(at)
            if primitive is None:
                facts.append("sum of what comes back" + f" to {where}" * (where is not None))
            else:
                facts.append(f"rule {i} of {primitive.name}" + f" in {where}" * (where is not None and is_there))
        return f"  # {', '.join(facts)}" if facts else ""

    def _reads(self, line: Value) -> Iterator[Value]:
        """What a line reads, also through what is written into it."""
        if line not in self.within:
            todo = list(line.reads)
            while todo:
                x = todo.pop()
                if x in self.within:
                    todo += x.reads
                else:
                    yield x

    def _images(self) -> dict[Value, list[Value]]:
        """Before which line which Values are put into the order of memory that several convolutions want."""
        wanted: dict[Value, list[Value]] = {}
        for line in self.lines:
            if line.primitive in IMAGES and line.primitive.function is not line.primitive.definition:
                for i in IMAGES[line.primitive]:
                    if len(line.inputs[i].shape) == 4 and line.inputs[i].constant is None:
                        wanted.setdefault(line.inputs[i], []).append(line)
        before: dict[Value, list[Value]] = {}
        for image, lines in wanted.items():
            if len(lines) > 1:
                before.setdefault(lines[0], []).append(image)
        return before

    def _returned(self) -> list[str]:
        """What is returned; what may lie in the memory of anything else is copied."""
        texts, given = [], set()
        for output in self.outputs:
            root, repeats = output, False
            while may_be_view(root):
                repeats |= may_repeat(root)
                root = root.inputs[0] if root.inputs else root
                if not root.inputs:
                    break
            text = self.operand(output)
            written_out = output.is_uniform and (not output.shape or not self.quick)
            if root in given or repeats or not (is_fresh(root) or written_out):
                text = f"np.array({text})"
            given.add(root)
            texts.append(text)
        return texts

    # -- one line ------------------------------------------------------------------------------------------------------

    def expression(self, line: Value) -> str:
        """What a Value is made of, as text."""
        primitive = line.primitive
        assert primitive is not None
        if self.quick and primitive.function is not primitive.definition:
            return self._cast(line, self._call(primitive, primitive.function, line))
        form = expression_of(primitive.definition)
        if form is None or (line.params.keys() != set(form.settings)):
            return self._cast(line, self._call(primitive, primitive.definition, line))
        plain = all(x.constant is None and x not in self.within for x in line.inputs) and not line.params
        key = (primitive, line.cast, *[(x.dtype, x.shape) for x in line.inputs])
        if plain and line not in self.bare and not form.every:  # the same text for all of them
            if key not in self._formats:
                stand_ins = [ast.Name(f"\0{i}\0") for i in range(len(line.inputs))]
                self._formats[key] = self._cast(line, self._written(form, line, stand_ins))
            return re.sub("\0(.*?)\0", lambda i: self.names[line.inputs[int(i[1])]], self._formats[key])
        written = self._written(form, line, [self._operand(line, i) for i in range(len(line.inputs))])
        return self._cast(line, written)

    def operand(self, x: Value) -> str:
        """How a line names a Value."""
        return ast.unparse(self._operand_node(x))

    def _operand(self, line: Value, i: int) -> ast.expr:
        x = line.inputs[i]
        if line.primitive not in BROADCASTING:
            return self._operand_node(x)
        others = line.inputs[1:] if line.primitive is _where else line.inputs
        common = np.result_type(*[y.dtype for y in others])
        brings = x.dtype == common and any(y.constant is None and y.dtype == common for y in others)
        return self._operand_node(x, bare=brings)

    def _operand_node(self, x: Value, bare: bool = False) -> ast.expr:
        """A Value in an expression; a constant is a bare number where other inputs bring the dtype of the result."""
        if x in self.within:
            return ast.Name(self.expression(x))  # a comparison among arguments, or a transpose: no parentheses
        if x.constant is None:
            return ast.Name(self.names[x])
        if not x.is_uniform:
            return ast.Name(self._constant_name("constant", np.asarray(x.constant)))
        if x.shape:
            if self.quick:
                return ast.Name(self._constant_name("constant", np.broadcast_to(x.constant, x.shape)))
            return _parse(f"np.full({x.shape}, {_number(x.constant)}, {_dtype(x.dtype)})")
        if bare:
            return _parse(_number(x.constant))
        if self.quick:
            return ast.Name(self._constant_name("number", x.constant))
        return _parse(f"{_dtype(x.dtype)}({_number(x.constant)})")

    def _call(self, primitive: Primitive, function: Callable[..., Any], line: Value) -> str:
        """The operator called by name."""
        name = self._function_name(primitive, function)
        inputs = [self.operand(x) for x in line.inputs]
        for i in IMAGES.get(primitive, ()):
            inputs[i] = self.batch_last.get(line.inputs[i], inputs[i])
        usual = {} if self.quick else primitive.defaults
        settings = [
            f"{key}={ast.unparse(self.setting(value, exact=not ours(primitive)))}"
            for key, value in line.params.items()
            if key not in usual or usual[key] is not value
        ]
        return f"{name}({', '.join([*inputs, *settings])})"

    def _function_name(self, primitive: Primitive, function: Callable[..., Any]) -> str:
        if function not in self._constant_names:
            if self.quick:
                name = free_name(
                    primitive.name if primitive.name.isidentifier() else "operator", self.definitions.taken
                )
            else:
                name = self.definitions.name_of(primitive.definition)
            self._constant_names[function] = name
            self.functions[name] = function
        return self._constant_names[function]

    def _cast(self, line: Value, text: str) -> str:
        """The text, turned into the dtype that the Tensor has, where the function leaves that to the engine."""
        return f"np.asarray({text}, {_dtype(line.dtype)})" if line.cast and line not in self.bare else text

    def _written(self, form: Expression, line: Value, inputs: Sequence[ast.expr]) -> str:
        tree = _PutIn(self, form, line, inputs).visit(_parse(form.text))
        if line in self.bare and isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
            tree = tree.func.value if tree.func.attr == "astype" else tree
        return ast.unparse(_tidy(tree, line))

    def setting(self, value: Any, subscript: bool = False, exact: bool = False) -> ast.expr:
        """A setting as an expression; within an index, slices have a notation of their own.

        Where exact, as for operators from elsewhere, a number keeps its kind: 2.0 is no 2.
        """
        if isinstance(value, Value):
            return ast.Name(self.names[value])
        if isinstance(value, slice):
            parts = [value.start, value.stop, value.step]
            if subscript:
                nodes = [None if part is None else _parse(repr(part)) for part in parts]
                return ast.Slice(*nodes)
            return _parse(f"slice({', '.join(map(repr, parts if value.step is not None else parts[:2]))})")
        if value is Ellipsis:
            return ast.Constant(...)
        if type(value) is tuple:
            return ast.Tuple([self.setting(part, subscript, exact) for part in value])
        if isinstance(value, np.dtype) and value in FLOATS:
            return _parse(_dtype(value))
        if exact and isinstance(value, np.floating):
            return _parse(f"np.{value.dtype.name}({_number(value)})")
        if type(value) is float or isinstance(value, np.floating):
            return _parse(repr(value) if exact and math.isfinite(value) else _number(value))
        if value is None or type(value) in (bool, int, str):
            return ast.Constant(value)
        if isinstance(value, np.ndarray) and value.dtype == np.intp and np.array_equal(value, np.arange(value.size)):
            return _parse(f"np.arange({value.size})")
        kinds = {Windows: "windows", np.random.Generator: "rng", np.ndarray: "constant"}
        return ast.Name(self._constant_name(kinds.get(type(value), "setting"), value))

    def _constant_name(self, kind: str, value: Any) -> str:
        """The name under which something stands above the function, the same for the same."""
        if isinstance(value, Windows):
            key: Any = value
        elif isinstance(value, np.ndarray | np.generic):
            key = (value.dtype, value.shape, value.tobytes())
        else:
            key = (kind, id(value))
        if key not in self._constant_names:
            self._constant_names[key] = name = free_name(kind, self.definitions.taken)
            self.constants[name] = value
        return self._constant_names[key]

    # -- all of it -----------------------------------------------------------------------------------------------------

    def above(self) -> str:
        """What the lines need, as text: imports, functions, constants."""
        lines = []
        for name, value in self.constants.items():
            if isinstance(value, Windows):
                fields = ", ".join([f"{f}={getattr(value, f)}" for f in FIELDS])
                lines.append(f"{name} = Windows({fields})  # {value}")
            elif isinstance(value, np.random.Generator):
                lines.append(f"{name} = np.random.default_rng()")
            elif isinstance(value, np.ndarray | np.generic):
                lines.append(f"{name} = {_array(value)}")
            else:
                raise ValueError(f"the setting {value!r} cannot be printed")
        with_windows = any(isinstance(value, Windows) for value in self.constants.values())
        classes = [self.definitions.windows()] if with_windows else []
        imports = sorted(self.definitions.imports)
        head = "\n".join([*imports, "", "import numpy as np"]) if imports else "import numpy as np"
        return "\n\n\n".join(filter(None, [head, *classes, *self.definitions.printed, "\n".join(lines)]))


def wrapped(before: str, words: Sequence[str], after: str) -> str:
    """Words with commas between, in parentheses over several lines where they are long.

    >>> wrapped("return ", ["x", "y"], "")
    'return x, y'
    """
    text = f"{before}{', '.join(words)}{after}"
    if len(text) <= 110:
        return text
    inner = fill(", ".join(words) + ",", 110, initial_indent=" " * 8, subsequent_indent=" " * 8, break_long_words=False)
    return f"{before.rstrip('(')}(\n{inner}\n    ){after.lstrip(')')}"


def bare_masks(lines: Sequence[Value], outputs: Sequence[Value]) -> set[Value]:
    """The comparisons that only choose: true and false will do."""
    chosen = {x for line in lines if line.primitive is _where for x in line.inputs[:1]}
    other = {x for line in lines for x in (line.reads[1:] if line.primitive is _where else line.reads)}
    return {x for x in chosen - other - {*outputs} if x.primitive in MASKS}


def written_within(
    lines: Sequence[Value], outputs: Sequence[Value], named: Set[Value], later: Set[Value]
) -> set[Value]:
    """What is written into the one line that reads it, and needs no name: comparisons that choose, transposes.

    So are two products: that of `x @ w + b`, and later, in what is made of gradients, that of `w - rate * d_w`.
    """
    masks = bare_masks(lines, outputs)

    def is_product(x: Value) -> bool:
        return (x.primitive is _matmul and x.origin is None) or (x.primitive is multiply and x in later)

    def may_be(x: Value) -> bool:
        return x in masks or (x.primitive is _transpose and x.params["axes"] == (1, 0)) or is_product(x)

    readers: dict[Value, list[Value]] = {x: [] for x in lines if may_be(x) and x not in named and x not in outputs}
    for line in lines if readers else ():
        for x in line.reads:
            if x in readers:
                readers[x].append(line)
    return {
        x for x, of in readers.items() if len(of) == 1 and (not is_product(x) or of[0].primitive in (add, subtract))
    }


class _PutIn(ast.NodeTransformer):
    """Puts inputs and settings into an expression, and works out what is known of them."""

    def __init__(self, writer: Writer, form: Expression, line: Value, inputs: Sequence[ast.expr]) -> None:
        self.writer, self.every, self.several = writer, form.every, inputs[len(form.inputs) :]
        self.inputs = dict(zip(form.inputs, inputs, strict=False))
        self.facts = dict(zip(form.inputs, line.inputs, strict=False))
        self.settings = {name: line.params[name] for name in form.settings}
        self.exact = line.primitive is None or not ours(line.primitive)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.inputs:
            return self.inputs[node.id]
        if node.id in self.settings:
            return self.writer.setting(self.settings[node.id], exact=self.exact)
        return ast.Tuple(list(self.several)) if node.id == self.every else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.facts:
            fact = self.facts[node.value.id]
            known = {
                "dtype": f"np.dtype({_dtype(fact.dtype)})",
                "shape": repr(fact.shape),
                "ndim": repr(len(fact.shape)),
            }
            if node.attr in known:
                return _parse(known[node.attr])
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        names = [a.id if isinstance(a, ast.Name) else "" for a in node.args]
        called = ast.unparse(node.func)
        if called == "np.result_type" and {*names} <= self.facts.keys():
            return _parse(_dtype(np.result_type(*[self.facts[name].dtype for name in names])))
        if called == "len" and names == [self.every]:
            return ast.Constant(len(self.several))
        args: list[ast.expr] = []
        for a in node.args:
            is_every = isinstance(a, ast.Starred) and isinstance(a.value, ast.Name) and a.value.id == self.every
            args += self.several if is_every else [self._type_of(a)]
        node.args = args
        for keyword in node.keywords:
            keyword.value = self._type_of(keyword.value)
        self.generic_visit(node)
        return node

    def _type_of(self, node: ast.expr) -> ast.expr:
        """For `x.dtype`, handed to a function, the type itself."""
        of = node.value if isinstance(node, ast.Attribute) and node.attr == "dtype" else None
        return _parse(_dtype(self.facts[of.id].dtype)) if isinstance(of, ast.Name) and of.id in self.facts else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value = self.visit(node.value)
        if isinstance(node.slice, ast.Name) and node.slice.id in self.settings:
            key = self.writer.setting(self.settings[node.slice.id], subscript=True, exact=self.exact)
            node.slice = key.elts[0] if isinstance(key, ast.Tuple) and len(key.elts) == 1 else key
        else:
            node.slice = self.visit(node.slice)
        return node


def _tidy(tree: ast.expr, line: Value) -> ast.expr:
    """The expression without what is so by itself."""
    axes = len(line.inputs[0].shape) if line.inputs else 0
    usual = {("keepdims", "False"), ("optimize", "1 > 2"), ("optimize", "2 > 2")}
    if axes and not line.params.get("keepdims"):
        usual.add(("axis", repr(tuple(range(axes)))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [k for k in node.keywords if (k.arg, ast.unparse(k.value)) not in usual]
            for k in node.keywords:
                if k.arg == "axis" and isinstance(k.value, ast.Tuple) and len(k.value.elts) == 1:
                    [k.value] = k.value.elts
                if k.arg == "optimize":
                    k.value = ast.Constant(True)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        inner, name = tree.func.value, tree.func.attr
        if name == "astype" and isinstance(inner, ast.Call) and len(tree.args) == 1:
            dtype = ast.unparse(tree.args[0])
            if any(k.arg == "dtype" and ast.unparse(k.value) == dtype for k in inner.keywords):
                inner.keywords = [k for k in inner.keywords if k.arg != "dtype"]
                return inner
        if name == "transpose" and ast.unparse(tree.args[0]) == repr(tuple(range(axes))[::-1]):
            return ast.Attribute(inner, "T")
    return tree


def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _dtype(dtype: np.dtype[Any]) -> str:
    return f"np.{dtype.name}"


def _number(x: Any) -> str:
    """A number as Python writes it, a whole one without a point.

    >>> [_number(np.float32(x)) for x in (2, 0.1, -0.0, np.inf, np.nan)]
    ['2', '0.1', '-0.0', 'np.inf', 'np.nan']
    """
    if not math.isfinite(x):
        return "np.nan" if math.isnan(x) else "np.inf" if x > 0 else "-np.inf"
    if x == int(x) and abs(x) < 1e6 and not (x == 0 and math.copysign(1, x) < 0):
        return str(int(x))
    return str(x)


def _array(value: Any) -> str:
    """An array, written out."""
    array = np.asarray(value)
    if array.dtype.kind in "iub":
        shaped = "" if array.size or array.ndim == 1 else f".reshape({array.shape})"
        return f"np.array({array.tolist()}, np.{array.dtype.name}){shaped}"
    numbers = [_number(x) for x in array.ravel()]
    rows = fill(", ".join(numbers), 110, initial_indent=" " * 4, subsequent_indent=" " * 4, break_on_hyphens=False)
    listed = f"[\n{rows},\n]" if len(rows) > 60 else f"[{', '.join(numbers)}]"
    shaped = f".reshape({array.shape})" if array.ndim != 1 else ""
    return f"np.array({listed}, {_dtype(array.dtype)}){shaped}"
