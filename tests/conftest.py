"""How many examples Hypothesis tries: HYPOTHESIS_PROFILE=thorough for many new ones, else always the same, or few.

Also the browser that tests of pages share.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from .browser import fixture

__all__ = ["fixture"]
collect_ignore = ["mutants.py"]  # it imports what is not installed for the tests

slow_machines = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=20, deadline=None, derandomize=True, print_blob=True, suppress_health_check=slow_machines
)
settings.register_profile(
    "thorough", max_examples=200, deadline=None, print_blob=True, suppress_health_check=slow_machines
)
settings.register_profile("few", settings.get_profile("default"), max_examples=8)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def fresh_console(request: pytest.FixtureRequest) -> None:
    """What pages of earlier tests have complained about is no matter of this one."""
    if "browser" in request.fixturenames:
        request.getfixturevalue("browser").messages()
