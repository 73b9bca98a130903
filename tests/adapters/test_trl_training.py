import json
import math

import pytest
from tests.adapters.rows import ID, VISION_ID, answer_to, routes
from tests.adapters.tiny import (
    PLAIN,
    changed,
    has_changed,
    looked_up,
    quiet,
    same,
    shrunk,
    speak,
    tiny_llava,
    tiny_model,
    tiny_processor,
    tokenizer,
    trains,
    vision_weights,
    watched,
    weights,
)

from verienv.adapters.trl import dataset, response_text, reward, reward_function
from verienv.generalpoints import Puzzle, expert_answer, verify


@trains
def test_grpo_trains_on_the_rewards_of_the_verifier(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    rows = dataset(ID, n=4, attempts=1)
    puzzles = {row["prompt"][0]["content"]: Puzzle(row["cards"], row["rule"], row["target"]) for row in rows}

    def say(row, text):
        puzzle = next(puzzle for question, puzzle in puzzles.items() if question in text)
        return expert_answer(puzzle) if row % 2 else "I do not know."

    seen = []

    def spy(prompts, completions, instance, **columns):
        seen.append((prompts, completions, instance))
        return [0.0] * len(prompts)

    speak(model, words, say)
    before = weights(model)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[reward, spy],
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=96)),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()

    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert len(steps) == len(seen) == 2
    for log, (prompts, completions, instances) in zip(steps, seen, strict=True):
        judged = [
            verify(response_text(completion), puzzles[prompt[0]["content"]])
            for prompt, completion in zip(prompts, completions, strict=True)
        ]
        assert instances[0::2] == instances[1::2]
        assert instances == [puzzles[prompt[0]["content"]].id for prompt in prompts]
        assert log["rewards/verienv/mean"] == sum(verdict.reward for verdict in judged) / len(judged) == 1.0
        assert log["verienv/is_correct"] == 0.5
        assert math.isfinite(log["loss"])
        assert log["grad_norm"] > 0
    assert changed(model, before)


@trains
def test_grpo_trains_on_what_the_policy_samples(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    trainer = GRPOTrainer(
        model=tiny_model(words),
        reward_funcs=reward_function("binary"),
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=8)),
        train_dataset=dataset(ID, n=4, prompt="diverse"),
        processing_class=words,
    )
    trainer.train()
    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert [log["rewards/verienv_binary/mean"] for log in steps] == [0.0, 0.0]
    assert all(math.isfinite(log["loss"]) for log in steps)


@trains
def test_grpo_goes_on_from_a_checkpoint_with_the_rows_and_rewards_of_an_unbroken_run(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    words, asked = tokenizer(PLAIN), dict[str, list[list[str]]]()

    def trained(folder, begun_at=None):
        def spy(prompts, completions, instance, **columns):
            asked.setdefault(folder, []).append(instance)
            return [float(len(response_text(completion))) for completion in completions]

        how = {"num_generations": 2, "max_completion_length": 8, "max_steps": 4, "save_strategy": "steps"}
        trainer = GRPOTrainer(
            model=tiny_model(words),
            reward_funcs=[reward, spy],
            args=GRPOConfig(**{**quiet(tmp_path / folder), **how, "save_steps": 2}),
            train_dataset=dataset(ID, n=8, attempts=1),
            processing_class=words,
        )
        trainer.train(resume_from_checkpoint=begun_at and str(begun_at))
        return [log["reward"] for log in trainer.state.log_history if "loss" in log], weights(trainer.model)

    rewards, end = trained("whole")
    again, same_end = trained("resumed", tmp_path / "whole" / "checkpoint-2")
    assert len(rewards) == 4
    assert again == rewards
    assert asked["resumed"] == asked["whole"][2:]
    assert all(value.equal(same_end[name]) for name, value in end.items())


@trains
@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_sft_trains_on_demonstrations(tmp_path, kind):
    from trl import SFTConfig, SFTTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    before = weights(model)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**quiet(tmp_path, max_steps=3)),
        train_dataset=dataset(ID, n=8, kind=kind),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
    assert changed(model, before)


@trains
def test_dpo_trains_on_preferences(tmp_path):
    from trl import DPOConfig, DPOTrainer

    words = tokenizer(PLAIN)
    start = tiny_model(words)
    start.save_pretrained(tmp_path / "start")
    trainer = DPOTrainer(
        model=str(tmp_path / "start"),  # from which TRL also loads the reference
        args=DPOConfig(**quiet(tmp_path)),
        train_dataset=dataset(ID, n=8, kind="preference"),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert changed(trainer.model, weights(start))


@trains
def test_grpo_trains_on_both_tasks_together(tmp_path):
    from datasets import concatenate_datasets
    from trl import GRPOConfig, GRPOTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    rows = concatenate_datasets([dataset(ID, n=2, attempts=1), routes(2, attempts=1)])
    answers = {
        row["prompt"][0]["content"]: expert_answer(Puzzle(row["cards"])) if row["cards"] else answer_to(row)
        for row in rows
    }

    def say(row, text):
        right = next(answer for question, answer in answers.items() if question in text)
        return right if row % 2 else "I do not know."

    speak(model, words, say)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(
            **quiet(tmp_path, max_steps=1, per_device_train_batch_size=8, num_generations=2, max_completion_length=256)
        ),
        train_dataset=rows,
        processing_class=words,
    )
    trainer.train()
    (log,) = [log for log in trainer.state.log_history if "loss" in log]
    assert log["rewards/verienv/mean"] == (2 * (5 - 3) + 2 * (1 - 1.5)) / 8
    assert log["verienv/is_correct"] == log["verienv/cards_correct"] == log["verienv/observation_correct"] == 0.5
    assert log["grad_norm"] > 0


@trains
@pytest.mark.parametrize("kind", ["sft", pytest.param("preference", marks=pytest.mark.slow)])
def test_sft_and_dpo_train_on_waypoints(tmp_path, kind):
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    words = tokenizer(PLAIN)
    model = tiny_model(words)
    model.save_pretrained(tmp_path / "start")  # from which DPO also loads the reference
    trainer_class, config = (SFTTrainer, SFTConfig) if kind == "sft" else (DPOTrainer, DPOConfig)
    trainer = trainer_class(
        model=str(tmp_path / "start"),
        args=config(**quiet(tmp_path, max_length=None)),
        train_dataset=routes(8, kind=kind),
        processing_class=words,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert changed(trainer.model, weights(model))


@trains
@pytest.mark.parametrize("kind", ["sft", "revision"])
def test_sft_trains_on_demonstrations_with_pictures(tmp_path, kind):
    from trl import SFTConfig, SFTTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, kind=kind)
    before, seen = vision_weights(model), watched(model)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**quiet(tmp_path, max_length=None)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    assert losses[1] < losses[0]
    assert len(seen) >= 2
    assert all(same(pixels, shrunk(processor, rows)) for pixels in seen)
    assert has_changed(model, before)


@trains
def test_dpo_trains_on_preferences_with_pictures(tmp_path):
    from trl import DPOConfig, DPOTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, kind="preference")
    before, seen = vision_weights(model), watched(model)
    trainer = DPOTrainer(
        model=model,
        ref_model=tiny_llava(processor),
        args=DPOConfig(**quiet(tmp_path, max_steps=1, max_length=None)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    expected = shrunk(processor, [*rows, *rows])  # chosen and rejected
    assert seen
    assert all(same(pixels, expected) for pixels in seen)
    assert has_changed(model, before)


@trains
def test_grpo_trains_with_pictures_on_the_rewards_of_the_verifier(tmp_path):
    from trl import GRPOConfig, GRPOTrainer

    processor = tiny_processor()
    model, rows = tiny_llava(processor), dataset(VISION_ID, n=4, attempts=1)
    recognised = looked_up(processor, rows)
    paid = []

    def say(row, text, pixels):
        answer = json.loads(expert_answer(recognised(pixels)))
        return json.dumps(answer if row % 2 else answer | {"cards": ["A", "A", "A", "A"]})

    def spy(prompts, completions, cards, **columns):
        paid.append([verify(response_text(c), Puzzle(h), vision=True) for c, h in zip(completions, cards, strict=True)])
        return [0.0] * len(prompts)

    speak(model, processor.tokenizer, say)
    before, seen = vision_weights(model), watched(model)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[reward, spy],
        args=GRPOConfig(**quiet(tmp_path, num_generations=2, max_completion_length=96)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()

    steps = [log for log in trainer.state.log_history if "loss" in log]
    assert len(steps) == len(paid) == 2
    for log, verdicts in zip(steps, paid, strict=True):
        assert [verdict.failure for verdict in verdicts] == ["misread", ""] * 2
        assert log["rewards/verienv/mean"] == sum(verdict.reward for verdict in verdicts) / 4 == (5 - 1.5) / 2
        assert log["verienv/cards_correct"] == 0.5
        assert log["grad_norm"] > 0
    hands = {recognised(picture).cards for pixels in seen for picture in pixels}
    assert hands == {tuple(row["cards"]) for row in rows}
    assert has_changed(model, before)
