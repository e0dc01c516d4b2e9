"""Make a virtual environment of the project: `python3 scripts/setup_env.py .venv constraints.txt`.

Needs Python 3.10 or newer with its own `venv`, and nothing else. The second argument names the file of pinned
versions.
"""

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(target: Path, constraints: Path) -> None:
    """Create `target` and install the project with its development tools into it."""
    if sys.version_info < (3, 10):
        sys.exit(f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}. Set PYTHON=python3.x.")
    started = time.monotonic()
    print(f"Setting up {target} (a few minutes the first time) ...", flush=True)
    try:
        venv.create(target, with_pip=True, clear=True, symlinks=os.name != "nt")
    except subprocess.CalledProcessError:
        sys.exit("This Python has no ensurepip. On Debian and Ubuntu: apt-get install python3-venv")
    python = target / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", constraints, "uv"], check=True)
    # compiled once, here: where PYTHONDONTWRITEBYTECODE is set, every process would compile all it imports again
    uv = [target / "bin" / "uv", "pip", "install", "-q", "--compile-bytecode", "--python", python]
    # pip trusts the system's certificates, and so must uv: an index may stand behind a company's own authority.
    env = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    subprocess.run([*uv, "-c", constraints, "-e", f"{ROOT}[dev]"], check=True, env=env)
    (target / ".ready").touch()
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
