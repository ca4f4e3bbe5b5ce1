"""Exercises: write properties that see planted bugs.  Start with README.md, then `python -m tests.exercises start`."""
