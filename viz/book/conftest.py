"""Which files of the book have doctests that can run: those that need Sphinx only where it is installed."""

from importlib.util import find_spec

collect_ignore = ["conf.py"] if find_spec("sphinx") else ["conf.py", "extension.py"]
