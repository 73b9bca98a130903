"""GeneralPoints: make 24 (or another target) from the numbers of the cards, each used exactly once.

from verienv.generalpoints import Puzzle, verify
puzzle = Puzzle(("4", "3", "2", "K"), rule="ten")
verify('{"formula": "4*3+2+10"}', puzzle).reward  # 5.0

Names load with their first use; those that draw need PIL: draw(("4S", "3C", "2S", "KC"), Visual.of("wood")).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import lazy_attributes

if TYPE_CHECKING:
    from verienv.arithmetic.expression import Equation as Equation
    from verienv.arithmetic.expression import Expression as Expression
    from verienv.arithmetic.expression import IllegalFormula as IllegalFormula
    from verienv.arithmetic.expression import parse_formula as parse_formula
    from verienv.arithmetic.solver import is_solvable as is_solvable
    from verienv.arithmetic.solver import solutions as solutions
    from verienv.generalpoints.answers import expert_answer as expert_answer
    from verienv.generalpoints.answers import write_answer as write_answer
    from verienv.generalpoints.answers import wrong_answer as wrong_answer
    from verienv.generalpoints.cases import load_vectors as load_vectors
    from verienv.generalpoints.config import RULE_BY_SIDE as RULE_BY_SIDE
    from verienv.generalpoints.config import SPLITS as SPLITS
    from verienv.generalpoints.config import GeneralPointsConfig as GeneralPointsConfig
    from verienv.generalpoints.difficulty import Difficulty as Difficulty
    from verienv.generalpoints.difficulty import difficulty_of as difficulty_of
    from verienv.generalpoints.env import GeneralPointsEnv as GeneralPointsEnv
    from verienv.generalpoints.pictures.drawing import draw as draw
    from verienv.generalpoints.pictures.drawn_deck import DrawnDeck as DrawnDeck
    from verienv.generalpoints.pictures.visuals import VISUALS as VISUALS
    from verienv.generalpoints.pictures.visuals import Visual as Visual
    from verienv.generalpoints.prompts import write_question as write_question
    from verienv.generalpoints.puzzle import Puzzle as Puzzle
    from verienv.generalpoints.question import GeneralPointsQuestion as GeneralPointsQuestion
    from verienv.generalpoints.rules import PRESETS as PRESETS
    from verienv.generalpoints.rules import FaceRule as FaceRule
    from verienv.generalpoints.sampler import Dealing as Dealing
    from verienv.generalpoints.sampler import Sampler as Sampler
    from verienv.generalpoints.task import GENERALPOINTS as GENERALPOINTS
    from verienv.generalpoints.verifier import REWARDS as REWARDS
    from verienv.generalpoints.verifier import Failure as Failure
    from verienv.generalpoints.verifier import GeneralPointsRewards as GeneralPointsRewards
    from verienv.generalpoints.verifier import formula_failure as formula_failure
    from verienv.generalpoints.verifier import verify as verify
    from verienv.generalpoints.vision_config import RULE_BY_SIDE_BY_VISUAL as RULE_BY_SIDE_BY_VISUAL
    from verienv.generalpoints.vision_config import VISION_SPLITS as VISION_SPLITS
    from verienv.generalpoints.vision_config import VISUAL_BY_RULE as VISUAL_BY_RULE
    from verienv.generalpoints.vision_config import GeneralPointsVisionConfig as GeneralPointsVisionConfig
    from verienv.generalpoints.vision_env import GeneralPointsVisionEnv as GeneralPointsVisionEnv

__getattr__, __dir__, __all__ = lazy_attributes(
    __name__,
    {
        "verienv.arithmetic.expression": ("Equation", "Expression", "IllegalFormula", "parse_formula"),
        "verienv.arithmetic.solver": ("is_solvable", "solutions"),
        "answers": ("expert_answer", "write_answer", "wrong_answer"),
        "cases": ("load_vectors",),
        "config": ("RULE_BY_SIDE", "SPLITS", "GeneralPointsConfig"),
        "difficulty": ("Difficulty", "difficulty_of"),
        "env": ("GeneralPointsEnv",),
        "pictures.drawing": ("draw",),
        "pictures.drawn_deck": ("DrawnDeck",),
        "pictures.visuals": ("VISUALS", "Visual"),
        "prompts": ("write_question",),
        "puzzle": ("Puzzle",),
        "question": ("GeneralPointsQuestion",),
        "rules": ("PRESETS", "FaceRule"),
        "sampler": ("Dealing", "Sampler"),
        "task": ("GENERALPOINTS",),
        "verifier": ("REWARDS", "Failure", "GeneralPointsRewards", "formula_failure", "verify"),
        "vision_config": ("RULE_BY_SIDE_BY_VISUAL", "VISION_SPLITS", "VISUAL_BY_RULE", "GeneralPointsVisionConfig"),
        "vision_env": ("GeneralPointsVisionEnv",),
    },
)
