"""Caches of files: what was made of a file is kept while the file stays as it is."""

import os
import pickle
from pathlib import Path

import pytest

from verienv.core.file_cache import cached_by_files, stamp


def _file_of(path: str, _times: int = 1) -> list[str]:
    return [path]


@cached_by_files(_file_of, maxsize=4)
def read(path: str, times: int = 1) -> list[str]:
    """Read a file."""
    return [Path(path).read_text()] * times


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "a").write_text("one")
    return str(tmp_path / "a")


def test_a_result_is_kept_while_the_file_stays(file: str) -> None:
    assert read(file) is read(file)
    assert read(file, 2) == ["one", "one"]


def test_an_overwritten_file_is_read_again(file: str) -> None:
    before = read(file)
    Path(file).write_text("another")
    assert (before, read(file)) == (["one"], ["another"])


def test_a_file_of_the_same_size_and_time_in_its_place_is_read(file: str, tmp_path: Path) -> None:
    before, times = read(file), os.stat(file)
    (tmp_path / "b").write_text("two")
    os.utime(tmp_path / "b", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "b").replace(file)
    assert (before, read(file)) == (["one"], ["two"])


def test_a_file_that_is_gone_is_missed(file: str) -> None:
    read(file)
    Path(file).unlink()
    with pytest.raises(FileNotFoundError):
        read(file)


@pytest.mark.parametrize("path", ["/nowhere", "\0", "x" * 5000])
def test_what_is_not_there_has_an_empty_stamp(path: str) -> None:
    assert stamp(path) == ()


def test_a_cached_function_is_cleared_pickled_and_named_as_itself(file: str) -> None:
    before = read(file)
    read.cache_clear()
    assert read(file) is not before
    assert pickle.loads(pickle.dumps(read)) is read  # noqa: S301
    assert (read.__name__, read.__doc__) == ("read", "Read a file.")  # type: ignore[attr-defined]
