"""Fixtures that a plugin may replace: what the service in a test is made of."""

from collections.abc import Sequence

import pytest

from my_app.core.app import FEATURES
from my_app.core.platform.feature import Feature


@pytest.fixture
def features() -> Sequence[Feature]:
    """Every feature of the service."""
    return FEATURES


@pytest.fixture
def server_variables() -> dict[str, str]:
    """Variables of the service in a process of its own."""
    return {}
