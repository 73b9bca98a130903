"""Policies of known abilities, in words, that the tests of evaluation share."""

import re

from verienv.evaluation import evaluate
from verienv.generalpoints import Puzzle
from verienv.generalpoints.answers import expert_answer

ENV = "verienv/GeneralPoints-L-v0"
NONSENSE = "I do not know."


def nonsense(dialogues):
    return [NONSENSE] * len(dialogues)


def solve_from_text(dialogue, rule=None):
    """What an able policy does: read rule and cards in the question and answer, under ``rule`` if one is given."""
    _, told, cards, *_ = dialogue[0]["content"].splitlines()
    stated = {face: int(number) for face, number in re.findall(r"([JQK]) = (\d+)", told)}
    return expert_answer(Puzzle(tuple(cards.removeprefix("Cards: ").split(", ")), rule=rule or stated))


def solves_at_second_attempt(dialogues):
    return [solve_from_text(dialogue) if len(dialogue) > 1 else NONSENSE for dialogue in dialogues]


def ignores_the_stated_rule(dialogues):
    answers = []
    for dialogue in dialogues:
        try:
            answers.append(solve_from_text(dialogue, rule="ten"))
        except ValueError:  # no solution where J, Q and K are 10
            answers.append(NONSENSE)
    return answers


def is_solved_by_hash(dialogues):
    """A policy with successes and failures that depend on the dialogue alone."""
    return [
        solve_from_text(dialogue) if sum(map(ord, dialogue[0]["content"])) % 3 == 0 else NONSENSE
        for dialogue in dialogues
    ]


class Interrupted:
    """A policy that is cut off at its n-th batch, and counts what it is asked."""

    def __init__(self, at=None):
        self.at, self.batches, self.asked = at, 0, 0

    def __call__(self, dialogues):
        self.batches += 1
        if self.batches == self.at:
            raise KeyboardInterrupt
        self.asked += len(dialogues)
        return is_solved_by_hash(dialogues)


def run(policy, log=None):
    return evaluate(policy, ENV, ["train", "test"], episodes=10, batch_size=4, log=log)
