"""What each colour means, once, and how a figure looks: light, dark, in print, or your own.

What you can do here: give `style=` to a figure, or `.styled(...)` to any that there is: "light", "dark", "print" (greys
alone) or a `Style` of your own.

Every figure is described in the light colours of the table below.  Since each of them has one meaning, and each meaning
one of them, a style is no more than another column of the table, and can be put on a finished figure.

Light: mostly hues of Okabe and Ito's palette, as tints for fills and darker for lines and letters; weights 8 and 9 are
wine and indigo of Paul Tol's muted palette.  Both are made for colour-blind eyes, and a weight has a letter as well.
Letters stand on the paper with a contrast of at least 4.5 in every style (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from minitensor.checks import real

MEANINGS: dict[str, tuple[str, str, str]] = {  # light, dark, print
    "paper": ("#FFFFFF", "#14171C", "#FFFFFF"),
    "words": ("#000000", "#F4F6F8", "#000000"),
    "unit": ("#222222", "#DDE2E8", "#222222"),  # its outline
    "cell": ("#444444", "#AEB6C1", "#444444"),  # the outline of a cell, of a picture
    "note": ("#555555", "#B9C1CC", "#555555"),  # words that say less
    "wire": ("#8A8F98", "#7E8896", "#8F8F8F"),
    "arrow": ("#464646", "#B0B8C3", "#464646"),  # from one picture to the next
    "padding": ("#F4F5F7", "#23272E", "#F5F5F5"),
    "padding, words": ("#666666", "#A7AFBA", "#666666"),
    "followed": ("#E69F00", "#8A5A00", "#A6A6A6"),  # the unit that is asked about
    "field": ("#CFE8F7", "#153F5C", "#DEDEDE"),  # what it sees, or reaches
    "field, line": ("#0072B2", "#56B4E9", "#1B1B1B"),  # and the wires on the way
    "changed": ("#F6DCEA", "#54253F", "#F0F0F0"),  # a value that differs from the other input's
    "changed, line": ("#A8326F", "#E58BB8", "#2B2B2B"),
    "marked": ("#111111", "#FFFFFF", "#111111"),  # wires that are spoken of: of one weight, or where a change passes
    "parameter": ("#FBE3B5", "#574312", "#EDEDED"),  # a kernel, a weight
    "parameter, line": ("#B87B00", "#E9B949", "#4A4A4A"),
    "output": ("#BFE5DA", "#114A3E", "#D2D2D2"),
    "output, line": ("#00805D", "#3CCBA2", "#333333"),
    "above 0": ("#006BA6", "#5CB8E6", "#1C1C1C"),  # a weight
    "below 0": ("#B5341D", "#FF8A70", "#6E6E6E"),
    "gradient": ("#C24E00", "#FF8B4A", "#3B3B3B"),
    "operator": ("#E9EDF2", "#2A313B", "#F8F8F8"),
    "operator, line": ("#56657A", "#95A5B8", "#5C5C5C"),
    "activation": ("#E8E3F4", "#362D55", "#E4E4E4"),  # an operator that treats each element by itself
    "activation, line": ("#5B45A0", "#B5A5F2", "#454545"),
    # The weights in turn, always with their letter.
    "weight 1": ("#0B6BA8", "#6CBDF0", "#121212"),
    "weight 2": ("#BD4B00", "#FF9457", "#131313"),
    "weight 3": ("#007A58", "#45D0A8", "#141414"),
    "weight 4": ("#A63C78", "#EC97C3", "#151515"),
    "weight 5": ("#8A6200", "#EFBD4D", "#161616"),
    "weight 6": ("#26758F", "#7FD3EE", "#171717"),
    "weight 7": ("#020202", "#F7F8FA", "#181818"),
    "weight 8": ("#882255", "#E07FA8", "#191919"),
    "weight 9": ("#332288", "#A89CF0", "#1A1A1A"),
}
NAMES = ("light", "dark", "print")
LIGHT = {meaning: colors[0] for meaning, colors in MEANINGS.items()}
WEIGHT_COLORS = tuple(color for meaning, color in LIGHT.items() if meaning.startswith("weight"))
ORIENTATIONS = {"up": "BT", "down": "TB", "right": "LR", "left": "RL"}

COLOR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
FONT = re.compile(r"\w[\w -]*\Z")
# An attribute of DOT text as the package graphviz writes it, with its whole value: a quoted or an HTML-like string can
# hold anything, and must not be searched.
ATTRIBUTE = re.compile(r'(?<![\w"])(\w+)=("(?:[^"\\]|\\.)*"|<(?:[^<>]|<[^<>]*>)*>|[^\s\]"<]+)')
TAG = re.compile(r"<[A-Z][^<>]*>")
PART = re.compile(r'(BGCOLOR|COLOR|FACE)="([^"]*)"')


@dataclass(frozen=True)
class Style:
    """How a figure looks.

    base: "light", "dark" or "print".  colors: other colours (#RRGGBB) for some of the meanings in `viz.MEANINGS`:
    paper; words; unit; cell; note; wire; arrow; padding; padding, words; followed; field; field, line; changed;
    changed, line; marked; parameter; parameter, line; output; output, line; above 0; below 0; gradient; operator;
    operator, line; activation; activation, line; weight 1 to weight 9.
    font: of all words and numbers (a reader without it sees the usual one).  size: how large the whole figure is, 1.5
    for half as large again, its text with it.  line: how thick lines are, times the usual.
    transparent: no background.  orientation: where a graph of operators grows to ("up", "down", "right", "left").
    Raises ValueError or TypeError for what is none of these.

    >>> Style("dark", colors={"followed": "#AA0000"}).color("followed")
    '#AA0000'
    """

    base: str = "light"
    colors: Mapping[str, str] = field(default_factory=dict)
    font: str = ""
    size: float = 1.0
    line: float = 1.0
    transparent: bool = False
    orientation: str = ""

    def __post_init__(self) -> None:
        if self.base not in NAMES:
            raise ValueError(f"style (={self.base!r}) must be one of {', '.join(NAMES)}, or a Style")
        if not isinstance(self.colors, Mapping):
            raise TypeError(f"colors (={self.colors!r}) must be a mapping from meanings to colours")
        object.__setattr__(self, "colors", dict(self.colors))  # what the caller does with theirs later is not checked
        for meaning, color in self.colors.items():
            checked_color(color, f"the colour of {_known(meaning)}")
        if self.font != "" and not (isinstance(self.font, str) and FONT.match(self.font)):
            raise ValueError(f"font (={self.font!r}) must be a name, of letters, digits, spaces and hyphens")
        if not (0 < real("size", self.size) < 100 and 0 < real("line", self.line) < 100):
            raise ValueError(f"size (={self.size}) and line (={self.line}) must be above 0, and below 100")
        if self.orientation not in ("", *ORIENTATIONS):
            raise ValueError(f"orientation (={self.orientation!r}) must be one of {', '.join(ORIENTATIONS)}")

    @staticmethod
    def of(style: str | Style) -> Style:
        """The Style of this name, or the Style itself; TypeError for anything else."""
        if not isinstance(style, str | Style):
            raise TypeError(f"style must be one of {', '.join(NAMES)}, or a Style, got {type(style).__name__}")
        return Style(style) if isinstance(style, str) else style

    def color(self, meaning: str) -> str:
        """The colour with this meaning; ValueError for one that is not in `viz.MEANINGS`."""
        return self.colors.get(_known(meaning)) or MEANINGS[meaning][NAMES.index(self.base)]

    def words_on(self, *fills: str) -> str:
        """The meaning whose colour stands out from all of these (#RRGGBB): "words", or where that is more "paper".

        >>> Style().words_on("#E69F00"), Style().words_on("#7B2D8B")
        ('words', 'paper')
        """
        if not fills:
            raise ValueError("words stand on a colour: give at least one")
        colors = [checked_color(color) for color in fills]
        return max(("words", "paper"), key=lambda meaning: min(contrast(self.color(meaning), c) for c in colors))

    def dot(self, text: str) -> str:
        """DOT text in light colours, in this style; only attributes change, never a label's words."""
        if self == Style():
            return text
        table = {light: self.color(meaning) for meaning, light in LIGHT.items()}

        def attribute(found: re.Match[str]) -> str:
            name, value = found.groups()
            bare = value.strip('"')
            if name == "bgcolor" and self.transparent:
                return "bgcolor=transparent"
            if name in ("color", "fillcolor", "fontcolor", "bgcolor"):
                color = table.get(bare.upper(), bare)
                return f'{name}="{color}"{readable(name, color)}' if bare.startswith("#") else found[0]
            if name == "fontname" and self.font:
                return f'fontname="{self._font(bare)}"'
            if name == "penwidth":
                return f"penwidth={float(bare) * self.line:g}"
            if name == "rankdir" and self.orientation:
                return f"rankdir={ORIENTATIONS[self.orientation]}"
            if value.startswith("<"):
                value = TAG.sub(tag, value)
                return f"{name}={value}" + "".join(readable(*part) for part in PART.findall(value))
            return found[0]

        def readable(name: str, fill: str) -> str:
            """For words on a fill that they would not be seen on; a colour of their own comes later and counts."""
            dark_on_dark = name in ("fillcolor", "BGCOLOR") and COLOR.match(fill) and self.words_on(fill) == "paper"
            return f' fontcolor="{self.color("paper")}"' if dark_on_dark else ""

        def tag(found: re.Match[str]) -> str:
            return PART.sub(part, found[0])

        def part(found: re.Match[str]) -> str:
            name, value = found.groups()
            if name == "FACE":
                return f'FACE="{self._font(value) if self.font else value}"'
            return f'{name}="{table.get(value.upper(), value)}"'

        begin, rest = text.split("{", 1)
        words, line = self.color("words"), self.line
        usual = f'fontcolor="{words}" color="{words}" penwidth={line:g}'  # of what says nothing of its own
        prelude = f'\n\tgraph [fontcolor="{words}"]\n\tnode [{usual}]\n\tedge [{usual}]'
        return f"{begin}{{{prelude}{ATTRIBUTE.sub(attribute, rest)}"

    def _font(self, usual: str) -> str:
        ending = re.search(r"-(Bold|Oblique|Italic|BoldItalic|BoldOblique)\Z", usual)
        return self.font + (f" {ending[1]}" if ending else "")


def mixed(color: str, paper: str, part: float = 0.35) -> str:
    """A colour thinned with the paper's: so much of it.

    >>> mixed("#FF0000", "#FFFFFF", 0.2)
    '#FFCCCC'
    """
    both = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, paper))
    return "#" + "".join(f"{round(part * a + (1 - part) * b):02X}" for a, b in zip(*both, strict=True))


def contrast(one: str, two: str) -> float:
    """How far two colours are apart in brightness, from 1 to 21 (WCAG 2.2; text wants 4.5).

    >>> contrast("#FFFFFF", "#000000"), round(contrast("#E69F00", "#FFFFFF"), 2)
    (21.0, 2.25)
    """
    darker, lighter = sorted(map(_luminance, (one, two)))
    return (lighter + 0.05) / (darker + 0.05)


def checked_color(color: object, name: str = "a colour") -> str:
    """A colour as #RRGGBB; ValueError for anything else."""
    if not (isinstance(color, str) and COLOR.match(color)):
        raise ValueError(f"{name} (={color!r}) must be like '#0072B2'")
    return color


def _known(meaning: str) -> str:
    if meaning not in MEANINGS:
        raise ValueError(f"no colour means {meaning!r}: there are {', '.join(MEANINGS)}")
    return meaning


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
