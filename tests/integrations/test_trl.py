"""TRL's trainers on whole routes and hands, in words and with pictures, a step or two of models with random weights.

They run where the tests run: TRL is among the development requirements.
"""

import json
import math
from importlib.metadata import version

import pytest
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID
from tests.adapters.tiny import (
    PLAIN,
    changed,
    has_changed,
    quiet,
    tiny_llava,
    tiny_model,
    tiny_processor,
    tokenizer,
    trains,
    vision_weights,
    watched,
    weights,
)

from verienv import Episode
from verienv.adapters.trl import dataset, environments, reward

pytestmark = [pytest.mark.integrations, trains]

NAMES = ("observation", "instruction", "action")
VIEWS_ID = "verienv/VIRL-VL-v0"
SHORT = {"turns": (1, 1), "spacing": 100.0}
SMALL = {**SHORT, "view_size": 64}
LONGEST = 12_000


@pytest.fixture(autouse=True, scope="module")
def versions():
    print({name: version(name) for name in ("trl", "transformers", "torch", "datasets", "accelerate")})


@pytest.fixture(autouse=True)
def quietly(monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


def experts(rows):
    """The expert's tool call for every question of the rows' episodes, by the question's words."""
    said = {}
    for row in rows:
        episode = Episode.of(row)
        while not episode.is_over:
            asked, answer = episode.text, episode.expert()
            fields = list(json.loads(answer).values())
            names = ("cards", "number", "formula") if row["environment"] == "generalpoints" else NAMES
            tool = "answer" if row["environment"] == "generalpoints" else "act"
            call = {"name": tool, "arguments": dict(zip(names, fields, strict=True))}
            said[asked] = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
            episode.answer(answer)
    return said


def scripted(model, words, rows):
    """Let the policy walk as the expert does; odd rollouts give up after their first answer. Its dialogues are kept."""
    import torch

    said, told = experts(rows), []

    def generate(input_ids, **_):
        replies = []
        for number, ids in enumerate(input_ids):
            text = words.decode(ids)
            told.append(text)
            replied = text.count("<tool_response>\n")
            place, call = max((text.rfind(asked), call) for asked, call in said.items())
            is_over = text.rstrip().endswith("assistant") and "\nCorrect.\n</tool_response>" in text[place:]
            reply = "I stop." if is_over or (number % 2 and replied) else call
            replies.append([*words.encode(reply, add_special_tokens=False), words.eos_token_id])
        longest = max(map(len, replies))
        padded = [ids + [words.pad_token_id] * (longest - len(ids)) for ids in replies]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)

    model.generate = generate
    return told


def trained(trainer):
    trainer.train()
    logs = [log for log in trainer.state.log_history if "loss" in log]
    assert logs
    assert all(math.isfinite(log["loss"]) for log in logs)
    return logs


def test_grpo_on_whole_routes_and_hands_by_vision(tmp_path):
    from datasets import concatenate_datasets
    from trl import GRPOConfig, GRPOTrainer

    processor = tiny_processor(stacked=True)
    model = tiny_llava(processor, positions=2 * LONGEST)
    rows = concatenate_datasets(
        [dataset(VIEWS_ID, n=1, kind="episode", **SMALL), dataset(VISION_ID, n=1, kind="episode", image_size=96)]
    )
    steps = [len(experts([row])) for row in rows]
    told = scripted(model, processor.tokenizer, rows)
    before, seen = vision_weights(model), watched(model)
    trainer = GRPOTrainer(
        model=model,
        environment_factory=environments(processor=processor),
        args=GRPOConfig(**quiet(tmp_path, max_steps=1, num_generations=2, max_completion_length=LONGEST)),
        train_dataset=rows,
        processing_class=processor,
    )
    (log,) = trained(trainer)
    assert steps[0] > 3
    assert log["rewards/VIRLEnvironment/mean"] == (steps[0] + 1) / 2
    assert log["rewards/GeneralPointsEnvironment/mean"] == 5.0
    assert log["tools/failure_frequency"] == 0.0
    views = steps[0] + 2 + 2  # of a rollout to the end, of one that gives up behind the first view, of two hands
    assert {len(pixels) for pixels in seen} == {views}
    assert has_changed(model, before)
    assert max(text.count("<|image_pad|>") for text in told) == 4 * steps[0]


def test_grpo_on_whole_routes_in_words(tmp_path):
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen3_chat_template

    words = tokenizer(qwen3_chat_template)
    model = tiny_model(words, positions=2 * LONGEST)
    rows = dataset(ROUTES_ID, n=1, kind="episode", **SHORT)
    steps = len(experts(rows))
    scripted(model, words, rows)
    before = weights(model)
    trainer = GRPOTrainer(
        model=model,
        environment_factory=environments("virl"),
        args=GRPOConfig(
            **quiet(
                tmp_path,
                max_steps=2,
                per_device_train_batch_size=2,
                num_generations=2,
                max_completion_length=LONGEST,
            )
        ),
        train_dataset=rows,
        processing_class=words,
    )
    assert [log["rewards/VIRLEnvironment/mean"] for log in trained(trainer)] == [(steps + 1) / 2] * 2
    assert changed(model, before)


def test_rloo_on_what_a_policy_answers_to_pictures(tmp_path):
    from trl import RLOOConfig, RLOOTrainer

    processor = tiny_processor()
    model = tiny_llava(processor)
    trainer = RLOOTrainer(
        model=model,
        reward_funcs=reward,
        args=RLOOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=8, beta=0.0)),
        train_dataset=dataset(VISION_ID, n=4, attempts=1, image_size=96),
        processing_class=processor,
    )
    assert [log["rewards/verienv/mean"] for log in trained(trainer)] == [-4.5, -4.5]


@pytest.mark.parametrize("env_id", [ID, ROUTES_ID, VISION_ID, VIEWS_ID])
@pytest.mark.parametrize("kind", ["sft", "preference", "unpaired"])
def test_sft_dpo_and_kto_on_all_kinds_of_rows(tmp_path, kind, env_id):
    import trl

    settings = {ID: {}, ROUTES_ID: SHORT, VISION_ID: {"image_size": 96}, VIEWS_ID: SMALL}[env_id]
    processor = tiny_processor()
    sees = env_id in (VISION_ID, VIEWS_ID)
    words = processor if sees else tokenizer(PLAIN)
    make = tiny_llava if sees else tiny_model
    model, reference = make(words), make(words)
    before = weights(model)
    name = {"sft": "SFT", "preference": "DPO", "unpaired": "KTO"}[kind]
    given = {} if kind == "sft" else {"ref_model": reference}
    trainer = getattr(trl, f"{name}Trainer")(
        model=model,
        args=getattr(trl, f"{name}Config")(**quiet(tmp_path, max_length=None)),
        train_dataset=dataset(env_id, n=4, kind=kind, **settings),
        processing_class=words,
        **given,
    )
    assert len(trained(trainer)) == 2
    assert changed(model, before)


@pytest.mark.parametrize("env_id", [ID, ROUTES_ID])
def test_a_reward_model_on_preferences(tmp_path, env_id):
    from transformers import LlamaForSequenceClassification
    from trl import RewardConfig, RewardTrainer

    words = tokenizer(PLAIN)
    config = tiny_model(words).config
    config.num_labels = 1
    model = LlamaForSequenceClassification(config)
    before = weights(model)
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(**quiet(tmp_path, max_length=None)),
        train_dataset=dataset(env_id, n=4, kind="preference"),
        processing_class=words,
    )
    assert len(trained(trainer)) == 2
    assert changed(model, before)
