"""What tests of check_verifier share: verifiers by one decision, and the faults that are found in them."""

from collections.abc import Callable

import pytest

from verienv.core.response import read_answer
from verienv.generalpoints import Puzzle
from verienv.generalpoints.prompts import answer_shape
from verienv.testing import Kind, VerifierFaults, check_verifier
from verienv.virl.prompts import SHAPE
from verienv.virl.routes.route import Waypoint


def by_formula(judge: Callable[[str, Puzzle], bool]) -> Callable[[str, Puzzle], float]:
    """A verifier that reads as ours does and judges the formula by ``judge``."""

    def reward(response: str, puzzle: Puzzle) -> float:
        answer = read_answer(response, "formula", templates=answer_shape(puzzle).templates)
        return float(answer is not None and isinstance(answer["formula"], str) and judge(answer["formula"], puzzle))

    return reward


def by_action(judge: Callable[[str, Waypoint], bool]) -> Callable[[str, Waypoint], float]:
    """A verifier that reads as ours does and judges the action by ``judge``."""

    def reward(response: str, waypoint: Waypoint) -> float:
        answer = read_answer(response, "action", templates=SHAPE.templates)
        return float(answer is not None and isinstance(answer["action"], str) and judge(answer["action"], waypoint))

    return reward


def faults_of(fn: Callable[[str, Puzzle], object], **setting: object) -> VerifierFaults:
    with pytest.raises(VerifierFaults) as raised:
        check_verifier(fn, **setting)
    return raised.value


def kinds(faults: VerifierFaults) -> set[Kind]:
    return {fault.kind for fault in faults.faults}
