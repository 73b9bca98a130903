"""Evaluations that are killed at any moment, and several at once on one log."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.evaluation.policies import Interrupted, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")]

PAUSE = 0.01
"""Seconds before each batch; an evaluation of 20 episodes by four has about 20."""


@pytest.fixture(scope="module")
def processes() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(Path(__file__).with_name("evaluating.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == "ready\n"
        yield started
        assert started.stdin
        started.stdin.close()


def begun(processes: "subprocess.Popen[str]", count: int, log: Path) -> list[int]:
    """Begin evaluations on one log; return their process ids."""
    assert processes.stdin
    assert processes.stdout
    processes.stdin.write(f"{count} {PAUSE} {log}\n")
    processes.stdin.flush()
    return list(map(int, processes.stdout.readline().split()))


def ended(processes: "subprocess.Popen[str]") -> list[int]:
    """Wait for those evaluations; return how they ended."""
    assert processes.stdin
    assert processes.stdout
    processes.stdin.write("\n")
    processes.stdin.flush()
    return list(map(int, processes.stdout.readline().split()))


def test_a_killed_evaluation_is_gone_on_with_and_gives_what_an_undisturbed_one_gives(
    processes: "subprocess.Popen[str]", tmp_path: Path, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    expected, rng = run(Interrupted()).to_json(), random.Random(fuzz_seed)
    ends = Counter[int]()
    log, rounds = tmp_path / "log", 0
    for number in range(fuzz_size(120)):
        (process,) = begun(processes, 1, log)
        time.sleep(rng.uniform(0, 30 * PAUSE))
        os.kill(process, rng.choice((signal.SIGKILL, signal.SIGTERM)))  # not yet waited for: it is still that process
        (status,) = ended(processes)
        assert status in (0, -signal.SIGKILL, -signal.SIGTERM)
        ends[status] += 1
        if status == 0 or number % 4 == 3:  # killed up to four times on one log
            assert run(Interrupted(), log).to_json() == expected
            lines = log.read_bytes().splitlines()
            assert len(lines) == len(set(lines))
            log, rounds = tmp_path / f"log{number}", rounds + 1
    print(dict(ends), f"{rounds} logs")


def test_of_several_evaluations_on_one_log_exactly_one_writes(
    processes: "subprocess.Popen[str]", tmp_path: Path, fuzz_size: Callable[[int], int], fuzz_seed: int
) -> None:
    expected, rng = run(Interrupted()).to_json(), random.Random(fuzz_seed)
    run(Interrupted(), tmp_path / "alone")
    alone = sorted((tmp_path / "alone").read_bytes().splitlines())
    for number in range(fuzz_size(30)):
        log = tmp_path / f"log{number}"
        if rng.random() < 0.5:  # one that was interrupted
            data = (tmp_path / "alone").read_bytes()
            log.write_bytes(data[: rng.randrange(len(data) // 2)])
        begun(processes, 4, log)
        assert sorted(ended(processes)) == [0, 3, 3, 3]
        assert sorted(log.read_bytes().splitlines()) == alone
        assert run(silent := Interrupted(), log).to_json() == expected
        assert not silent.asked
