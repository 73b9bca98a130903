import io
import sys

import pytest

from verienv.cli import run


@pytest.fixture
def cli(capsys, monkeypatch):
    """Run a command with ``typed`` on stdin: (status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments, typed=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8"))
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call
