"""The material of starts for GeneralPoints."""

from __future__ import annotations

from functools import partial

import numpy as np

from starts.card import card
from starts.hands import Deck
from starts.judging import Judge
from starts.kinds import PROXIES, TRAINING_RULES, Kind
from starts.material import Material
from starts.pool import make_pool
from starts.tokens import make_tokenizer


def prepare(kind: Kind, seed: int) -> Material:
    """Return the material of a start."""
    tokenizer, deck = make_tokenizer(), Deck(kind.cards)
    pool = make_pool(kind, deck, tokenizer, np.random.default_rng([seed, 0]))
    judge = Judge(kind, deck, tokenizer)
    return Material(
        tokenizer,
        pool,
        judge,
        judged_on={name: items.problems for name, items in judge.items.items()},
        about={"proxies": [rule.name for rule in PROXIES], "training_rules": len(TRAINING_RULES)},
        card=partial(card, kind),
    )
