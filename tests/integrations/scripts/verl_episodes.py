"""Play episodes in verl's agent loop workers with a server of scripted answers; print what came of it as JSON."""

# ruff: noqa: I001
from verl_worker import EXAMPLES, MODELS, TURN, Worker, composed  # first: it readies torchvision for transformers

import asyncio
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from forty_rows import COUNT, SEED, SETTINGS, SPLIT, forty
from omegaconf import OmegaConf
from scripted import KINDS, Scripted
from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
from verl.protocol import DataProto
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config
from verl.utils.dataset.rl_dataset import RLHFDataset

import verienv
from verienv.adapters.verl import compute_score, rows, write_parquet
from verienv.core.dialogue import parts_of
from verienv.core.policy import dialogue

SHORT = {"turns": [1, 1], "attempts": 2}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cards": ("tiny-lm", "verienv/GeneralPoints-L-v0", {"attempts": 3, "system_prompt": "You solve puzzles."}),
    "cards by vision": ("tiny-vlm", "verienv/GeneralPoints-VL-v0", {"attempts": 3, "image_size": 96}),
    "routes": ("tiny-lm", "verienv/VIRL-L-v0", SHORT),
    "routes by vision": ("tiny-vlm", "verienv/VIRL-VL-v0", {**SHORT, "view_size": 96}),
    "cards by Qwen2.5-VL": ("qwen", "verienv/GeneralPoints-VL-v0", {"attempts": 3, "image_size": 96}),
    "routes by Qwen2.5-VL": ("qwen", "verienv/VIRL-VL-v0", {**SHORT, "view_size": 96}),
}


def heard(worker: Worker, text: str) -> tuple[str, bool]:
    """The words that reach the loop, and whether all of them do."""
    tokenizer = worker.worker.tokenizer
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokenizer.decode(ids[:TURN], skip_special_tokens=True), len(ids) < TURN


def spoken(row: dict[str, Any], texts: list[str], by_question: bool) -> list[list[dict[str, Any]]]:
    """The dialogues of an episode up to the last answer: one, or one for each question."""
    episode, told = verienv.Episode.of(row), list[list[dict[str, Any]]]()
    for text in texts:
        asked = dialogue(episode)
        if not told or (by_question and not episode.feedback):
            told.append(asked)
        else:
            told[-1].append(asked[-1])
        told[-1].append({"role": "assistant", "content": text})
        episode.answer(text)
    return told


def earned(row: dict[str, Any], texts: list[str]) -> float:
    env: Any = gym.make(row["env_id"], **json.loads(row["settings"]))
    env.reset(seed=row["seed"])
    return sum(env.step(text)[1] for text in texts)


def scripts(plain: list[dict[str, Any]]) -> list[list[str]]:
    """The texts that each kind of player says in its row."""
    policy, told = Scripted(plain), []
    for row in plain:
        episode, said = verienv.Episode.of(row), list[str]()
        while not episode.is_over:
            said.append(policy.answer())
            episode.answer(said[-1])
        told.append(said)
    return told


def own(worker: Worker, sample: dict[str, Any]) -> list[str]:
    """The words at which the mask is 1, run by run."""
    ids, mask = sample["responses"].tolist(), sample["response_mask"].tolist()
    runs = list[list[int]]()
    for at, token in enumerate(ids):
        if mask[at]:
            if not at or not mask[at - 1]:
                runs.append([])
            runs[-1].append(token)
    return [worker.worker.tokenizer.decode(run) for run in runs]


def field(sample: dict[str, Any], name: str) -> Any:
    value = sample[name]
    return getattr(value, "data", value)


def count(inputs: dict[str, Any]) -> int:
    """How many pictures a model is given."""
    return len(inputs.get("image_grid_thw", inputs["pixel_values"]))


def problems(worker: Worker, sample: dict[str, Any], told: list[dict[str, Any]], ends: list[bool]) -> list[str]:
    """What is amiss in a sample that should be this dialogue; ``ends``: whether the policy ended its answers itself."""
    found = []
    ids, tokenizer = sample["input_ids"].tolist(), worker.worker.tokenizer
    whole = worker.ids(told)
    end = len(whole) - whole[::-1].index(tokenizer.eos_token_id)  # of the last answer, after which a template may go on
    if ids != whole[: end if ends[-1] else end - 1]:
        found.append(f"other tokens: {worker.worker.tokenizer.decode(ids)[-300:]}")
    answers = [message["content"] for message in told if message["role"] == "assistant"]
    if own(worker, sample) != [text + tokenizer.eos_token * ended for text, ended in zip(answers, ends, strict=True)]:
        found.append(f"other words of the policy: {own(worker, sample)}")
    if not sample["response_mask"][-1] or sample["rm_scores"][:-1].any():
        found.append("the reward is not on the policy's last token")
    if not torch.equal(sample["rollout_log_probs"], -0.5 * sample["response_mask"]):
        found.append("log-probabilities of other tokens")
    pictures = [part["image"] for message in told for part in parts_of(message) if part["type"] == "image"]
    inputs = field(sample, "multi_modal_inputs")
    if pictures:
        if ids.count(worker.picture) != worker.per_picture(pictures[0]) * len(pictures) or count(inputs) != len(
            pictures
        ):
            found.append(f"{ids.count(worker.picture)} picture tokens, {count(inputs)} pictures")
        wanted = worker.worker.processor.image_processor(pictures, return_tensors="pt")["pixel_values"]
        if not torch.equal(inputs["pixel_values"], wanted):
            found.append("other pictures")
    if sample["position_ids"].shape[-1] != len(ids) or field(sample, "num_turns") != sum(
        message["role"] != "system" for message in told
    ):
        found.append("positions or turns")
    return found


def dataset_of(name: str, made: Any, worker: Worker, folder: Path) -> Any:
    """verl's dataset of rows that are written to a file."""
    path = write_parquet(folder / f"{name.replace(' ', '-')}.parquet", made)
    data = OmegaConf.create({**worker.config.data, "cache_dir": str(folder), "filter_overlong_prompts": False})
    return RLHFDataset(str(path), worker.worker.tokenizer, data, worker.worker.processor)


def played(name: str, worker: Worker, folder: Path) -> dict[str, Any]:
    """Play a case: an episode for each kind of player, as one sample and as one for each question."""
    _, env_id, settings = CASES[name]
    plain = verienv.rows(env_id, SPLIT, len(KINDS), SEED, **settings)
    made = rows(env_id, SPLIT, len(KINDS), SEED, episodes=True, **settings)
    dataset = dataset_of(name, made, worker, folder)
    said, amiss = scripts(plain), list[str]()
    told: dict[str, Any] = {
        "rewards": [],
        "earned": [],
        "rewards by question": [],
        "samples": [],
        "questions": [],
        "info": [],
    }
    for index, (row, texts) in enumerate(zip(plain, said, strict=True)):
        item = dataset[index]
        if json.loads(item["reward_model"]["ground_truth"]) != {k: v for k, v in row.items() if k != "prompt"}:
            amiss.append("another row comes out of the dataset")
        opening = dialogue(verienv.Episode.of(row))
        if worker.ids([{**each} for each in item["raw_prompt"]]) != worker.ids(opening):
            amiss.append("another prompt comes out of the dataset")
        [sample] = worker.play(item, texts)
        asked = worker.server.asked
        several = worker.play(item, texts, "by question")
        texts, ends = map(list, zip(*(heard(worker, text) for text in texts), strict=True))
        [whole] = spoken(row, texts, by_question=False)
        amiss += problems(worker, sample, whole, ends)
        by_question = spoken(row, texts, by_question=True)
        told["questions"].append(len(by_question))
        for each, messages in zip(several, by_question, strict=False):
            answers = sum(message["role"] == "assistant" for message in messages)
            amiss += problems(worker, each, messages, ends[:answers])
            ends = ends[answers:]
        told["rewards"].append(sample["rm_scores"].sum().item())
        told["rewards by question"].append([each["rm_scores"].sum().item() for each in several])
        told["earned"].append(earned(row, texts))
        told["samples"].append(len(several))
        told["info"].append(field(sample, "extra_fields")["reward_extra_info"])
        steps = {step: field(sample, "extra_fields")[step] for step in ("min_global_steps", "max_global_steps")}
        if steps != {"min_global_steps": 1, "max_global_steps": len(texts)}:
            amiss.append(f"other versions of the weights: {steps}")
        if any((tokens > 0) != (pictures > 0) for tokens, pictures in asked):
            amiss.append("a server was asked without the pictures")
    return {**told, "problems": amiss, "cut": cut(worker, dataset[1], said[1])}


def cut(worker: Worker, item: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """Play with room for some of the turns alone."""
    [whole] = worker.play(item, texts)
    told: dict[str, Any] = {"problems": [], "turns": [], "cut": []}
    if worker.picture is not None:
        shown = count(field(whole, "multi_modal_inputs"))
        per_picture = whole["input_ids"].tolist().count(worker.picture) // shown
    for room in np.linspace(40, len(whole["responses"]) + TURN, 12).astype(int).tolist():
        [sample] = worker.play(item, texts, response_length=room)
        extra, said, ids = field(sample, "extra_fields"), own(worker, sample), sample["input_ids"].tolist()
        if len(sample["responses"]) > room or ids != whole["input_ids"].tolist()[: len(ids)]:
            told["problems"].append(f"other tokens in a room of {room}")
        if sample["rm_scores"][-1] != sum(extra["turn_scores"]) or not sample["response_mask"][-1]:
            told["problems"].append("another reward than that of the answers given")
        if worker.picture is not None:
            tokens, pictures = ids.count(worker.picture), count(field(sample, "multi_modal_inputs"))
            if tokens != pictures * per_picture:
                told["problems"].append(f"{tokens} picture tokens, {pictures} pictures")
        told["turns"].append(len(said))
        told["cut"].append(extra["reward_extra_info"]["cut"])
    return told


def forty_earned(env_id: str, worker: Worker, folder: Path) -> dict[str, Any]:
    """What the answers to the forty rows of an id earn, one by one, and what they are to earn."""
    made = rows(env_id, SPLIT, COUNT, SEED, episodes=True, **SETTINGS[env_id])
    dataset = dataset_of(f"forty {env_id.rpartition('/')[2]}", made, worker, folder)
    told = [each for each in forty() if each.env_id == env_id]
    samples = [worker.play(dataset[each.index], [*each.said])[0] for each in told]
    return {
        "earned": [field(sample, "extra_fields")["turn_scores"] for sample in samples],
        "sums": [sample["rm_scores"].sum().item() for sample in samples],
        "paid": [each.paid for each in told],
    }


async def judged(tokenizer: Any) -> list[list[float]]:
    """Rewards of single answers, by verl's reward manager and by the question itself."""
    manager, pairs = NaiveRewardManager(composed("actor_rollout_ref.rollout.name=vllm"), tokenizer, compute_score), []
    for row, kind in zip(rows("verienv/GeneralPoints-L-v0", n=4, attempts=1), KINDS, strict=True):
        truth = json.loads(row["reward_model"]["ground_truth"])
        text = Scripted([truth], [kind]).answer()
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"] or [tokenizer.eos_token_id]])
        batch = {"prompts": torch.zeros(1, 1, dtype=torch.long), "responses": ids}
        batch["attention_mask"] = torch.ones(1, ids.shape[1] + 1, dtype=torch.long)
        columns = {name: np.array([row[name]], dtype=object) for name in ("data_source", "reward_model", "extra_info")}
        result = await manager.run_single(DataProto.from_dict(batch, non_tensors=columns))
        pairs.append([result["reward_score"], verienv.judge(truth, text).reward])
    return pairs


def flags(script: str, **environment: str) -> list[str]:
    """The flags that a script gives to verl, as the shell makes them."""
    fake = Path(os.environ["VERL_FLAGS"])
    fake.mkdir(exist_ok=True)
    program = fake / "python3"
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o755)
    given = os.environ | {"PATH": f"{fake}:{os.environ['PATH']}", **environment}
    done = subprocess.run(["bash", str(EXAMPLES / script)], env=given, capture_output=True, text=True, check=True)
    module, *rest = json.loads(done.stdout)[1:]
    assert module == "verl.trainer.main_ppo"
    return rest


def validated(script: str, *more: str, **environment: str) -> str:
    """What verl says to a script's flags: "" if they are valid."""
    try:
        config = composed(*flags(script, MODEL=str(MODELS / "tiny-vlm"), **environment), *more)
        validate_config(config, need_reference_policy(config), need_critic(config))
        assert Path(config.actor_rollout_ref.rollout.agent.agent_loop_config_path).is_file()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ["VERL_FLAGS"] = str(folder / "bin")
    told: dict[str, Any] = {"versions": {name: version(name) for name in ("verl", "torch", "transformers", "verienv")}}
    workers: dict[str, Worker] = {}
    for name, (model, *_) in CASES.items():
        if model not in workers:
            workers[model] = Worker(model, folder)
        told[name] = played(name, workers[model], folder)
    told["forty"] = {
        env_id: forty_earned(env_id, workers["tiny-vlm" if "-VL-" in env_id else "tiny-lm"], folder)
        for env_id in SETTINGS
    }
    told["judged"] = asyncio.run(judged(workers["tiny-lm"].worker.tokenizer))
    told["flags"] = {
        f"{script} on {nodes}": validated(script, NODES=nodes) for script in ("ppo.sh", "grpo.sh") for nodes in "12"
    }
    told["misspelt"] = validated("ppo.sh", "actor_rollout_ref.rollout.agent.num_workres=8")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
