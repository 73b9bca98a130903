"""Make the built-in policy assets/models/tiny-vlm: tiny-lm given eyes, a LLaVA that half knows the game by sight.

    python tools/train_tiny_vlm.py

First a SigLIP tower learns to read: a linear head names the four ranks from what the projector passes on, and is then
thrown away. Then all of it learns from demonstrations by sight and in words. Everything is of the train side, in black
suits on the default table, and never under 11-12-13; it is stopped early, so that reinforcement learning has headroom.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerBase,
)

from llava import Eyes
from train_tiny_lm import TOKENS_IN_AN_ANSWER, Demonstrations
from verienv.core.dialogue import Message
from verienv.generalpoints.cards import RANKS, Suits
from verienv.generalpoints.pictures.drawing import DEFAULT_SIZE, table_for
from verienv.generalpoints.pictures.visuals import Visual
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.sampler import Dealing
from verienv.generalpoints.suits import with_suits

IMAGE = "<image>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass
class Arguments:
    out: Path = Path("assets/models/tiny-vlm")
    """Where model, processor and training log go."""
    start: Path = Path("assets/models/tiny-lm")
    """The language model that is given eyes."""
    reading_steps: int = 260
    """Steps in which the tower learns to read."""
    steps: int = 160
    """Steps on demonstrations."""
    batch: int = 64
    """Hands or demonstrations a step."""
    reading_rate: float = 2e-3
    """Peaks of the two one-cycle schedules."""
    learning_rate: float = 1e-3
    words_share: float = 0.25
    """Share of the demonstrations in words."""
    training_rule_share: float = 0.03
    """Share of demonstrations under J = Q = K = 10; the other mappings share the rest evenly."""
    dialogue_share: float = 0.2
    """Share of demonstrations that begin with 1 to 4 wrong attempts."""
    hidden: int = 96
    layers: int = 3
    heads: int = 4
    image_size: int = 224
    patch: int = 28
    seed: int = 0


class SeenDemonstrations(Demonstrations):
    """Dialogues about a picture of black cards on the default table."""

    suits: Suits = "black"
    table = table_for(Visual(), DEFAULT_SIZE, 4)

    def seen(self) -> tuple[list[Message], Image.Image]:
        puzzle, image = self.picture()
        return self.dialogue_about(puzzle, vision=True), image

    def picture(self) -> tuple[Puzzle, Image.Image]:
        """A puzzle of the train side, and how it looks."""
        puzzle = self.puzzle()
        cards = with_suits(puzzle.ranks, Dealing(suits=self.suits), int(self.rng.integers(2**62)))
        return puzzle, Image.fromarray(self.table.draw(cards, 0))


def built(arguments: Arguments) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """The language model with a fresh tower and projector, and the processor."""
    tokenizer = AutoTokenizer.from_pretrained(arguments.start, padding_side="left", trust_remote_code=False)
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE]})
    language = AutoModelForCausalLM.from_pretrained(arguments.start, dtype=torch.float32, trust_remote_code=False)
    eyes = Eyes(arguments.image_size, arguments.patch, arguments.hidden, arguments.layers, arguments.heads)
    processor = eyes.processor(tokenizer, CHAT_TEMPLATE)
    return eyes.model(language, tokenizer, IMAGE), processor


def learn_to_read(
    model: LlavaForConditionalGeneration, processor: LlavaProcessor, stream: SeenDemonstrations, arguments: Arguments
) -> Iterator[dict[str, Any]]:
    """Train tower and projector with a head that names the rank in each quarter of the picture, left to right."""
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    head = nn.Linear(model.config.text_config.hidden_size, len(RANKS))
    side = arguments.image_size // arguments.patch
    learner = Learner([tower, projector, head], arguments.reading_rate, arguments.reading_steps)
    for _ in range(arguments.reading_steps):
        puzzles, images = zip(*(stream.picture() for _ in range(arguments.batch)), strict=True)
        passed = projector(tower(pixel_values=pixels(processor, images)).last_hidden_state)
        quarters = passed.view(len(images), side, 4, side // 4, -1).mean((1, 3))
        scores, truth = (
            head(quarters),
            torch.tensor([[RANKS.index(rank) for rank in puzzle.ranks] for puzzle in puzzles]),
        )
        loss = cross_entropy(scores.flatten(0, 1), truth.flatten())
        yield {
            "loss": learner.step(loss),
            "ranks read": (scores.argmax(-1) == truth).float().mean().item(),
        }


def learn_to_play(
    model: LlavaForConditionalGeneration, processor: LlavaProcessor, stream: SeenDemonstrations, arguments: Arguments
) -> Iterator[dict[str, Any]]:
    """Train everything on demonstrations; the loss is on the final, correct answers."""
    learner = Learner([model], arguments.learning_rate, arguments.steps)
    in_words = round(arguments.words_share * arguments.batch)
    for _ in range(arguments.steps):
        seen = [stream.seen() for _ in range(arguments.batch - in_words)]
        told: list[tuple[list[Message], Image.Image | None]] = [(stream.one(), None) for _ in range(in_words)]
        loss, read = torch.zeros(()), []
        for part in parts_of_like_length([*seen, *told]):
            ids, labels = encoded(processor, [messages for messages, _ in part])
            images = [image for _, image in part if image is not None]
            looked_at = {"pixel_values": pixels(processor, images)} if images else {}
            mask = (ids != processor.tokenizer.pad_token_id).long()
            logits = model(input_ids=ids, attention_mask=mask, **looked_at).logits[:, :-1]
            summed = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
            loss = loss + summed / (arguments.batch * TOKENS_IN_AN_ANSWER)
            if images:
                read += cards_told(processor.tokenizer, logits.argmax(-1), labels[:, 1:])
        yield {"loss": learner.step(loss), "hands read": float(np.mean(read))}


class Learner:
    """An optimiser over some modules with a one-cycle schedule."""

    def __init__(self, modules: list[nn.Module], rate: float, steps: int) -> None:
        self.parameters = [parameter for module in modules for parameter in module.parameters()]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=rate, total_steps=steps, pct_start=0.1
        )

    def step(self, loss: Tensor) -> float:
        if not math.isfinite(loss.item()):
            raise SystemExit(f"the loss is {loss.item()}: lower the learning rate")
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.schedule.step()
        return loss.item()


def pixels(processor: LlavaProcessor, images: Any) -> Tensor:
    """What the tower sees of PIL images: (images, 3, size, size)."""
    made: Tensor = processor.image_processor(list(images), return_tensors="pt")["pixel_values"]
    return made


Row = tuple[list[Message], Image.Image | None]


def parts_of_like_length(rows: list[Row]) -> list[list[Row]]:
    """Single questions by sight, single ones in words, and longer dialogues of each: little padding."""
    kinds: dict[tuple[bool, bool], list[Row]] = {}
    for messages, image in rows:
        kinds.setdefault((image is None, len(messages) > 2), []).append((messages, image))
    return list(kinds.values())


def encoded(processor: LlavaProcessor, dialogues: list[list[Message]]) -> tuple[Tensor, Tensor]:
    """Token ids and labels (rows, longest), image tokens written out; labels are -100 but on the last answer."""
    tokenizer = processor.tokenizer
    side = processor.image_processor.size["height"] // processor.patch_size
    prompts = [
        processor.apply_chat_template(one[:-1], add_generation_prompt=True, tokenize=False).replace(
            IMAGE, IMAGE * side**2
        )
        for one in dialogues
    ]
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answers = [one[-1]["content"] + tokenizer.eos_token for one in dialogues]
    answer_ids = tokenizer(answers, add_special_tokens=False)["input_ids"]
    longest = max(len(prompt) + len(answer) for prompt, answer in zip(prompt_ids, answer_ids, strict=True))
    ids = torch.full((len(dialogues), longest), tokenizer.pad_token_id)
    labels = torch.full((len(dialogues), longest), -100)
    for row, (prompt, answer) in enumerate(zip(prompt_ids, answer_ids, strict=True)):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : end] = torch.tensor(answer)
    return ids, labels


def cards_told(tokenizer: PreTrainedTokenizerBase, told: Tensor, labels: Tensor) -> list[bool]:
    """Whether each answer would name the right cards: all tokens up to the end of that list."""
    right = []
    for row, truth in zip(told, labels, strict=True):
        places = (truth >= 0).nonzero().squeeze(1)
        said = [tokenizer.decode(truth[places[: count + 1]]) for count in range(len(places))]
        until = next(count for count, text in enumerate(said) if "]" in text) + 1
        right.append(bool((row[places[:until]] == truth[places[:until]]).all()))
    return right


def draw_curves(log: Path) -> None:
    """What the log tells of both stages, as a picture beside it."""
    lines = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    for axis, stage, read in zip(figure.subplots(1, 2), ("read", "play"), ("ranks read", "hands read"), strict=True):
        steps = [line["step"] for line in lines if line["stage"] == stage]
        axis.plot(steps, [line["loss"] for line in lines if line["stage"] == stage], color="#c44e52", label="loss")
        axis.set(xlabel=f"step, stage {stage!r}", ylabel="loss", ylim=(0, None))
        share = axis.twinx()
        share.plot(steps, [100 * line[read] for line in lines if line["stage"] == stage], color="#3b6fb6", label=read)
        share.set(ylabel=f"{read}, %", ylim=(-2, 102))
        shown = [*axis.lines, *share.lines]
        share.legend(shown, [line.get_label() for line in shown], loc="center right", frameon=False)
    figure.savefig(log.with_name("training.png"), dpi=110)


def main(arguments: Arguments) -> None:
    torch.manual_seed(arguments.seed)
    model, processor = built(arguments)
    parts = {name: sum(map(torch.numel, part.parameters())) for name, part in model.model.named_children()}
    print(f"{model.num_parameters():,} parameters: {parts}")
    stream = SeenDemonstrations(arguments)  # type: ignore[arg-type]  # it has the fields that Demonstrations reads
    arguments.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (arguments.out / "training.jsonl").open("w") as log:
        told = asdict(arguments) | {"out": arguments.out.name, "start": arguments.start.name}
        log.write(json.dumps({"arguments": told}) + "\n")
        for stage, learn, steps in (
            ("read", learn_to_read, arguments.reading_steps),
            ("play", learn_to_play, arguments.steps),
        ):
            with tqdm(learn(model, processor, stream, arguments), desc=f"tiny-vlm: {stage}", total=steps) as bar:
                for step, line in enumerate(bar):
                    bar.set_postfix({name: f"{value:.3f}" for name, value in line.items()})
                    if step % 10 == 0 or step == steps - 1:
                        rounded = {name: round(value, 4) for name, value in line.items()}
                        log.write(json.dumps({"stage": stage, "step": step, **rounded}) + "\n")
                        log.flush()
    model.save_pretrained(arguments.out)
    processor.save_pretrained(arguments.out)
    draw_curves(arguments.out / "training.jsonl")
    print(f"saved to {arguments.out} after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(tyro.cli(Arguments))
