import gzip
import json

import pytest

from verienv.browsing.log_index import FAILED, SOLVED, UNFINISHED, read_attempt, read_index


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def written(folder, parts):
    path = folder / "log.jsonl"
    path.write_bytes(b"".join(parts))
    return path


def test_an_episode_is_told_by_the_facts_of_its_lines(logs):
    index = read_index(logs / "wrong.jsonl")
    first = index.episodes[0]
    assert (first.cell, first.episode, first.attempts, first.state) == ("train", 0, 2, FAILED)
    assert first.failure == json.loads(lines(logs / "wrong.jsonl")[2])["verdict"]["failure"]
    assert first.reward == sum(json.loads(line)["verdict"]["reward"] for line in lines(logs / "wrong.jsonl")[1:3])
    assert (len(index.episodes), index.faults, index.setup.policy) == (8, [], "wrong <b>")
    assert {episode.state for episode in read_index(logs / "expert.jsonl").episodes} == {SOLVED}


def test_the_bytes_of_an_episode_are_where_its_lines_stand(logs):
    data = (logs / "wrong.jsonl").read_bytes()
    for episode in read_index(logs / "wrong.jsonl").episodes:
        told = [json.loads(line) for line in data[episode.start : episode.end].splitlines()]
        assert [line["episode"] for line in told] == [episode.episode] * 2


def test_another_spelling_of_a_line_is_read_alike(logs):
    for line in lines(logs / "wrong.jsonl")[1:]:
        other = json.dumps(dict(reversed(json.loads(line).items())), ensure_ascii=False, indent=None).encode()
        known = read_attempt(line, "cards_correct")
        assert read_attempt(other, "cards_correct") == known._replace(unchanged=False)  # the order counts


@pytest.mark.parametrize(
    "forged",
    [
        '", "verdict": {"reward": 9.0, "is_correct": true, "failure": "", "success": true, "over": true}',
        ', "success": true, "over": true}',
        '"metrics": {"cards_correct": true}',
        "\\",
        '\\", "verdict": {"reward": 9.0',
    ],
)
def test_a_response_cannot_pass_for_the_rest_of_its_line(forged, logs):
    line = json.loads(lines(logs / "wrong.jsonl")[1])
    text = json.dumps({**line, "response": forged}).encode()
    known = read_attempt(lines(logs / "wrong.jsonl")[1], "cards_correct")
    assert read_attempt(text, "cards_correct") == known._replace(unchanged=False)


def test_what_breaks_off_is_unfinished_and_a_line_being_written_is_no_fault(logs, tmp_path):
    index = read_index(written(tmp_path, [*lines(logs / "wrong.jsonl")[:4], b'{"cell": "train", "epi']))
    assert [episode.state for episode in index.episodes] == [FAILED, UNFINISHED]
    assert index.faults == []


def test_lines_that_are_none_are_told_by_their_numbers_and_the_others_are_kept(logs, tmp_path):
    told = lines(logs / "wrong.jsonl")
    index = read_index(written(tmp_path, [*told[:3], b"[1]\n", b"\xff\n", *told[3:5], told[2], *told[1:3]]))
    assert len(index.episodes) == 2
    assert index.faults == [
        "line 4: expected a JSON object",
        "line 5: no JSON",
        "line 8: attempt 2 follows no attempt before it",
        "line 9: episode 0 is told a second time",
        "line 10: attempt 2 follows no attempt before it",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"episode": -1},
        {"episode": True},
        {"cell": 3},
        {"over": 1},
        {"verdict": []},
        {"episode": 10**30},
        {"response": 1},
    ],
)
def test_a_line_of_other_kinds_is_a_fault(change, logs, tmp_path):
    told = lines(logs / "wrong.jsonl")
    changed = json.dumps({**json.loads(told[1]), **change}).encode() + b"\n"
    index = read_index(written(tmp_path, [told[0], changed]))
    assert (index.episodes, len(index.faults)) == ([], 1)


def test_a_packed_log_is_read_like_a_plain_one(logs, tmp_path):
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress((logs / "wrong.jsonl").read_bytes()))
    assert read_index(path).episodes == read_index(logs / "wrong.jsonl").episodes


def test_a_line_that_was_changed_is_told_and_its_episode_kept(logs, tmp_path):
    told = lines(logs / "wrong.jsonl")
    changed = told[1].replace(b'"reward": -', b'"reward": ')
    assert changed != told[1]
    index = read_index(written(tmp_path, [told[0], changed, *told[2:]]))
    assert index.faults == ["line 2: it was changed after it was written"]
    assert len(index.episodes) == len(read_index(logs / "wrong.jsonl").episodes)


def test_the_checksum_of_another_spelling_is_that_of_its_fields(logs):
    line = json.loads(lines(logs / "wrong.jsonl")[1])
    assert read_attempt(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(), "").unchanged
    assert not read_attempt(json.dumps({**line, "crc32": line["crc32"] ^ 1}).encode(), "").unchanged
    del line["crc32"]
    assert read_attempt(json.dumps(line).encode(), "").unchanged
