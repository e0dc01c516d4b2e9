"""A headless Chromium for the tests of Airflow's pages. It reaches this machine alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import HttpCredentials, Page, Route, expect, sync_playwright

from scripts.setup_browser import NAMES, find_browser

#: Milliseconds that a page may take to show what is waited for: the machine may be busy.
PATIENCE_MS = 60_000

_WINDOW = {"width": 1280, "height": 800}
_LOOPBACK = ("127.0.0.1", "localhost")


class NoBrowserError(RuntimeError):
    """There is no Chromium to show a page with."""


@contextmanager
def open_page(who: HttpCredentials | None = None) -> Iterator[Page]:
    """Open an empty page in a Chromium of its own; both are closed in the end.

    Requests to other machines are refused, so a page that wants something from the network shows itself as broken.

    :param who: user, password and origin of a site that asks for them (HTTP basic).
    :raises NoBrowserError: when no Chromium is installed.

    >>> with open_page() as page:  # doctest: +SKIP
    ...     page.goto("http://127.0.0.1:8080/required_actions")
    """
    path = find_browser()
    if path is None:
        raise NoBrowserError(
            f"There is no {', '.join(NAMES)} to show Airflow's pages with. `python -m scripts.setup_browser` "
            "installs one; it could not be had here."
        )
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            context = browser.new_context(
                viewport=_WINDOW, locale="en-US", timezone_id="UTC", http_credentials=who
            )
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.route("**/*", _only_here)
            yield page
        finally:
            browser.close()


def keep_picture(page: Page, name: str, height: int = 540) -> None:
    """Keep a picture of a page for the docs in the folder that the variable PICTURES names, if it does.

    :param name: the file's name, ending with `.png`.
    :param height: pixels of the page to keep, from its top.
    """
    if folder := os.environ.get("PICTURES"):
        page.screenshot(
            path=Path(folder, name), clip={"x": 0, "y": 0, "width": _WINDOW["width"], "height": height}
        )


def _only_here(route: Route) -> None:
    if urlsplit(route.request.url).hostname in _LOOPBACK:
        route.continue_()
    else:
        route.abort()
