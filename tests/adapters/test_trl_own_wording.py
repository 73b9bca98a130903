"""GRPO with TRL on ``<answer>`` tags and a wording of one's own, in words and with pictures."""

import pytest
from tests.adapters.rows import ID, VISION_ID
from tests.adapters.tiny import (
    PLAIN,
    changed,
    looked_up,
    quiet,
    speak,
    tiny_llava,
    tiny_model,
    tiny_processor,
    tokenizer,
    trains,
    weights,
)

from verienv.adapters.trl import dataset, reward
from verienv.core.formats import parse_format
from verienv.generalpoints import Puzzle, expert_answer

PROMPT = "J, Q, K: {rule}.\nMake {target} of {cards}. {format}"


def trained(model, processor, rows, hand, folder):
    """Train a policy that answers every second sample as the expert, and return the log of the only step.

    ``hand`` returns the puzzle that a dialogue, with its pictures, is about.
    """
    from trl import GRPOConfig, GRPOTrainer

    words = getattr(processor, "tokenizer", processor)
    answer_format = rows[0]["answer_format"]

    def say(row, text, *pixels):
        right = expert_answer(hand(text, *pixels), answer_format=parse_format(answer_format))
        return right if row % 2 else right.replace("answer>", "result>")

    speak(model, words, say)
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=GRPOConfig(**quiet(folder, max_steps=1, num_generations=2, max_completion_length=96)),
        train_dataset=rows,
        processing_class=processor,
    )
    trainer.train()
    return next(log for log in trainer.state.log_history if "loss" in log)


@trains
def test_grpo_trains_on_answers_in_tags_under_a_wording_of_ones_own(tmp_path):
    rows = dataset(ID, n=4, attempts=1, prompt=PROMPT, answer_format="tags", rewards="binary")
    words = tokenizer(PLAIN)
    model = tiny_model(words)
    before = weights(model)
    hands = {row["prompt"][0]["content"]: Puzzle(row["cards"]) for row in rows}
    log = trained(model, words, rows, lambda text: next(hands[asked] for asked in hands if asked in text), tmp_path)
    assert log["rewards/verienv/mean"] == log["verienv/is_correct"] == 0.5
    assert "verienv/cards_correct" not in log
    assert changed(model, before)


@trains
@pytest.mark.parametrize(("answer_format", "measured"), [("tags", False), ("tags+cards", True)])
def test_grpo_trains_on_answers_in_tags_with_pictures(tmp_path, answer_format, measured):
    rows = dataset(VISION_ID, n=4, attempts=1, prompt=PROMPT, answer_format=answer_format, rewards="binary")
    processor = tiny_processor()
    recognised = looked_up(processor, rows)
    log = trained(tiny_llava(processor), processor, rows, lambda text, pixels: recognised(pixels), tmp_path)
    assert log["rewards/verienv/mean"] == log["verienv/is_correct"] == 0.5
    assert ("verienv/cards_correct" in log) is measured
    assert log["grad_norm"] > 0
