from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client


@pytest.fixture(scope="session")
def flyte() -> Iterator[LocalFlyte]:
    with LocalFlyte() as running:
        yield running


@pytest.fixture
def client(flyte: LocalFlyte) -> Iterator[Client]:
    made = Client(flyte.endpoint)
    yield made
    made.close()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names of entities that no other test uses, for the server is shared."""
    suffix = uuid.uuid4().hex[:8]
    return lambda name: f"{name}.{suffix}"
