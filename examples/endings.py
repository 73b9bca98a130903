"""How a script ends when it cannot go on: with one line that says what to do, and a status."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gymnasium as gym
from tqdm import tqdm

from verienv.policies.hugging_face.checkpoint import first_line, lacks_memory


class Stop(SystemExit):
    """An error that the user can mend: one line on the terminal, exit status 2."""

    def __init__(self, message: str) -> None:
        tqdm.write(f"error: {message}", file=sys.stderr)  # on a line of its own, whatever bar is being drawn
        super().__init__(2)


@contextmanager
def kind_endings(out: Path) -> Iterator[None]:
    """Ctrl-C, a wrong argument and a full disk end the program with one line; what was saved stays."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\ninterrupted; the same command goes on from what is in {out}", file=sys.stderr)
        raise SystemExit(130) from None
    except (ValueError, FloatingPointError, gym.error.Error) as error:
        raise Stop(str(error)) from None
    except OSError as error:
        mend = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "mend that, or choose another --out,"
        raise Stop(f"cannot write to {out} ({error.strerror or error}); {mend} and run the same command") from None


@contextmanager
def enough_memory(lower: str) -> Iterator[None]:
    """End with one line that says what to lower, where memory runs out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        raise Stop(f"too little memory ({first_line(error)}); {lower}") from None
