"""Models play by Inspect, and earn what they earn by verienv.evaluate: inspect_ai_episodes.py FOLDER."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from math import isclose
from pathlib import Path
from typing import Any

from forty_rows import COUNT as EACH
from forty_rows import SEED, SETTINGS, SPLIT, forty
from inspect_ai import Task, eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate
from scripted import KINDS, Scripted
from stand_in import stand_in

import verienv
from verienv import Episode
from verienv.adapters.inspect_ai import play, samples, verified
from verienv.adapters.lm_eval import stderr_by_cluster

GENERAL, ROUTES = {"split": "rule_ood"}, {"split": "test", "turns": [1, 1]}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cards in words": ("generalpoints", "verienv/GeneralPoints-L-v0", GENERAL),
    "cards by sight": ("generalpoints", "verienv/GeneralPoints-VL-v0", GENERAL | {"vision": True}),
    "routes in words": ("virl", "verienv/VIRL-L-v0", ROUTES),
    "routes by sight": ("virl", "verienv/VIRL-VL-v0", ROUTES | {"vision": True, "view_size": 64}),
}
COUNT = 2 * len(KINDS)


def model(policy: Any, asked: list[Any]) -> Any:
    """Inspect's mock model, which keeps the messages that it is given; usage is told, else it fetches a tokenizer."""

    def say(messages: list[Any], *_: Any) -> ModelOutput:
        asked.append([(message.role, message.text, pictures_in(message.content)) for message in messages])
        said = ModelOutput.from_content(model="scripted", content=policy.answer())
        said.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return said

    return get_model("mockllm/model", custom_outputs=say, memoize=False)


def pictures_in(content: Any) -> list[str]:
    return [] if isinstance(content, str) else [part.image for part in content if part.type == "image"]


def run(task: Any, policy: Any, folder: Path, **rest: Any) -> tuple[EvalLog, list[Any]]:
    asked: list[Any] = []
    quiet = {"display": "none", "log_dir": str(folder), "max_samples": 1}
    (log,) = eval(task, model=model(policy, asked), **{**quiet, **rest})
    assert log.status == "success", log.error
    return log, asked


def plain(messages: list[dict[str, Any]]) -> tuple[str, str, list[str]]:
    """OpenAI's messages as ``model`` keeps Inspect's."""
    found = []
    for message in messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        texts = "\n".join(part["text"] for part in parts if part["type"] == "text")
        found.append((message["role"], texts, [part["image_url"]["url"] for part in parts if "image_url" in part]))
    return found


def compared(case: str, folder: Path) -> dict[str, Any]:
    """What Inspect and ``evaluate`` say of the same instances and answers, and whether the same was asked."""
    name, env_id, settings = CASES[case]
    own = {key: value for key, value in settings.items() if key != "vision"}
    rows = verienv.rows(env_id, n=COUNT, **own)
    policy = Scripted(rows)
    log, asked = run(f"verienv/{name}", policy, folder, task_args={**settings, "n": COUNT})
    again = Scripted(rows)
    cell = {**own, "instances": [row["instance"] for row in rows]}
    told = verienv.evaluate(lambda dialogues: [again.answer()], env_id, {"cell": cell}, batch_size=1)
    scores = [sample.scores["verified"].value for sample in sorted(log.samples, key=lambda each: each.id)]
    renamed = {"generalpoints": "cards_correct", "virl": "observation_accuracy_per_episode"}[name]
    expected = [
        {"recognition" if "VL" in env_id and key == renamed else key: value for key, value in each.metrics.items()}
        for each in told.episodes
    ]
    measured = {score.name: score.metrics for score in log.results.scores}
    means = {key: sum(each[key] for each in expected) / COUNT for key in expected[0]}
    return {
        "scores": scores == expected,
        "means": all(isclose(measured[key]["mean"].value, mean) for key, mean in means.items()),
        "metrics": sorted(measured),
        "asked": asked == [plain(messages) for messages in policy.told],
        "pictures": sum(len(pictures) for messages in asked for _, _, pictures in messages) > 0,
        "success": [score["success"] for score in scores],
        "failures": [sample.scores["verified"].metadata["failures"] for sample in log.samples],
    }


class Said:
    """A policy that says what the forty rows of an id are answered, one episode after the other."""

    def __init__(self, env_id: str) -> None:
        self._left = [said for each in forty() if each.env_id == env_id for said in each.said]

    def answer(self) -> str:
        return self._left.pop(0)


def earned(env_id: str, folder: Path) -> dict[str, Any]:
    """What the forty rows of an id earn by Inspect, and what they are to earn."""
    dataset = samples(env_id, SPLIT, n=EACH, seed=SEED, **SETTINGS[env_id])
    log, _ = run(Task(dataset=dataset, solver=play(), scorer=verified()), Said(env_id), folder)
    found = {sample.id: sample.scores["verified"].value["reward"] for sample in log.samples}
    rows = [each for each in forty() if each.env_id == env_id]
    return {"earned": [found[each.row["id"]] for each in rows], "paid": [each.reward for each in rows]}


def clustered(folder: Path) -> bool:
    """Whether samples that share a cluster count as one trial, in a task of one's own, and its log scores alike."""
    rows = verienv.rows("verienv/GeneralPoints-L-v0", n=8, attempts=1)
    dataset = samples("verienv/GeneralPoints-L-v0", "train", n=8, attempts=1)
    twice = [each.model_copy(update={"id": f"{each.id} {copy}"}) for copy in range(2) for each in dataset]
    log, _ = run(Task(dataset=twice, solver=play(), scorer=verified()), Scripted([*rows, *rows]), folder)
    success = next(score for score in log.results.scores if score.name == "success").metrics["stderr"].value
    pairs = [(each.scores["verified"].value["success"], each.metadata["cluster"]) for each in log.samples]
    alone = stderr_by_cluster([(value, str(number)) for number, (value, _) in enumerate(pairs)])
    return isclose(success, stderr_by_cluster(pairs)) and success > 1.3 * alone


def cut_short(folder: Path) -> dict[str, Any]:
    """What an episode scores that a limit on messages ends behind its second answer."""
    policy = Scripted(verienv.rows("verienv/GeneralPoints-L-v0", "test", n=1), ["wrong"])
    log, _ = run("verienv/generalpoints", policy, folder, task_args={"n": 1}, message_limit=4)
    (sample,) = log.samples
    return {"limit": sample.limit.type, "scores": sample.scores["verified"].value}


def by_another_solver(folder: Path) -> list[float]:
    """What right answers earn where Inspect's own solver asks for them."""
    rows = verienv.rows("verienv/GeneralPoints-L-v0", "test", n=2)
    log, _ = run("verienv/generalpoints", Scripted(rows, ["right"]), folder, task_args={"n": 2}, solver=generate())
    return [sample.scores["verified"].value["success"] for sample in log.samples]


def of_ones_own(folder: Path) -> list[float]:
    """What the expert's answers earn on the task of a module that is no part of verienv."""
    sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))
    env_id = "my_task:mine/Countdown-v0"
    policy = Scripted(verienv.rows(env_id, "test", n=2), ["right"])
    log, _ = run("verienv/environment", policy, folder, task_args={"env_id": env_id, "n": 2})
    return [sample.scores["verified"].value["success"] for sample in log.samples]


def by_command(folder: Path) -> dict[str, Any]:
    """Play by the commands ``inspect eval``, at a server that answers nothing useful, and ``inspect score``."""
    asked: list[Any] = []

    def say(messages: list[dict[str, Any]]) -> str:
        asked.append(messages)
        return HOSTILE_REPLY

    inspect = str(Path(sys.executable).with_name("inspect"))
    quiet = ["--display", "none"]
    environment = os.environ | {"STANDIN_API_KEY": "none"}
    with stand_in(say) as url:
        where = ["--model", "openai-api/standin/model", "--model-base-url", url, "--log-dir", str(folder)]
        arguments = ["-T", "split=rule_ood", "-T", "n=2", "-T", "vision=true", "-T", "attempts=2"]
        command = [inspect, "eval", "verienv/generalpoints", *arguments, *where, *quiet]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        wrong = [inspect, "eval", "verienv/generalpoints", "-T", "spilt=test", *where, *quiet]
        refused = subprocess.run(wrong, check=False, env=environment, capture_output=True, text=True)
    (file,) = folder.glob("*.eval")
    before = read_eval_log(str(file))
    again = [
        inspect,
        "score",
        str(file),
        "--scorer",
        "verienv/verified",
        "--action",
        "overwrite",
        "--overwrite",
        *quiet,
    ]
    subprocess.run([*again, *quiet], check=True, env=environment, stdout=sys.stderr)
    after = read_eval_log(str(file))
    return {
        "status": before.status,
        "asked": len(asked),
        "picture": asked[0][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,"),
        "scored again": [each.scores["verified"].value for each in after.samples]
        == [each.scores["verified"].value for each in before.samples],
        "trusted": "trusted" in before.eval.model_dump_json(),
        "refused": refused.returncode != 0 and "spilt" in refused.stdout + refused.stderr,
    }


def broken_off(folder: Path) -> dict[str, Any]:
    """What ``inspect eval-retry`` makes of an evaluation whose server refused the third of four episodes."""
    rows = verienv.rows("verienv/GeneralPoints-L-v0", "test", n=4)
    answers = {Episode.of(row).text: Episode.of(row).expert() for row in rows}
    asked: list[str] = []

    def say(messages: list[dict[str, Any]]) -> str:
        content = messages[-1]["content"]
        asked.append(content if isinstance(content, str) else content[0]["text"])
        if len(asked) == 3:
            raise ValueError
        return answers[asked[-1]]

    quiet = ["--display", "none", "--log-dir", str(folder)]
    with stand_in(say) as url:
        inspect, environment = str(Path(sys.executable).with_name("inspect")), os.environ | {"STANDIN_API_KEY": "none"}
        where = ["--model", "openai-api/standin/model", "--model-base-url", url, "--max-samples", "1"]
        first = [inspect, "eval", "verienv/generalpoints", "-T", "n=4", *where, *quiet]
        subprocess.run(first, check=False, env=environment, stdout=sys.stderr)
        (file,) = folder.glob("*.eval")
        before = read_eval_log(str(file))
        subprocess.run([inspect, "eval-retry", str(file), *quiet], check=True, env=environment, stdout=sys.stderr)
    (again,) = {*folder.glob("*.eval")} - {file}
    after = read_eval_log(str(again))
    scores = [sample.scores["verified"].value["success"] for sample in after.samples]
    kept = [one.uuid == other.uuid for one, other in zip(before.samples, after.samples, strict=True)]
    return {"status": [before.status, after.status], "success": scores, "kept": kept}


HOSTILE_REPLY = '{"formula": "__import__(\'os\').abort()"} ' + "{" * 1000


def main() -> None:
    folder = Path(sys.argv[1])
    told = {case: compared(case, folder / case.replace(" ", "-")) for case in CASES}
    more = {
        "clustered": clustered(folder / "clustered"),
        "cut short": cut_short(folder / "cut"),
        "another solver": by_another_solver(folder / "generate"),
        "own": of_ones_own(folder / "own"),
    }
    more["broken off"] = broken_off(folder / "retry")
    more["forty"] = {env_id: earned(env_id, folder / "forty" / env_id) for env_id in SETTINGS}
    versions = {name: version(name) for name in ("inspect_ai", "openai", "gymnasium", "numpy")}
    print(json.dumps({"versions": versions, **told, **more, "command": by_command(folder / "command")}))


if __name__ == "__main__":
    main()
