"""Libraries for classic reinforcement learning, each in a virtual environment of its own.

A test names a library and a script: ``in_library("sb3", "sb3_ppo.py", "verienv/VIRL-L-v0")`` installs
``requirements/<library>.txt`` and this checkout into ``.venvs/<library>`` (once, until the list changes), runs
``scripts/<script>`` there, and returns what the script printed last, a line of JSON. ``make test-integrations`` runs
them all. A requirements file pins all that matters, torch first, so that a library is met in one known version.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MINUTES = 30

InLibrary = Callable[..., dict[str, Any]]


def python_with(library: str) -> Path:
    """The interpreter of ``.venvs/<library>``, which is made or made anew if its list of requirements changed."""
    requirements = HERE / "requirements" / f"{library}.txt"
    wanted = sha256(requirements.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    folder = ROOT / ".venvs" / library
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not (stamp.exists() and stamp.read_text() == wanted):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", requirements], check=True)
        subprocess.run([*install, "-r", requirements, "-e", ROOT], check=True)
        stamp.write_text(wanted)
    return python


def run_in_library(library: str, script: str, *arguments: object) -> dict[str, Any]:
    """What ``scripts/<script>`` printed last, run with these arguments where ``library`` is installed."""
    command = [str(python_with(library)), str(HERE / "scripts" / script), *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60 * MINUTES, check=False)
    if done.returncode:
        pytest.fail(f"{script} failed with {library}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}", pytrace=False)
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


@pytest.fixture(scope="session")
def in_library() -> InLibrary:
    return run_in_library
