"""atomic_write: a file appears whole, or not at all."""

import os
from pathlib import Path

import pytest

from verienv.core.files import atomic_write


def test_a_file_appears_at_the_end_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path) as part:
        part.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_write(path) as part:
            part.write_text("ha")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no devices in the file system")
def test_a_device_is_written_to_and_stays_a_device() -> None:
    with atomic_write(os.devnull) as path:
        path.write_text("gone")
    assert not Path(os.devnull).is_file()


def test_a_folder_in_the_way_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=tmp_path.name), atomic_write(tmp_path) as path:
        path.write_text("nowhere")
    assert tmp_path.is_dir()
