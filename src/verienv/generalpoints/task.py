"""GeneralPoints: all that the suite knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from verienv.core.task import Cells, Measures, Task

if TYPE_CHECKING:
    from verienv.core.answer_format import Shape
    from verienv.core.cases import Material
    from verienv.core.question import Question
    from verienv.core.scene import Scene
    from verienv.core.verdict import OwnRewards
    from verienv.generalpoints.question import GeneralPointsQuestion
    from verienv.generalpoints.rewards import GeneralPointsRewards


def answer(cards: list[str], number: list[int], formula: str) -> str:
    """
    Submit an answer and be told whether it is correct.

    Args:
        cards: The cards, such as A, 10 or K.
        number: The number that each card counts.
        formula: The arithmetic expression that makes the target.

    Returns:
        Whether the answer is correct, else what is wrong with it and how many attempts are left.
    """
    return json.dumps({"cards": cards, "number": number, "formula": formula}, default=str)


class GeneralPoints(Task):
    """Make 24, or another target, from the numbers of the cards."""

    name = "generalpoints"
    title = "GeneralPoints"
    data_license = ("mit", "Card faces in pictures are in the public domain (CC0 1.0).")
    environments: ClassVar[Mapping[str, str]] = {
        "verienv/GeneralPoints-L-v0": "verienv.generalpoints.env:GeneralPointsEnv",
        "verienv/GeneralPoints-VL-v0": "verienv.generalpoints.vision_env:GeneralPointsVisionEnv",
    }
    numeric: ClassVar[Mapping[str, str]] = {
        "verienv/GeneralPoints-Tokens-v0": "verienv.numeric.tokens:make",
        "verienv/GeneralPoints-VL-Tokens-v0": "verienv.numeric.tokens:make_vision",
    }
    column = "cards"
    fields = ("formula", "cards", "number")
    ability = "math"
    noun = "hand"
    tool = staticmethod(answer)
    tool_over = "The puzzle is over: no further answer counts."

    @property
    def question(self) -> type[GeneralPointsQuestion]:
        from verienv.generalpoints.question import GeneralPointsQuestion

        return GeneralPointsQuestion

    @property
    def tables(self) -> Mapping[str, Cells]:
        from verienv.generalpoints.config import RULE_BY_SIDE
        from verienv.generalpoints.vision_config import RULE_BY_SIDE_BY_VISUAL, VISUAL_BY_RULE

        return {
            "rule_by_side": RULE_BY_SIDE,
            "visual_by_rule": VISUAL_BY_RULE,
            "rule_by_side_by_visual": RULE_BY_SIDE_BY_VISUAL,
        }

    @property
    def shape(self) -> Shape:
        from verienv.generalpoints.prompts import shape_of

        return shape_of()

    def measures(self, vision: bool) -> Measures:
        return _measures(vision)

    def reward_table(self, rewards: Any) -> GeneralPointsRewards | OwnRewards:
        from verienv.generalpoints.rewards import GeneralPointsRewards

        return GeneralPointsRewards.of(rewards)

    def cases(self, *, vision: bool, strict: bool, questions: int, seed: int) -> Material:
        from verienv.generalpoints.cases import material

        return material(vision, strict, questions, seed)

    def published(self, prompt: str, answer: str, about: Mapping[str, Any]) -> Question | None:
        from verienv.generalpoints.published_rows import published_question

        return published_question(prompt, answer, about)

    def likeness(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the hand's ``cards``, and its ``numbers`` under the scored rule, both with the target."""
        from verienv.generalpoints.likeness import likeness

        return likeness(self.question.from_row(row).puzzle)

    def dealt_alike(self, question: Question, env: Any) -> frozenset[str] | None:
        from verienv.generalpoints.likeness import dealt_alike

        return dealt_alike(_own(question).puzzle, [dealing for dealing, _ in env.config.dealings])

    def help(self, question: Question) -> str:
        note = "A bare formula is judged as if you had read the cards right, a JSON answer with the cards it names."
        return _HELP + (f"\n{note}" if question.vision else "")

    def typed(self, question: Question, text: str) -> str:
        """A bare formula becomes the JSON answer around it, the rest of it true."""
        from verienv.generalpoints.answers import write_answer

        if "formula" in text or "<" in text or "\\boxed" in text:
            return text
        return write_answer(_own(question).puzzle, text, answer_format=question.wording.answer_format)

    def revealed(self, question: Question) -> Iterator[str]:
        from verienv.arithmetic.solver import solutions

        puzzle = _own(question).puzzle
        if question.vision:
            yield f"The cards are  {' '.join(puzzle.cards)}"
        found = [expression.minimal() for expression in solutions(puzzle.values, puzzle.target, puzzle.operators)]
        yield f"{'The solution is' if len(found) == 1 else f'The {len(found)} solutions are'}  {'   '.join(found)}"

    def scene(self, question: Question, solved: bool = False) -> Scene:
        from verienv.core.scene import Scene

        ranks = ", ".join(_own(question).puzzle.ranks)
        return Scene(truth=f"The cards are {ranks}." if question.vision else "")


@cache
def _measures(vision: bool) -> Measures:
    from verienv.generalpoints.rewards import Failure

    left_out = {Failure.UNCONFIRMED} if vision else {Failure.UNCONFIRMED, Failure.MISREAD}
    metrics = {"cards_correct": False, "numbers_correct": False, "formula_valid": False}
    return Measures(
        failures=tuple(str(failure) for failure in Failure if failure not in left_out),
        metrics={**metrics, "cards_read": 0} if vision else metrics,
        headings={
            "cards_correct": "recognition" if vision else "cards",
            "numbers_correct": "rule reading",
            "formula_valid": "validity",
        },
        recognition="cards_correct" if vision else "",
        fields={
            "cards_correct": "cards",
            "cards_read": "cards",
            "numbers_correct": "number",
            str(Failure.MISREAD): "cards",
        },
    )


def _own(question: Question) -> GeneralPointsQuestion:
    return cast("GeneralPointsQuestion", question)


_HELP = "Type a formula such as (1+2)*(3+5), or a whole answer as asked for; 'give up' for the solutions, 'q' to quit."

GENERALPOINTS = GeneralPoints()
