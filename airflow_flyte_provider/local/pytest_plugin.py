"""A pytest fixture with a running local Flyte. Loaded by every pytest run, so it imports next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_flyte_provider.local import LocalFlyte


@pytest.fixture(scope="session")
def local_flyte() -> Iterator[LocalFlyte]:
    """Yield a local Flyte that runs for the whole session, one for each pytest-xdist worker."""
    from airflow_flyte_provider.local import LocalFlyte

    with LocalFlyte() as flyte:
        yield flyte
