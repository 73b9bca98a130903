"""Lines are read in bounded memory, whatever made the file smaller."""

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from verienv.core import reading
from verienv.core.reading import read_lines, read_whole

TEXT = b"one\ntwo\n" + b"\n" + b"last"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_lines_are_read_whatever_made_the_file_smaller(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "rows"
    path.write_bytes(pack(TEXT))
    with path.open("rb") as file:
        assert list(read_lines(file, path)) == [b"one\n", b"two\n", b"\n", b"last"]
    assert list(read_lines(io.BytesIO(pack(TEXT)), path))[-1] == b"last"
    assert read_whole(path) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:30] + b"\xff" * 40 + data[70:]])
def test_damaged_data_is_an_error_that_names_the_file(
    pack: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]
) -> None:
    packed = damage(pack(bytes(range(256)) * 20))
    with pytest.raises(ValueError, match=r"^rows: damaged, or no whole file \("):
        list(read_lines(io.BytesIO(packed), "rows"))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="reads zstd")
def test_what_cannot_be_unpacked_here_is_told_with_the_way_to_do_it() -> None:
    with pytest.raises(ValueError, match=r"^rows\.zst: zstd is read from Python 3\.14 on; .*zstd -d"):
        list(read_lines(io.BytesIO(b"\x28\xb5\x2f\xfd1234"), "rows.zst"))


def test_of_a_long_line_no_more_than_the_bound_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LINE", 10)
    monkeypatch.setattr(reading, "MOST_SKIPPED", 100)
    lines = [b"a" * 9 + b"\n", b"b" * 99 + b"\n", b"c\n", b"d" * 10, b""]
    packed = gzip.compress(b"".join(lines), mtime=0)
    assert list(read_lines(io.BytesIO(packed), "rows")) == [lines[0], b"b" * 11, b"c\n", lines[3]]
    with pytest.raises(ValueError, match="rows, line 2: longer than"):
        list(read_lines(io.BytesIO(b"a\n" + b"b" * 200), "rows"))
