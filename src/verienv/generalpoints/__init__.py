"""GeneralPoints: make 24 (or another target) from the numbers of the cards, each used exactly once.

from verienv.generalpoints import Puzzle, verify
puzzle = Puzzle(("4", "3", "2", "K"), rule="ten")
verify('{"formula": "4*3+2+10"}', puzzle).reward  # 5.0

What draws loads with its first use, since it needs PIL: draw(("4S", "3C", "2S", "KC"), Look.of("wood")).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.arithmetic.expression import Equation, Expression, IllegalFormula, parse_formula
from verienv.arithmetic.solver import is_solvable, solutions
from verienv.core.lazy import on_first_use
from verienv.generalpoints.answers import expert_answer
from verienv.generalpoints.config import RULE_BY_SIDE, SPLITS, GeneralPointsConfig
from verienv.generalpoints.prompts import question
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.sampler import Dealer, Dealing
from verienv.generalpoints.verifier import REWARDS, Failure, GeneralPointsRewards, formula_failure, verify

if TYPE_CHECKING:
    from verienv.generalpoints.pictures.drawing import draw
    from verienv.generalpoints.pictures.drawn_deck import DrawnDeck
    from verienv.generalpoints.pictures.visuals import LOOKS, Look
    from verienv.generalpoints.vision_config import (
        LOOK_BY_RULE,
        RULE_BY_SIDE_BY_LOOK,
        VISION_SPLITS,
        GeneralPointsVisionConfig,
    )

_LAZY = {
    "LOOKS": "looks",
    "LOOK_BY_RULE": "vision_splits",
    "RULE_BY_SIDE_BY_LOOK": "vision_splits",
    "VISION_SPLITS": "vision_splits",
    "DrawnDeck": "drawn_deck",
    "GeneralPointsVisionConfig": "vision_splits",
    "Look": "looks",
    "draw": "drawing",
}

__all__ = [
    "LOOKS",
    "LOOK_BY_RULE",
    "PRESETS",
    "REWARDS",
    "RULE_BY_SIDE",
    "RULE_BY_SIDE_BY_LOOK",
    "SPLITS",
    "VISION_SPLITS",
    "Dealer",
    "Dealing",
    "DrawnDeck",
    "Equation",
    "Expression",
    "FaceRule",
    "Failure",
    "GeneralPointsConfig",
    "GeneralPointsRewards",
    "GeneralPointsVisionConfig",
    "IllegalFormula",
    "Look",
    "Puzzle",
    "draw",
    "expert_answer",
    "formula_failure",
    "is_solvable",
    "parse_formula",
    "question",
    "solutions",
    "verify",
]

__getattr__, __dir__ = on_first_use(__name__, _LAZY)
