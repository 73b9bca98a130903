"""Versions, machine and revision, to be kept beside results."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("verienv", "torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "gymnasium", "pillow")


def provenance(folder: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """Return the versions of packages and Python, and the git revision of the repository that ``folder`` is in."""
    revision, changes = git(folder, "rev-parse", "HEAD"), git(folder, "status", "--porcelain")
    return {
        "versions": {name: version_of(name) for name in packages} | {"python": platform.python_version()},
        "revision": revision or "unknown",
        "uncommitted_changes": bool(changes) if revision else "unknown",
    }


def version_of(package: str) -> str:
    """Return a package's version, "missing" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def git(folder: Path, *arguments: str) -> str:
    """Return what git says of a folder, nothing if it is in no repository."""
    try:
        told = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=folder, check=False)  # noqa: S603, S607
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
