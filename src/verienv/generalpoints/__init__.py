"""GeneralPoints: make 24 (or another target) from the numbers of the cards, each used exactly once.

from verienv.generalpoints import Puzzle, verify
puzzle = Puzzle(("4", "3", "2", "K"), rule="ten")
verify('{"formula": "4*3+2+10"}', puzzle).reward  # 5.0
"""

from verienv.generalpoints.answers import expert_answer
from verienv.generalpoints.dealer import Dealer, Dealing
from verienv.generalpoints.expression import Equation, Expression, IllegalFormula, parse_formula
from verienv.generalpoints.prompts import question
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.solver import is_solvable, solutions
from verienv.generalpoints.splits import RULE_BY_SIDE, SPLITS, GeneralPointsConfig
from verienv.generalpoints.verifier import REWARDS, Failure, GeneralPointsRewards, formula_failure, verify

__all__ = [
    "PRESETS",
    "REWARDS",
    "RULE_BY_SIDE",
    "SPLITS",
    "Dealer",
    "Dealing",
    "Equation",
    "Expression",
    "FaceRule",
    "Failure",
    "GeneralPointsConfig",
    "GeneralPointsRewards",
    "IllegalFormula",
    "Puzzle",
    "expert_answer",
    "formula_failure",
    "is_solvable",
    "parse_formula",
    "question",
    "solutions",
    "verify",
]
