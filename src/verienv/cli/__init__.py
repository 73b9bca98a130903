"""The command ``verienv``: every error is one line on stderr with status 2; Ctrl-C has status 130, SIGTERM 143."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

from verienv.cli import streams
from verienv.core.lazy import lazy_attributes
from verienv.core.shown import shown_path

__getattr__ = lazy_attributes(__name__)[0]

INTERRUPTED = 130
FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO)
"""Faults of writing. Files name themselves in theirs, standard output does not."""


def main() -> None:
    """Run the command line and leave with its exit status."""
    streams.prepare()
    status = INTERRUPTED
    try:
        with streams.unwinding():
            status = run(sys.argv[1:])
    except KeyboardInterrupt:  # one that came when all was done
        streams.drop_output()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    try:
        status = _command(list(arguments) or ["--help"])
        streams.flush()
    except BrokenPipeError:  # whoever read our output has had enough, as `head` does
        streams.let_go()
        return 1
    except streams.Terminated as error:
        streams.drop_output()
        return _ended(error, "terminated", 128 + error.args[0])
    except KeyboardInterrupt as error:
        streams.let_go()
        return _ended(error, "interrupted", INTERRUPTED)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in ("typer", "rich", "click"):
            raise
        return _fail(f'the command line needs {error.name}; type: pip install "verienv[cli]"')
    except Exception as error:
        usage = getattr(error, "format_message", None)  # wrong usage, found by typer
        if usage is None and not isinstance(error, ValueError | OSError):
            raise
        streams.let_go()
        return _fail(f"{usage()} (see {_path(error)} --help)" if usage else _sentence(error))
    return status


def _command(arguments: list[str]) -> int:
    """Run a command without typer's own handling of errors, signals and streams."""
    import typer

    from verienv.cli.app import app

    command = typer.main.get_command(app)
    try:
        with command.make_context("verienv", arguments) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return 0


def _ended(error: KeyboardInterrupt, how: str, status: int) -> int:
    return _fail("; ".join([how, *getattr(error, "__notes__", [])]), status)


def _path(error: Exception) -> str:
    """Return the command that was used wrongly."""
    return str(getattr(getattr(error, "ctx", None), "command_path", "verienv"))


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = error.filename or ("standard output" if error.errno in FULL else "")
        what = "is a folder; give the name of a file" if error.errno == errno.EISDIR else error.strerror
        return f"{shown_path(where)}: {what}" if where else what
    return str(error)


def _fail(message: str, status: int = 2) -> int:
    streams.tell(f"verienv: {message}")
    return status
