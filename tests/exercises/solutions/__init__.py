"""One way to solve each exercise; `python -m tests.exercises solution CHAPTER` shows them one at a time."""
