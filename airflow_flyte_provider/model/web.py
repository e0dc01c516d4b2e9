"""Hosts and addresses of pages: what lies on this machine, and what a browser may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name alone: nothing is resolved.

    :param host: a name or an address, an IPv6 address without its brackets.

    >>> is_loopback("127.0.0.2"), is_loopback("127.0.0.1.example.com")
    (True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_page(url: str) -> bool:
    """Tell whether a link may lead to an address: `http` or `https`, with a host, and nothing that is not printed.

    Whatever else, such as `javascript:`, a browser might run where Airflow shows the link.

    :param url: what somebody else has called the address of a page.
    """
    if not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
