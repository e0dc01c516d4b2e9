"""Make sure that there is a Chromium for the tests of Airflow's pages: `python -m scripts.setup_browser`.

The one of the distribution is taken. Where there is none it is installed, by apt-get as root; otherwise the one
that Playwright brings along is downloaded.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: What Chromium and its relatives are called as commands.
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Return the path of an installed Chromium, None when there is none."""
    installed = (shutil.which(name) for name in NAMES)
    return next((path for path in installed if path), None) or _of_playwright()


def install_browser() -> None:
    """Install a Chromium. Look with `find_browser` whether it has worked."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if _run(["apt-get", "install", "-y", "-q", "chromium"], env):
            return
        # lists of packages may be missing or old
        if _run(["apt-get", "update", "-q"], env) and _run(
            ["apt-get", "install", "-y", "-q", "chromium"], env
        ):
            return
    _run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _run(command: Sequence[str], env: dict[str, str]) -> bool:
    print(*command, flush=True)
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL).returncode == 0


def main() -> None:
    """Install a Chromium unless there is one. That it cannot be had is told, and no reason to stop here."""
    if find_browser() is None:
        install_browser()
        told = find_browser() or "none could be installed: the tests of Airflow's pages will fail"
        print(f"Chromium: {told}", flush=True)


if __name__ == "__main__":
    main()
