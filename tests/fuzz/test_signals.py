"""Every writing command, ended at any moment: each file is the old one or the new one, whole, and no litter stays."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fuzz.commands import WRITING, Command, environment, held, prepared, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="asks for signals as POSIX has them")]

OTHER = {"e.json": "--seed 1", "e.csv.gz": "--seed 1", "routes.json": "--defects skip", "v.jsonl": "--rewards binary"}
"""The words by which what a command writes differs."""


def other(command: Command) -> Command:
    words = f"{command.words} {OTHER.get(command.files[0], '--seed 1')}"
    return Command(words.replace("l.jsonl", "old.jsonl"), command.files)


def pictures_of(found: dict[str, bytes]) -> set[str]:
    return {name for name in found if "_images/" in name}


def test_a_writing_command_that_is_ended_at_any_moment_loses_nothing_and_leaves_nothing(
    tmp_path: Path, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    rng, ends = random.Random(fuzz_seed), Counter[str]()
    for number, command in enumerate(WRITING):
        path = prepared(tmp_path / str(number))
        begun = time.monotonic()
        run(command, path)
        duration = time.monotonic() - begun
        new = held(path, command.files)
        run(other(command), path)
        old = held(path, command.files)
        for _ in range(fuzz_size(10)):
            restore(path, command, old)
            sent = rng.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL))
            process = subprocess.Popen(
                command.arguments(),
                cwd=path,
                env=environment(path),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                process.wait(rng.uniform(0.3, 1.1) * duration)
            except subprocess.TimeoutExpired:
                process.send_signal(sent)
            _, err = process.communicate(timeout=300)
            what = f"{command.words}, {sent!r}, ended {process.returncode}, told {err!r}"
            assert process.returncode in (0, -sent, 128 + sent), what
            assert "Traceback" not in err, what
            assert "ignored" not in err, what
            check(held(path, command.files), old, new, what)
            litter = [*path.glob("*.part"), *(path / "tmp").iterdir()]
            if process.returncode != -signal.SIGKILL:
                assert not litter, f"{what}: {litter}"
            ends[f"{process.returncode}{' with litter' if litter else ''}"] += 1
            if litter:
                run(command, path)
                assert held(path, command.files) == new, what
                assert not list(path.glob("*.part")), what
    print(dict(ends))


def restore(path: Path, command: Command, old: dict[str, bytes]) -> None:
    """Put the old files in place, and take away what an interrupted evaluation goes on with."""
    for name in held(path, (*command.files, "l.jsonl", "e.json.log.jsonl")):
        (path / name).unlink()
    for name, data in old.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(data)


def check(found: dict[str, bytes], old: dict[str, bytes], new: dict[str, bytes], what: str) -> None:
    """Check that each file is the old or the new one, and that pictures are there for the rows that name them."""
    for name, data in found.items():
        assert data in (old.get(name), new.get(name)), f"{what}: {name} is neither the old nor the new one"
    assert found.keys() >= {name for name in old if name in new}, what
    for version in (old, new):
        if pictures_of(version) and found["p.jsonl"] == version["p.jsonl"]:
            assert pictures_of(found) >= pictures_of(version), f"{what}: pictures are missing"
