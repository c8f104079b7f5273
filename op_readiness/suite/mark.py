"""The mark that ties a readiness test to its entry in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., object])


def ability(id: str) -> Callable[[Test], Test]:
    """Marks a readiness test with the stable id of its ability; everything else stands in spec.yaml."""
    return pytest.mark.ability(id)
