"""The kinds of starts: their size, their data, and when they are stopped."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from verienv.generalpoints import FaceRule

TEN = FaceRule(J=10, Q=10, K=10)
"""The rule of post-training: the cell "ID" of a study."""
HELD_OUT = FaceRule(J=11, Q=12, K=13)
"""The rule of a study's cell "OOD": no start is trained under it, judged under it or chosen by it."""
PROXIES = (FaceRule(J=8, Q=12, K=13), FaceRule(J=12, Q=11, K=9))
"""Rules held out as that one is, by which starts are stopped in its place. Their numbers are no permutation of its."""
TRAINING_RULES = tuple(
    rule
    for rule in (FaceRule(J=j, Q=q, K=k) for j, q, k in product(range(5, 14), repeat=3))
    if rule not in (TEN, HELD_OUT, *PROXIES)
)
"""The other 725 mappings of J, Q and K to 5..13."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The size of a start, its training, and when it is stopped.

    Attributes:
        name: its name.
        about: what it is made for.
        hidden, layers, heads, feed_forward: of the Llama.
        batch: demonstrations a step.
        rate: learning rate of the training, after ``warm_up`` steps.
        first, every, last: steps after which a copy is cooled and judged.
        cooling: steps in which the rate of a copy falls from ``cooling_rate`` to 0, with a new optimiser.
        cooling_warm_up: the first of them, in which it rises to where it falls from, so that a new optimiser's first
            steps upset nothing.
        gauge: the measure of the proxy by which it is stopped, such as "success".
        band: percent between which the gauge of a cooled copy must lie.
        items: questions in each of the two judgements.
    """

    name: str
    about: str
    hidden: int
    layers: int = 3
    heads: int = 4
    feed_forward: int
    batch: int
    rate: float = 4e-3
    warm_up: int = 100
    first: int
    every: int
    last: int
    cooling: int
    cooling_rate: float = 3e-3
    cooling_warm_up: int = 0
    gauge: str
    band: tuple[float, float]
    items: int = 768


@dataclass(frozen=True, kw_only=True)
class Kind(Plan):
    """A kind of start for GeneralPoints.

    Attributes:
        cards: cards in a hand.
        share_of_ten: share of the demonstrations under J = Q = K = 10.
        hands_of_ten: hands in the pool under that rule.
        hands_a_rule: hands in the pool under each other rule, each with a face card.
    """

    cards: int
    share_of_ten: float
    hands_of_ten: int
    hands_a_rule: int


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="gp-arithmetic",
            about="questions about arithmetic: it reads a new rule right, and solves about half of its hands",
            cards=4,
            hidden=96,
            feed_forward=256,
            share_of_ten=0.07,
            hands_of_ten=4000,
            hands_a_rule=32,
            batch=64,
            first=750,
            every=75,
            last=1200,
            cooling=80,
            gauge="success",
            band=(43.0, 57.0),
        ),
        Kind(
            name="gp-rule",
            about="questions about the reading of a rule: it reads a new one often, but not always",
            cards=3,
            hidden=64,
            feed_forward=168,
            share_of_ten=0.05,
            hands_of_ten=1500,
            hands_a_rule=8,
            batch=48,
            warm_up=20,
            first=200,
            every=10,
            last=400,
            cooling=30,
            gauge="rule reading",
            band=(80.0, 90.0),
            items=512,
        ),
    )
}
