"""The material of starts for GeneralPoints."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from starts.card import card
from starts.hands import Deck
from starts.judging import Judge
from starts.kinds import PROXIES, TRAINING_RULES, Kind
from starts.material import Material
from starts.pool import make_pool
from starts.tokens import make_tokenizer
from starts.training import make_model

RULES = {"proxies": [rule.name for rule in PROXIES], "training_rules": len(TRAINING_RULES)}
"""The rules of its making, for the log of a start."""


def prepare(kind: Kind, seed: int, starts: Path) -> Material:
    """Return the material of a start; it is made of no other."""
    tokenizer, deck = make_tokenizer(), Deck(kind.cards)
    pool = make_pool(kind, deck, tokenizer, np.random.default_rng([seed, 0]))
    judge = Judge(kind, deck, tokenizer)
    return Material(
        tokenizer,
        lambda _: make_model(kind, tokenizer),
        pool,
        judge,
        judged_on={name: items.problems for name, items in judge.items.items()},
        about=RULES,
        card=partial(card, kind),
    )
