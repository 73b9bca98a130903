"""Make the built-in policy assets/models/tiny-lm: a small Llama that half knows the game, and its tokenizer.

    python tools/train_tiny_lm.py

It learns from demonstrations under every J/Q/K mapping over 5..13 but 11-12-13, on the train side alone, and is
stopped early, so that reinforcement learning has headroom. Some demonstrations begin with wrong attempts and the real
feedback to them, so that the policy knows dialogues.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
import tyro
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from verienv.core.dialogue import Message, attempt_line, question_message, turn_messages
from verienv.generalpoints import (
    Dealing,
    FaceRule,
    Failure,
    Puzzle,
    Sampler,
    expert_answer,
    verify,
    write_question,
    wrong_answer,
)  # fmt: skip
from verienv.generalpoints.cards import Suits
from verienv.generalpoints.prompts import PHRASINGS

HELD_OUT = FaceRule(J=11, Q=12, K=13)
RULES = [FaceRule(J=j, Q=q, K=k) for j, q, k in product(range(5, 14), repeat=3)]
TRAINING_RULES = [rule for rule in RULES if rule != HELD_OUT]
TOKENS_IN_AN_ANSWER = 36
WRONG = [Failure.WRONG_VALUE, Failure.WRONG_VALUE, Failure.WRONG_NUMBERS, Failure.FALSE_EQUATION, Failure.ILLEGAL]
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{% generation %}{{ message['content'] }}<|end|>"
    "{% endgeneration %}"
    "{% else %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass
class Arguments:
    out: Path = Path("assets/models/tiny-lm")
    """Where model, tokenizer and training log go."""
    steps: int = 430
    """Optimiser steps."""
    batch: int = 96
    """Demonstrations a step."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule."""
    training_rule_share: float = 0.03
    """Share of demonstrations under J = Q = K = 10; the other mappings share the rest evenly."""
    dialogue_share: float = 0.2
    """Share of demonstrations that begin with 1 to 4 wrong attempts."""
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 384
    vocabulary: int = 640
    seed: int = 0


class Demonstrations:
    """An endless stream of dialogues that end in a correct answer, as chat messages."""

    suits: Suits = "all"

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = arguments
        self.rng = np.random.default_rng(arguments.seed)
        self.samplers: dict[FaceRule, Sampler] = {}

    def one(self) -> list[Message]:
        return self.dialogue_about(self.puzzle())

    def puzzle(self) -> Puzzle:
        """A puzzle of the train side under a rule that is not held out."""
        rng = self.rng
        if rng.random() < self.arguments.training_rule_share:
            rule = FaceRule(J=10, Q=10, K=10)
        else:
            rule = TRAINING_RULES[int(rng.integers(len(TRAINING_RULES)))]
        if rule not in self.samplers:
            self.samplers[rule] = Sampler(Dealing(rule=rule, stated_rule=rule, side="train", suits=self.suits))
        return Puzzle(self.samplers[rule].deal(rng), rule)

    def dialogue_about(self, puzzle: Puzzle, *, vision: bool = False) -> list[Message]:
        rng = self.rng
        wrong = int(rng.integers(1, 5)) if rng.random() < self.arguments.dialogue_share else 0
        attempts = int(rng.integers(wrong + 1, 11)) if rng.random() < 0.5 else 5
        return dialogue(puzzle, wrong, attempts, rng, vision=vision)


def dialogue(
    puzzle: Puzzle, wrong: int, attempts: int, rng: np.random.Generator, *, vision: bool = False
) -> list[Message]:
    """Question, ``wrong`` failing attempts with their feedback, and a correct answer."""
    kinds = [*WRONG, Failure.MISREAD] if vision else WRONG
    asked = f"{write_question(puzzle, vision=vision)}\n{attempt_line(1, attempts)}"
    messages = [question_message(asked, images=int(vision))]
    for attempt in range(wrong):
        response = wrong_answer(puzzle, kinds[int(rng.integers(len(kinds)))], rng)
        if response is None:
            continue
        told = f"{verify(response, puzzle, vision=vision).feedback}\n{attempt_line(attempt + 2, attempts)}"
        messages += turn_messages(response, told)
    return [*messages, {"role": "assistant", "content": expert_answer(puzzle)}]


def make_tokenizer(stream: Demonstrations, vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE that keeps numbers and the signs of a formula apart; any text round-trips."""
    tokenizer = Tokenizer(models.BPE())
    pieces = Regex(r"<\|\w+\|>| ?[A-Za-z]+(?:'s)?(?: (?=[\d+]))?|\d{1,2}|[-+*/()=^] ?|[^A-Za-z0-9+*/()=^-]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pieces, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    numbers = " ".join(str(number) for number in range(10, 100))
    corpus = [message["content"] for _ in range(3000) for message in stream.one()]
    phrasings = [write_question(Puzzle(("A", "4", "J", "K")), phrasing) for phrasing in range(len(PHRASINGS))]
    tokenizer.train_from_iterator(corpus + [numbers] * 200 + phrasings * 30, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|end|>", padding_side="left"
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def batch_of(
    stream: Demonstrations, tokenizer: PreTrainedTokenizerFast, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids and labels (rows, longest), in parts of like length; labels are -100 but on the correct answer."""
    told = sorted((stream.one() for _ in range(size)), key=len)
    prompts = [tokenizer.apply_chat_template(one[:-1], add_generation_prompt=True, tokenize=False) for one in told]
    prompt_ids = tokenizer(prompts)["input_ids"]
    answer_ids = tokenizer([one[-1]["content"] + "<|end|>" for one in told])["input_ids"]
    pairs = list(zip(prompt_ids, answer_ids, strict=True))
    single = sum(len(one) == 2 for one in told)
    middle = (single + size) // 2
    for part in (pairs[:single], pairs[single:middle], pairs[middle:]):
        longest = max((len(prompt) + len(answer) for prompt, answer in part), default=0)
        ids = torch.full((len(part), longest), tokenizer.pad_token_id)
        labels = torch.full((len(part), longest), -100)
        for row, (prompt, answer) in enumerate(part):
            end = len(prompt) + len(answer)
            ids[row, :end] = torch.tensor(prompt + answer)
            labels[row, len(prompt) : end] = torch.tensor(answer)
        if part:
            yield ids, labels


def main(arguments: Arguments) -> None:
    torch.manual_seed(arguments.seed)
    stream = Demonstrations(arguments)
    tokenizer = make_tokenizer(stream, arguments.vocabulary)
    asked = tokenizer.apply_chat_template(stream.one()[:1], add_generation_prompt=True)["input_ids"]
    print(f"a question takes {len(asked)} tokens")
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=arguments.hidden,
            intermediate_size=arguments.feed_forward,
            num_hidden_layers=arguments.layers,
            num_attention_heads=arguments.heads,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    print(f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens in the vocabulary")
    optimiser = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=arguments.learning_rate, total_steps=arguments.steps, pct_start=0.1
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (arguments.out / "training.jsonl").open("w") as log, tqdm(range(arguments.steps), desc="tiny-lm") as bar:
        log.write(json.dumps({"arguments": asdict(arguments) | {"out": arguments.out.name}}) + "\n")
        for step in bar:
            optimiser.zero_grad()
            loss = 0.0
            for ids, labels in batch_of(stream, tokenizer, arguments.batch):
                logits = model(input_ids=ids).logits[:, :-1]
                part = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
                part = part / (arguments.batch * TOKENS_IN_AN_ANSWER)
                part.backward()
                loss += part.item()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if not math.isfinite(loss):
                raise SystemExit(f"the loss is {loss} at step {step}: lower --learning-rate")
            bar.set_postfix(loss=f"{loss:.3f}")
            if step % 20 == 0 or step == arguments.steps - 1:
                log.write(json.dumps({"step": step, "loss": round(loss, 4)}) + "\n")
                log.flush()
    model.save_pretrained(arguments.out)
    tokenizer.save_pretrained(arguments.out)
    print(f"saved to {arguments.out} after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
