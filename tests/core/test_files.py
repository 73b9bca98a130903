"""Files appear whole, or not at all."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from verienv.core import files
from verienv.core.files import atomic_text, atomic_write, part_beside

is_posix = pytest.mark.skipif(os.name != "posix", reason="asks for signals and links as POSIX has them")


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


@is_posix
@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path, is_there: bool) -> None:
    link, target = tmp_path / "link", tmp_path / "far" / "target"
    link.symlink_to("far/target")
    if is_there:
        target.parent.mkdir()
        target.write_text("old")
    with atomic_write(link) as part:
        part.write_text("new")
        assert part.parent == target.parent
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@is_posix
def test_a_link_that_leads_to_itself_is_an_error_and_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("link")
    with pytest.raises(OSError, match="link"), atomic_write(link):
        pass
    assert link.is_symlink()


@is_posix
def test_the_permissions_of_a_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o600)
    with atomic_write(path) as part:
        part.write_text("new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


@is_posix
def test_a_file_that_may_not_be_written_to_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for a file of mode 444, unless one is root
    with pytest.raises(PermissionError, match="file"), atomic_write(path) as part:
        part.write_text("new")
    assert path.read_text() == "old"


def test_an_error_names_the_file_and_not_the_half_written_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for fails in (lambda part: (part / "below").write_text(""), lambda part: os.replace(part, part)):

        def write(fails: Callable[[Path], object] = fails) -> None:
            with atomic_write(path) as part:
                fails(part)

        with pytest.raises(OSError, match="file") as caught:
            write()
        assert ".part" not in str(caught.value) or "below" in str(caught.value)


@pytest.mark.parametrize("length", [176, 251, 255])
@pytest.mark.parametrize("letter", ["n", "\u00e9"])
def test_the_longest_names_can_be_written(tmp_path: Path, length: int, letter: str) -> None:
    path = tmp_path / (letter * (length // len(letter.encode())))
    with atomic_write(path) as part:
        part.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def left_by(process: int, name: str = "file", number: int = 0, host: str = files._HOST) -> str:
    return f"{name}.{host}-{process}-{number}.part"


@is_posix
def test_what_a_dead_process_left_is_removed_by_the_next_that_writes_the_same_path(tmp_path: Path, dead: int) -> None:
    path = tmp_path / "file"
    (tmp_path / left_by(dead)).write_text("half")
    (tmp_path / left_by(dead, number=77)).mkdir()
    (tmp_path / left_by(dead, number=77) / "picture").write_text("half")
    with atomic_write(path) as part:
        part.write_text("whole")
    assert list(tmp_path.iterdir()) == [path]


@is_posix
def test_nothing_else_is_removed(tmp_path: Path, dead: int) -> None:
    kept = {
        left_by(os.getppid()),  # a process that lives
        left_by(1),
        left_by(dead, host="elsewhere"),
        left_by(dead, name="other"),
        left_by(dead).removesuffix(".part"),
        f"file.{dead}.part",
        "file.part",
    }
    assert part_beside(tmp_path / "file").name.startswith(left_by(os.getpid()).removesuffix("0.part"))
    for name in kept:
        (tmp_path / name).write_text("precious")
    with atomic_write(tmp_path / "file") as part:
        part.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "file"}


def test_two_writers_of_one_path_do_not_share_a_half_written_file(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "file") as one:
        one.write_text("one")
        with atomic_write(tmp_path / "file") as two:
            two.write_text("two")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "one")]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "ROWS.GZ"])
def test_text_is_compressed_where_the_name_says_so_and_always_alike(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        with atomic_text(folder / name) as file:
            file.write("Grüße\n")
    one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
    assert one == two
    assert (gzip.decompress(one) if name.lower().endswith("gz") else one).decode() == "Grüße\n"
