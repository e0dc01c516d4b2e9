"""Lists of Flyte, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_flyte_provider.admin.client import Call, Service, Verb
from airflow_flyte_provider.exceptions import FlyteError, FlyteInvalidRequestError

#: Items a call. An answer must stay under the 4 MB that gRPC takes.
_PAGE = 500


def list_all(
    method: str,
    request: Any,
    asked: str,
    *,
    items: str,
    limit: int | None = None,
    keep: Callable[[Any], bool] | None = None,
    page: int = _PAGE,
    service: Service = Service.ADMIN,
) -> Verb[list[Any]]:
    """Call a list method until there is no more, or enough.

    :param method: the method of FlyteAdmin.
    :param request: its request; `limit` and `token` are set here.
    :param asked: what it is for, as a phrase that an error can begin with.
    :param items: the field of the answer that has the items.
    :param limit: how many to return at most; None for all.
    :param keep: which of the items count; None for all.
    :param page: how many to ask for by one call.
    :param service: the service that has the method.
    :raises FlyteInvalidRequestError: when the limit is none.
    :raises FlyteError: when a page is followed by itself.
    """
    if limit is not None and limit < 1:
        raise FlyteInvalidRequestError(f"{asked.capitalize()}: the limit must be 1 or more, not {limit}.")
    found: list[Any] = []
    request.limit = page if limit is None else min(page, limit)
    while True:
        reply = yield Call(method, request, asked, service)
        answered = getattr(reply, items)
        found.extend(answered if keep is None else filter(keep, answered))
        # A full page has a token even when nothing follows it.
        if not reply.token or len(answered) < request.limit or (limit is not None and len(found) >= limit):
            return found[:limit]
        if reply.token == request.token:
            raise FlyteError(
                f"{asked.capitalize()} failed: Flyte answers with the same page again and again."
            )
        request.token = reply.token
