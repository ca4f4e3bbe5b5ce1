"""Two ways to assert: equal to the last bit, and an error that echoes the values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from minitensor import Tensor


def same(a: Any, b: Any) -> None:
    """Tensors or arrays that are equal in every element, in shape and in dtype."""
    a, b = (np.asarray(x.data if isinstance(x, Tensor) else x) for x in (a, b))
    np.testing.assert_array_equal(a, b, strict=True)


def raises(kind: type[Exception] | tuple[type[Exception], ...], *parts: Any) -> Any:
    """`pytest.raises`, for an error whose text has all these parts."""
    return pytest.raises(kind, match="".join(f"(?=.*{re.escape(str(part))})" for part in parts))
