"""The command ``verienv``: every error is one line on stderr with status 2, Ctrl-C has status 130."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from verienv.cli.common import Interrupted

INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    try:
        from verienv.cli.app import app
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in ("typer", "rich", "click"):
            raise
        return _fail(f'the command line needs {error.name}: pip install "verienv[cli]"')
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    try:
        status = app(args=list(arguments) or ["--help"], prog_name="verienv", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Interrupted) as error:
        return _fail(str(error) or "interrupted", INTERRUPTED)
    except Exception as error:
        if type(error).__name__ == "Abort":
            return _fail("interrupted", INTERRUPTED)
        usage = getattr(error, "format_message", None)  # wrong usage, found by typer
        if usage is not None:
            return _fail(f"{usage()} (see verienv --help)")
        if not isinstance(error, ValueError | OSError):
            raise
        return _fail(_sentence(error))
    if status == INTERRUPTED:
        return _fail("interrupted", INTERRUPTED)
    return status if isinstance(status, int) else 0


def _sentence(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _fail(message: str, status: int = 2) -> int:
    print(f"verienv: {' '.join(message.split())}", file=sys.stderr)
    return status
