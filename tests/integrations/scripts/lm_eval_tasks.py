"""A server is asked by lm-evaluation-harness, and its answers are judged as by verienv: lm_eval_tasks.py FOLDER."""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from math import isclose
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

import lm_eval
import numpy as np
from forty_rows import SETTINGS, forty
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from PIL import Image
from scripted import HOSTILE
from stand_in import stand_in

import verienv
from verienv import Episode
from verienv.adapters.lm_eval import __path__ as folders
from verienv.core.dialogue import parts_of

FOLDER, COUNT = folders[0], 12
WAYPOINT = {"episode": "waypoint"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "verienv_generalpoints": ("verienv/GeneralPoints-L-v0", {}),
    "verienv_virl": ("verienv/VIRL-L-v0", WAYPOINT),
    "verienv_generalpoints_vl": ("verienv/GeneralPoints-VL-v0", {}),
    "verienv_virl_vl": ("verienv/VIRL-VL-v0", WAYPOINT),
}
Key = tuple[str, str]


def key(message: Mapping[str, Any], picture: Any = None) -> Key:
    """The words of a message, and a hash of the pixels that it shows."""
    parts = parts_of({"content": message["content"]})
    words = "".join(part["text"] for part in parts if part["type"] == "text").removeprefix("<image>")
    for part in parts:
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].partition(",")[2], validate=True)
            picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return words, "" if picture is None else sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()


def answers(rows: list[dict[str, Any]]) -> dict[Key, str]:
    """An answer to each question: a right one, a wrong one, an unreadable one, and so on."""
    found = {}
    for number, row in enumerate(rows):
        episode = Episode.of(row)
        failure = next(each for each in ("wrong_value", "wrong_action") if each in episode.measures.failures)
        wrong = episode.question.wrong(failure, np.random.default_rng(number)) or ""
        said = (episode.expert(), wrong, HOSTILE[number % len(HOSTILE)], f"So: {episode.expert()}\n\nThat is it.")
        asked = key(episode.messages[-1], *episode.pictures)
        found.setdefault(asked, said[number % len(said)])
    return found


def played(task: str) -> dict[str, Any]:
    env_id, own = CASES[task]
    rows = verienv.rows(env_id, "rule_ood", n=COUNT, attempts=1, **own)
    known = answers(rows)
    with stand_in(lambda messages: known[key(messages[-1])]) as url:
        told = lm_eval.simple_evaluate(
            model="local-chat-completions",
            model_args={"model": "stand-in", "base_url": f"{url}/chat/completions"},
            tasks=[task],
            task_manager=TaskManager(include_path=FOLDER, metadata={"split": "rule_ood", "n": COUNT}),
            apply_chat_template=True,
            bootstrap_iters=100,
        )
    responses = [known[key(episode.messages[-1], *episode.pictures)] for episode in map(Episode.of, rows)]
    verdicts = [verienv.judge(row, said) for row, said in zip(rows, responses, strict=True)]
    samples = sorted(told["samples"][task], key=lambda each: each["doc_id"])
    results = told["results"][task]
    correct = [float(verdict.is_correct) for verdict in verdicts]
    found = {
        "correct": [each["correct"] for each in samples] == correct,
        "rewards": [each["reward"] for each in samples] == [verdict.reward for verdict in verdicts],
        "mean": isclose(results["correct,none"], sum(correct) / COUNT),
        "share": results["correct,none"],
        "error": results["correct_stderr_by_cluster,none"],
        "recognition": results.get("recognition,none"),
    }
    if not task.endswith("_vl"):
        replies = iter(responses)
        by_evaluate = verienv.evaluate(lambda _: [next(replies)], env_id, {"rows": {"rows": rows}}, batch_size=1)
        found["as by evaluate"] = isclose(by_evaluate.cells["rows"].metrics["success"].mean, results["correct,none"])
    return found


class Said(LM):
    """A model that answers a document as it is told, by the document's id."""

    MULTIMODAL = True

    def __init__(self, said: dict[str, str]) -> None:
        super().__init__()
        self._said = said

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        return [self._said[request.doc["id"]] for request in requests]

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> Any:
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


def earned(env_id: str, folder: Path) -> dict[str, Any]:
    """What the answers of the forty rows of an id earn one by one, and what they are to earn."""
    [task] = [name for name, (own, _) in CASES.items() if own == env_id]
    rows, said, paid = [], {}, {}
    for each in (each for each in forty() if each.env_id == env_id):
        for number, (row, answer, price) in enumerate(zip(each.asked, each.said, each.paid, strict=True)):
            name = f"{row['id']} {number}"
            rows.append({**row, "id": name})
            said[name], paid[name] = answer, price
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{task}.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    told = lm_eval.simple_evaluate(
        model=Said(said),
        tasks=[task],
        task_manager=TaskManager(include_path=FOLDER, metadata={"rows": str(file)}),
        bootstrap_iters=100,
    )
    found = {each["doc"]["id"]: each["reward"] for each in told["samples"][task]}
    return {"earned": [found[name] for name in paid], "paid": list(paid.values())}


def by_command(folder: Path) -> dict[str, Any]:
    """Ask for exported rows by the command ``lm_eval run``."""
    rows = verienv.rows("verienv/VIRL-L-v0", "visual_ood", n=4, unit="question", attempts=1)
    known = answers(rows)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    command = [str(Path(sys.executable).with_name("lm_eval")), "run", "--include_path", FOLDER]
    with stand_in(lambda messages: known[key(messages[-1])]) as url:
        where = ["--model", "local-chat-completions", "--model_args", f"model=m,base_url={url}/chat/completions"]
        rest = ["--tasks", "verienv_virl", "--metadata", json.dumps({"rows": str(file)}), "--apply_chat_template"]
        subprocess.run([*command, *where, *rest, "--output_path", folder], check=True, stdout=sys.stderr)
    (saved,) = folder.glob("**/results_*.json")
    results = json.loads(saved.read_text())["results"]["verienv_virl"]
    responses = [known[key(row["prompt"][-1])] for row in rows]
    right = [verienv.judge(row, said).is_correct for row, said in zip(rows, responses, strict=True)]
    return {"correct": results["correct,none"], "expected": sum(right) / len(right)}


def main() -> None:
    told = {task: played(task) for task in CASES}
    versions = {name: version(name) for name in ("lm_eval", "datasets", "gymnasium", "numpy")}
    told["forty"] = {env_id: earned(env_id, Path(sys.argv[1]) / "forty") for env_id in SETTINGS}
    more = {"torch": find_spec("torch") is not None, "command": by_command(Path(sys.argv[1]))}
    print(json.dumps({"versions": versions, **told, **more}))


if __name__ == "__main__":
    main()
