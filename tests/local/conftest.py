from __future__ import annotations

import importlib
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

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


@pytest.fixture(scope="module")
def remote(flyte: LocalFlyte):
    """flytekit's own client."""
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.remote import FlyteRemote

    platform = PlatformConfig(endpoint=flyte.endpoint, insecure=True)
    return FlyteRemote(Config(platform=platform), default_project="flytesnacks", default_domain="development")


@pytest.fixture(scope="module")
def user_code(tmp_path_factory):
    """Import a module of this folder as a user's project of its own; returns it and the project's folder."""
    with pytest.MonkeyPatch.context() as patch:

        def imported(name: str):
            folder = tmp_path_factory.mktemp("code")
            shutil.copy(Path(__file__).with_name(f"{name}.py"), folder)
            patch.chdir(folder)
            patch.syspath_prepend(str(folder))
            patch.delitem(sys.modules, name, raising=False)
            return importlib.import_module(name), folder

        yield imported
