"""How to draw: from shapes and their places to files.  Read style, dot, render, export, tex, figure, sheet, check."""
