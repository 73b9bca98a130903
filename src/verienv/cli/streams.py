"""The standard streams and signals of a command: closed, full, broken or in a narrow encoding."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

NAMES = {"stdin": "standard input", "stdout": "standard output"}


class Terminated(KeyboardInterrupt):
    """The end that SIGTERM or SIGHUP asks for, which unwinds as Ctrl-C does."""


class Closed(io.TextIOBase):
    """A standard stream that was closed before the command began: using it is an error that says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, text: str) -> NoReturn:
        raise OSError(errno.EBADF, f"{self._name} is closed")

    def readline(self, *_: Any) -> NoReturn:
        raise OSError(errno.EBADF, f"{self._name} is closed")

    read = readline

    @property
    def buffer(self) -> NoReturn:
        raise OSError(errno.EBADF, f"{self._name} is closed")


def prepare() -> None:
    """Make the standard streams fit to use: none is None, and none fails for a character.

    Descriptors 0 to 2 that are closed are taken, lest a file that is opened later be the one that others write to.
    """
    with suppress(OSError):
        while (taken := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(taken)
    for name in NAMES:
        if getattr(sys, name) is None:
            setattr(sys, name, Closed(NAMES[name]))
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - as long as the command
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def check_input() -> None:
    """Raise OSError if standard input is closed."""
    if isinstance(sys.stdin, Closed):
        sys.stdin.read()


def check_output(*, needed: bool) -> None:
    """Raise OSError if standard output is closed though ``needed``; where it is not, what is printed is dropped.

    A command needs it unless what was asked for goes to files.
    """
    if isinstance(sys.stdout, Closed):
        if needed:
            sys.stdout.write("")
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the command


def flush() -> None:
    """Write out what is left in standard output. Raises OSError."""
    if not isinstance(sys.stdout, Closed):
        sys.stdout.flush()


def let_go() -> None:
    """Write out what is left in standard output or, where that fails, drop it: at its end the interpreter would try."""
    try:
        flush()
    except OSError:
        _drop(sys.stdout)


def drop_output() -> None:
    """Drop what is left in standard output: whoever ends a command does not wait for one that does not read."""
    _drop(sys.stdout)


def tell(text: str) -> None:
    """Write a line to stderr, where that is possible."""
    try:
        print(one_line(text), file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


def one_line(text: str) -> str:
    """Return text as one line in which each character can be seen."""
    return "".join(char if char.isprintable() else _escaped(char) for char in " ".join(text.split()))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def _drop(stream: Any) -> None:
    with suppress(OSError, ValueError, AttributeError):
        number, null = stream.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)
        stream.flush()


@contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise ``Terminated``, once; a second one ends the process at once."""
    before = {number: signal.getsignal(number) for number in _ends()}

    def end(number: int, _: object) -> NoReturn:
        for each, handler in before.items():
            signal.signal(each, handler)
        raise Terminated(number)

    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # else whoever started the command wants it ignored, as nohup does
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ends() -> list[signal.Signals]:
    return [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
