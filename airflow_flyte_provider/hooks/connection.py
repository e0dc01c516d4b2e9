"""The connection under FlyteHook: an Airflow connection in, settings and a client out."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowNotFoundException,
    BaseHook,
)

from airflow_flyte_provider.admin.client import AsyncClient, Client, Verb
from airflow_flyte_provider.admin.diagnosis import tell_reached, why_unreachable
from airflow_flyte_provider.admin.settings import Settings, unknown_extras
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteError
from airflow_flyte_provider.hooks.masking import mask_secret
from airflow_flyte_provider.hooks.supervisor import ask_airflow, to_its_end
from airflow_flyte_provider.model.redaction import printable

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

T = TypeVar("T")

#: What Airflow raises for a connection in a variable or a secrets backend that it cannot read.
_MALFORMED = (AirflowException, ValueError, TypeError, AttributeError, KeyError)

#: Airflow 3 masks no shorter texts; Airflow 2 would mask a single letter wherever it stands.
_MASKED_FROM = 5


class FlyteConnection(BaseHook):
    """The part of FlyteHook that reads the Airflow connection and runs verbs on it.

    :param flyte_conn_id: the Airflow connection.
    :param project: Flyte project for everything this hook does; default: the connection's.
    :param domain: Flyte domain, likewise.
    """

    conn_name_attr = "flyte_conn_id"
    default_conn_name = "flyte_default"
    conn_type = "flyte"
    hook_name = "Flyte"

    def __init__(
        self,
        flyte_conn_id: str = default_conn_name,
        project: str | None = None,
        domain: str | None = None,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self._project = project
        self._domain = domain
        self._unused: list[str] = []

    @cached_property
    def settings(self) -> Settings:
        """The connection's settings, read on first use.

        :raises FlyteConfigError: when there is no such connection, or a field of it cannot be used.
        """
        try:
            connection = self.get_connection(self.flyte_conn_id)
        except AirflowNotFoundException:
            raise self._no_connection() from None
        except _MALFORMED as fault:
            raise self._malformed(fault) from None
        settings = self._read(connection)
        for secret in _to_mask(settings):  # one from a file, too, which Airflow has not seen
            mask_secret(secret)
        return settings

    async def load_settings(self) -> Settings:
        """Read the connection without blocking the event loop, and keep its settings for this hook.

        :raises FlyteConfigError: see `settings`.
        """
        from airflow.providers.common.compat.connection import get_async_connection

        try:
            connection = await to_its_end(get_async_connection(self.flyte_conn_id))
        except AirflowNotFoundException:
            raise self._no_connection() from None
        except _MALFORMED as fault:
            raise self._malformed(fault) from None
        settings = self._read(connection)
        for secret in _to_mask(settings):
            await _amask_secret(secret)
        self.settings = settings
        return settings

    def get_conn(self) -> Client:
        """Return the client under this hook, for verbs that the hook has no method for."""
        return Client(self.settings)

    def run(self, verb: Verb[T]) -> T:
        """Run a verb of `airflow_flyte_provider.admin` and return its result."""
        return self.get_conn().run(verb)

    async def arun(self, verb: Verb[T]) -> T:
        """Run a verb on the event loop and return its result. `load_settings` comes first."""
        return await AsyncClient(self.settings).run(verb)

    @property
    def project(self) -> str:
        """The Flyte project in use.

        :raises FlyteConfigError: when neither the hook nor its connection names one.
        """
        return self._scope("project", self._project or self.settings.project)

    @property
    def domain(self) -> str:
        """The Flyte domain in use; see `project`."""
        return self._scope("domain", self._domain or self.settings.domain)

    def test_connection(self) -> tuple[bool, str]:
        """Say what was reached and who signed in, or exactly what failed: the "Test" button of Airflow's form.

        Fields that are not used are told either way: a mistyped one may be why it failed.
        """
        try:
            told = why_unreachable(self.settings)
            reached = not told
            told = told or printable(self.run(tell_reached(self.settings)))
        except FlyteError as error:
            reached, told = False, str(error)
        # The button tests under an id that Airflow has just made up.
        told = told.replace(f"Connection {self.flyte_conn_id!r}", "This connection")
        return reached, " ".join([told, *(f"There is {unused}" for unused in self._unused)])

    def _read(self, connection: Connection) -> Settings:
        if connection.conn_type not in (None, "", self.conn_type):
            raise FlyteConfigError(
                f"Connection {self.flyte_conn_id!r} is of the type {connection.conn_type!r}, not {self.conn_type!r}: "
                "set flyte_conn_id to one that is, or change its type (a URI begins with flyte://)."
            )
        try:
            extra = json.loads(connection.extra or "{}")
        except ValueError:
            extra = None
        if not isinstance(extra, dict):  # what it is instead is not shown: it may hold a secret
            raise FlyteConfigError(f"Connection {self.flyte_conn_id!r}: its extra is not a JSON object.")
        self._unused = [
            f"the extra field {key!r}, which is not used.{f' Did you mean {known[0]!r}?' if known else ''}"
            for key, known in unknown_extras(extra).items()
        ]
        for unused in self._unused:
            self.log.warning("Connection %r has %s", self.flyte_conn_id, unused)
        return Settings.from_fields(
            conn_id=self.flyte_conn_id,
            host=connection.host,
            port=connection.port,
            extra=extra,
            login=connection.login,
            password=connection.password,
        )

    def _malformed(self, fault: Exception) -> FlyteConfigError:
        # What it says is not shown: it may quote the connection, and with it a secret.
        return FlyteConfigError(
            f"The Airflow connection {self.flyte_conn_id!r} cannot be read ({type(fault).__name__}): it is neither a "
            "connection's URI nor its JSON."
        )

    def _no_connection(self) -> FlyteConfigError:
        return FlyteConfigError(
            f"There is no Airflow connection {self.flyte_conn_id!r}. Add one of type 'flyte' whose host is "
            f"FlyteAdmin's, or set flyte_conn_id to one there is."
        )

    def _scope(self, what: str, value: str | None) -> str:
        if not value:
            raise FlyteConfigError(
                f"No Flyte {what} is named: give the task a {what}, or set it in the extra of the Airflow "
                f"connection {self.flyte_conn_id!r}."
            )
        return value


def _to_mask(settings: Settings) -> list[str]:
    """Return the secrets that Airflow is to mask in logs. Shorter ones would blot out words that are none."""
    return [secret for secret in settings.sign_in.secrets if len(secret) >= _MASKED_FROM]


async def _amask_secret(secret: str) -> None:
    """Mask a secret on the event loop, where Airflow 3 must not be told of it by a call that blocks."""
    try:
        from airflow.sdk.log import amask_secret
    except ImportError:  # before 3.3
        await ask_airflow(mask_secret, secret)
    else:
        await to_its_end(amask_secret(secret))
