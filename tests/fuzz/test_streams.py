"""Every command with every kind of standard stream: no traceback, files whole, and a status that tells."""

import os
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random

import pytest
from tests.fuzz.commands import COMMANDS, WRITING, Command, held, prepared, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")]

STDIN = {"open": "", "closed": "<&-"}
STDOUT = {"open": "", "closed": ">&-", "full": ">/dev/full", "broken": "> >(exec 0<&-; sleep 0.1)"}
STDERR = {"open": "", "closed": "2>&-", "full": "2>/dev/full"}
EVERY = [*product((*COMMANDS, *WRITING), STDIN, STDOUT, STDERR)]


def through_shell(command: Command, path: Path, redirection: str) -> "subprocess.CompletedProcess[str]":
    """Run a command by a shell, with its streams redirected."""
    return run(command, path, ["bash", "-c", f'"$@" {redirection}', "bash"], check=False)


def expected(command: Command, stdin: str, stdout: str) -> set[int]:
    """Return the statuses that are right."""
    if command.reads and stdin == "closed":
        return {2}
    if not command.prints:
        return {0}
    return {"open": {0}, "closed": {0 if command.files else 2}, "full": {2}, "broken": {0, 1}}[stdout]


def test_every_command_with_every_kind_of_stream(
    tmp_path: Path, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    right = {command: files_of(command, prepared(tmp_path / f"right-{n}")) for n, command in enumerate(WRITING)}
    tried = Random(fuzz_seed).sample(EVERY, fuzz_size(len(EVERY) // 3))
    for number, (command, stdin, stdout, stderr) in enumerate(tried):
        what = f"{command.words} with stdin {stdin}, stdout {stdout}, stderr {stderr}"
        path = prepared(tmp_path / str(number))
        done = through_shell(command, path, f"{STDIN[stdin]} {STDOUT[stdout]} {STDERR[stderr]}")
        right_statuses = expected(command, stdin, stdout)
        assert done.returncode in right_statuses, f"{what}: {done.returncode}, {done.stderr}"
        assert "Traceback" not in done.stderr, what
        assert "ignored" not in done.stderr, what
        assert stderr == "open" or not done.stderr, what
        if done.returncode == 2 and stderr == "open":
            *notes, error = done.stderr.splitlines()
            assert error.startswith("verienv: standard "), f"{what}: {error}"
            assert command.tells or not notes, f"{what}: {notes}"
        if command in right:
            assert held(path, command.files) == right[command], what
        assert not [*path.glob("*.part"), *(path / "tmp").iterdir()], what


def files_of(command: Command, path: Path) -> dict[str, bytes]:
    run(command, path)
    return held(path, command.files)
