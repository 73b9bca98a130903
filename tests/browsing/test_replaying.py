import json
import re

import pytest

import verienv
from verienv.browsing.collection import Collection
from verienv.browsing.finding import find
from verienv.browsing.replaying import Reader


def row_of(collection, name):
    return int(collection.table.begins[[source.found.name for source in collection.sources].index(name)])


def changed_log(logs, folder, change, header=None):
    lines = [json.loads(line) for line in (logs / "wrong.jsonl").read_text().splitlines()]
    lines[1] = change(lines[1])
    if header:
        lines[0]["setup"] = {**lines[0]["setup"], **header}
    path = folder / "changed.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Collection.read(find([path]))


def test_an_episode_is_opened_with_its_responses(collection):
    told = Reader(collection).episode(row_of(collection, "wrong.jsonl"))
    assert [line["attempt"] for line in told["lines"]] == [1, 2]
    assert told["lines"][0]["response"].startswith("</script><img")
    assert told["notes"] == []


def test_a_replay_plays_the_responses_of_the_log_as_they_were_asked(collection):
    told = Reader(collection).replay(row_of(collection, "wrong.jsonl"))
    assert told["notes"] == []
    assert "played by <b>wrong &lt;b&gt;</b>" in told["html"]
    assert "<img" not in told["html"]
    assert len(re.findall(r'<section class="frame', told["html"])) == 2


def test_saved_results_say_that_they_hold_no_responses(collection):
    row = row_of(collection, "saved/results.json")
    assert Reader(collection).episode(row)["notes"] == ["Saved results hold no responses; open the log for them."]
    with pytest.raises(ValueError, match="saved results hold no responses"):
        Reader(collection).replay(row)


def test_a_verdict_that_was_changed_is_told(logs, tmp_path):
    def change(line):
        return {**line, "verdict": {**line["verdict"], "reward": 5.0, "failure": ""}}

    reader = Reader(changed_log(logs, tmp_path, change))
    assert reader.episode(0)["notes"] == ["The line of attempt 1 was changed after it was written."]
    [note] = reader.replay(0)["notes"]
    assert note.startswith("Attempt 1: the log says correct, reward 5; judged again, it is ")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"env_id": "os:system-v0"}, "env_id="),
        ({"env_id": "mine/Unknown-v0"}, "env_id="),
        ({"cells": {"train": {"split": "train", "deck": "/etc/passwd"}}}, "deck|visual|path"),
        ({"cells": {"train": {"split": "train", "rows": "0" * 64}}}, "asked the rows of a file"),
        ({"seed": 5}, "where this version deals"),
    ],
)
def test_a_log_that_cannot_be_dealt_here_imports_nothing_opens_nothing_and_says_why(header, told, logs, tmp_path):
    with pytest.raises(ValueError, match=told):
        Reader(changed_log(logs, tmp_path, lambda line: line, header)).replay(0)


def test_a_log_of_routes_opens_no_path_that_is_not_trusted(tmp_path):
    log = tmp_path / "routes.jsonl"
    verienv.evaluate("expert", "verienv/VIRL-L-v0", ("train",), episodes=1, log=log, progress=False)
    lines = log.read_text().splitlines()
    head = json.loads(lines[0])
    head["setup"]["cells"]["train"]["data"] = "/etc/passwd"
    log.write_text("\n".join([json.dumps(head), *lines[1:]]) + "\n")
    with pytest.raises(ValueError, match=r"opens a path of this machine \(data='/etc/passwd'\)"):
        Reader(Collection.read(find([log]))).replay(0)


def test_a_log_that_changed_under_the_table_is_told(logs, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes((logs / "wrong.jsonl").read_bytes())
    reader = Reader(Collection.read(find([path])))
    path.write_bytes((logs / "expert.jsonl").read_bytes())
    with pytest.raises(ValueError, match="has changed since it was read"):
        reader.episode(3)
