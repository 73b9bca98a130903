"""The shipped files: in the wheel they lie beside this package, in a checkout at the top of the repository."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def asset_path(name: str) -> Path:
    """Return the path of ``assets/<name>``. Raises FileNotFoundError that says what is missing and what to do."""
    for folder in (PACKAGE / "assets", PACKAGE.parents[1] / "assets"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(
        f"verienv's asset {name!r} is missing; reinstall verienv, or restore the folder assets/ of your checkout"
    )
