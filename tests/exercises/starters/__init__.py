"""What the student begins with; `python -m tests.exercises start` copies it."""
