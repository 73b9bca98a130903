"""Tables in files: rows one by one, whatever the file."""

import gzip
import json
import random

import pytest
from tests.fuzz import damage

from verienv.core import table_file
from verienv.core.table_file import read_table

ROWS = [{"a": 1}, {"text": "é\u2028😀 ]},{["}, {}, {"long": "x" * 20_000}, {"deep": [[{"b": []}]]}]


def read(path):
    return [(number, row if isinstance(row, dict) else str(row)) for number, row in read_table(path)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_array_is_read_row_by_row_as_json_reads_it(tmp_path, indent, ascii, pack):
    path = tmp_path / ("a.json.gz" if pack is gzip.compress else "a.json")
    for rows in (ROWS, ROWS[:1], []):
        path.write_bytes(pack(b"\xef\xbb\xbf " + json.dumps(rows, indent=indent, ensure_ascii=ascii).encode() + b"\n"))
        assert read(path) == [*enumerate(rows, 1)]


def test_what_is_no_object_is_a_fault_of_its_row_alone(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[1, {"a": 2}, "x", 12345]')
    assert [number for number, row in read(path) if isinstance(row, str)] == [1, 3, 4]


@pytest.mark.parametrize(
    "text", ["", "{}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1] 2", "[1]]", "[\x0c]", "[" * 99_999, '["\ud800"]']
)
def test_what_is_no_array_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r"a\.json: is n.*; JSON lines end in \.jsonl"):
        read(path)


def test_damaged_arrays_are_read_as_json_reads_them_or_refused(tmp_path):
    path, rng = tmp_path / "a.json", random.Random(0)
    whole = json.dumps(ROWS[:3] * 2).encode()
    for _ in range(100):
        data = damage.raw(whole, rng)
        path.write_bytes(data)
        try:
            found = json.loads(data.decode("utf-8-sig"))
        except ValueError:
            found = None
        if isinstance(found, list):
            assert [row for _, row in read(path) if isinstance(row, dict)] == [r for r in found if isinstance(r, dict)]
        else:
            with pytest.raises(ValueError, match=r"a\.json: "):
                read(path)


def test_a_row_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_file, "_SIZES", (8, 64))
    monkeypatch.setattr(table_file, "MOST_LINE", 64)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"a": "x" * 40}, {"a": "x" * 50}, {"a": "x" * 70}, {"a": 1}]))
    with pytest.raises(ValueError, match="a row longer than"):
        read(path)


def test_few_bytes_of_parquet_do_not_stand_for_many_values(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.setattr(table_file, "_MOST_VALUES", 1000)
    path = tmp_path / "a.parquet"
    column = pyarrow.array([[None] * 1001], pyarrow.list_(pyarrow.int8()))
    parquet.write_table(pyarrow.table({"cards": column}), path)
    with pytest.raises(ValueError, match="more than 1,000 values in a column"):
        read(path)


def test_repeated_texts_of_parquet_are_in_memory_once(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    texts = pyarrow.DictionaryArray.from_arrays([0] * 64, ["x" * 1_000_000])
    parquet.write_table(pyarrow.table({"question": texts, "turns": [[{"value": "y"}]] * 64}), tmp_path / "a.parquet")
    before = pyarrow.total_allocated_bytes()
    rows = iter(read_table(tmp_path / "a.parquet"))
    assert next(rows) == (1, {"question": "x" * 1_000_000, "turns": [{"value": "y"}]})
    assert pyarrow.total_allocated_bytes() - before < 20_000_000
