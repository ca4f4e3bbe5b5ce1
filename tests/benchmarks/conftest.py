"""The engines import packages that are not installed for the tests, and the worker one that not every system has."""

collect_ignore = ["engines", "worker.py"]
