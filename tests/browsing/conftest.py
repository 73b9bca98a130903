import json
from pathlib import Path

import pytest

import verienv
from verienv.browsing.collection import Collection
from verienv.browsing.finding import find

ENV = "verienv/GeneralPoints-L-v0"
HOSTILE = "</script><img src=x onerror=alert(1)> Sum: 1+1"


def half(dialogues):
    """Answer each second dialogue as the expert of another hand would: wrongly, in hostile words."""
    return [HOSTILE + json.dumps({"cards": ["A"], "number": [1], "formula": "1"}) for _ in dialogues]


@pytest.fixture(scope="session")
def logs(tmp_path_factory) -> Path:
    """A folder with the logs of two policies, the saved results of one, and a training run."""
    folder = tmp_path_factory.mktemp("logs")
    how = {"episodes": 4, "attempts": 2, "progress": False}
    verienv.evaluate("expert", ENV, ("train", "test"), log=folder / "expert.jsonl", **how)
    wrong = verienv.evaluate(half, ENV, ("train", "test"), log=folder / "wrong.jsonl", name="wrong <b>", **how)
    (folder / "saved").mkdir()
    wrong.save(folder / "saved/results.json")
    run = folder / "runs/ppo"
    run.mkdir(parents=True)
    (run / "config.json").write_text(json.dumps({"arguments": {"seed": 3, "model": "tiny-lm"}}))
    lines = [json.dumps({"update": update, "loss": 1 / update, "fields": {"formula": 0.5}}) for update in range(1, 6)]
    (run / "log.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def collection(logs) -> Collection:
    """All that lies in the folder."""
    return Collection.read(find([logs]))
