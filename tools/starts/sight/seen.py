"""The material of starts that see, their judgement and their card."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from transformers import LlavaProcessor, PreTrainedModel

from starts.building import LOGGED_EVERY
from starts.card import card
from starts.hands import Deck
from starts.judging import METRICS, Items, Judge
from starts.material import Log, Material
from starts.points import RULES
from starts.sight.kind import Sight
from starts.sight.pictures import Pictures
from starts.sight.pool import make_sight_pool, seeing_tokens
from starts.sight.seeing import learn_to_name, learn_to_read, make_model, make_processor
from starts.sight.tokens import make_seeing_tokenizer
from verienv import Verdict
from verienv.generalpoints import Puzzle, verify
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.tokens import Tokens

TEMPLATE = Path(__file__).with_name("card.md")


class SightJudge(Judge):
    """Asks a start by sight, in black under J = Q = K = 10 ("ID") and the proxies ("proxy"), and in red ("red")."""

    metrics: ClassVar[Mapping[str, str]] = {**METRICS, "cards_correct": "recognition"}

    def __init__(self, kind: Sight, deck: Deck, processor: LlavaProcessor) -> None:
        self.kind, self.processor = kind, processor
        super().__init__(kind, deck, processor.tokenizer)
        self.items["red"] = self.asking(self.items["ID"].puzzles, share_of_red=1.0)

    def asking(self, puzzles: list[Puzzle], share_of_red: float = 0.0) -> Items:
        ids = seeing_tokens(self.kind, puzzles, self.tokenizer).tolist()
        seen = Pictures(self.kind, share_of_red).of(puzzles, np.random.default_rng(len(puzzles))).split(1)
        return Items(puzzles, [Tokens(row, {"pixel_values": one}) for row, one in zip(ids, seen, strict=True)])

    def policy(self, model: PreTrainedModel) -> HuggingFacePolicy:
        return HuggingFacePolicy(model.eval(), self.tokenizer, max_new_tokens=44, processor=self.processor)

    def found(self, response: str, puzzle: Puzzle) -> Verdict:
        return verify(response, puzzle, vision=True)


def prepare(kind: Sight, seed: int, starts: Path) -> Material:
    """Return the material of a start; it is made of the start in words of the same seed, among ``starts``."""
    words = starts / f"{kind.words}-{seed}"
    if not (words / "config.json").exists():
        raise SystemExit(f"{kind.name} of seed {seed} is made of {words}, which is not there: build {kind.words} first")
    tokenizer, deck = make_seeing_tokenizer(), Deck(kind.cards, "black")
    processor = make_processor(kind, tokenizer)
    pool = make_sight_pool(kind, deck, tokenizer, np.random.default_rng([seed, 0]))

    def begun(log: Log) -> PreTrainedModel:
        model = make_model(kind, tokenizer, words)
        for place, (stage, learn) in enumerate({"reading": learn_to_read, "naming": learn_to_name}.items(), 3):
            for done, (loss, right) in enumerate(learn(kind, model, pool, np.random.default_rng([seed, place])), 1):
                if done % LOGGED_EVERY == 0:
                    log(stage=stage, of_it=done, loss=round(loss, 4), ranks_right=round(right, 3))
        return model

    judge = SightJudge(kind, deck, processor)
    return Material(
        processor,
        begun,
        pool,
        judge,
        judged_on={name: items.problems for name, items in judge.items.items()},
        about={"made_of": words.name, **RULES},
        card=partial(card, kind, template=TEMPLATE),
    )
