"""How many examples Hypothesis tries: HYPOTHESIS_PROFILE=thorough for many new ones, else always the same, or few."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

collect_ignore = ["mutants.py"]  # it imports what is not installed for the tests

slow_machines = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=25, deadline=None, derandomize=True, print_blob=True, suppress_health_check=slow_machines
)
settings.register_profile(
    "thorough", max_examples=250, deadline=None, print_blob=True, suppress_health_check=slow_machines
)
settings.register_profile("few", settings.get_profile("default"), max_examples=8)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
