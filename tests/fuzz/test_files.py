"""Damaged files of a user's own: each loads to what is valid, or is refused in one line; nothing of it is run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LOADING = Path(__file__).with_name("loading.py")


@pytest.mark.parametrize(
    ("kind", "full"),
    [
        ("cities", 600),
        ("routes", 1500),
        ("pickles", 10_000),
        ("lists", 2000),
        ("pictures", 10_000),
        ("decks", 400),
        ("tables", 6000),
    ],
)
def test_a_damaged_file_is_valid_or_refused_in_one_line(
    kind: str, full: int, fuzz_size: Callable[[int], int], fuzz_seed: int, tmp_path: Path
) -> None:
    told = load(kind, fuzz_size(full), fuzz_seed, tmp_path)
    assert len(told) == 1, "\n".join(told)


def test_a_file_that_is_too_much_is_refused_in_bounded_time_and_memory(tmp_path: Path) -> None:
    told = load("large", 100, 0, tmp_path)
    assert len(told) == 1, "\n".join(told)


def load(kind: str, size: int, seed: int, folder: Path) -> list[str]:
    """Load damaged files in a process of its own; return the lines it prints, the last of which counts them."""
    (folder / "files").mkdir()
    given = [sys.executable, str(LOADING), kind, str(size), str(seed), str(folder / "files")]
    ran = subprocess.run(given, capture_output=True, text=True, timeout=1800, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()
