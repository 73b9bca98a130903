"""Files of published questions as rows."""

import gzip
import json

import pytest
from tests.demos.published import ANSWER, conversation, hand_prompt, route_answer, route_prompt, table_row

import verienv
from verienv.demos import published_rows, read_demonstrations, read_published

GOOD = conversation(hand_prompt())
ROWS = [GOOD, conversation(route_prompt(), route_answer()), table_row(hand_prompt())]


def array(folder, rows, name="data.json"):
    path = folder / name
    path.write_text(json.dumps(rows))
    return path


def test_rows_keep_prompt_and_answer_as_published(tmp_path):
    [row] = read_published(array(tmp_path, [GOOD]))
    assert row["prompt"] == [{"role": "user", "content": hand_prompt()}]
    assert row["completion"] == [{"role": "assistant", "content": ANSWER}]


def test_rows_of_both_tasks_and_forms_are_judged_right(tmp_path):
    for row in read_published(array(tmp_path, ROWS)):
        assert verienv.judge(row, row["completion"][0]["content"]).is_correct


def test_the_episode_of_a_row_asks_in_the_published_words(tmp_path):
    [row] = read_published(array(tmp_path, [GOOD]))
    assert verienv.Episode.of(row).messages == row["prompt"]


def test_a_question_without_an_answer_is_a_row_without_completion(tmp_path):
    row = table_row([{"role": "user", "content": hand_prompt()}])
    del row["answer"]
    [read] = read_published(array(tmp_path, [row]))
    assert "completion" not in read


def test_lines_may_be_compressed(tmp_path):
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode() + b"\n\n" + json.dumps(GOOD).encode(), mtime=0))
    assert [row["id"] for row in read_published(path)] == ["data.jsonl/1", "data.jsonl/3"]


def test_parquet_is_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "train.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([table_row(hand_prompt())] * 3), path)
    assert [row["values"] for row in read_published(path)] == [[4, 3, 2, 10]] * 3


def test_rows_written_as_lines_are_demonstrations_to_train_on(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in read_published(array(tmp_path, ROWS))))
    assert [row["completion"][0]["content"] for row in read_demonstrations(path)] == [ANSWER, route_answer(), ANSWER]


BAD = [
    (17, "is 17, expected a JSON object"),
    ({"text": "?"}, "expected conversations of human and gpt, or question and answer"),
    ({"conversations": "?"}, "expected one turn of human and one of gpt"),
    ({"conversations": [{"from": "gpt"}, {"from": "human"}]}, "expected one turn of human and one of gpt"),
    ({"conversations": [{"from": "human", "value": 1}, {"from": "gpt", "value": ""}]}, "value=1: expected a text"),
    (conversation("\ud800" + hand_prompt()), "surrogates not allowed"),
    (conversation("x" * 10_000), "is of no published form of a task"),
    ({"question": [["deep"]], "answer": "?"}, "expected a text, or one message of the user's"),
    ({**GOOD, "image": "hand.png"}, "it has 1 pictures, and its words name what they show"),
    ({**GOOD, "image": {"bytes": ""}}, "expected a path, or a list of paths"),
]


@pytest.mark.parametrize(("row", "told"), BAD, ids=[told[:30] for _, told in BAD])
def test_a_bad_row_is_one_line_with_its_number_and_hides_no_other(tmp_path, row, told):
    path = array(tmp_path, [GOOD, row, GOOD])
    before, fault, after = published_rows(path)
    assert str(fault).startswith(f"{path}, row 2: ")
    assert told in str(fault)
    assert "\n" not in str(fault)
    assert before["values"] == after["values"] == [4, 3, 2, 10]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("data.json", b"[" * 100_000, "is nested too deeply"),
        ("data.json", b"{}", "is no JSON array of rows"),
        ("data.json", b'["\xff"]', "is no JSON in UTF-8"),
        ("data.json.gz", gzip.compress(b"[]" * 9000, mtime=0)[:30], "damaged, or no whole file"),
        ("data.parquet", b"PAR1" + bytes(100) + b"PAR1", "no whole parquet file"),
        ("missing.json", None, "there is no such file"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, name, data, told):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=told):
        list(published_rows(tmp_path / name))
