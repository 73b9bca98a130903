"""Evaluation: let a policy play, measure it with honest intervals, and compare it with another.

from verienv.evaluation import compare, evaluate
before = evaluate(policy, "verienv/GeneralPoints-L-v0", episodes=200, log="runs/before.jsonl")
print(before)
"""

from verienv.core.policy import Policy
from verienv.evaluation.cells import read_cells
from verienv.evaluation.comparison import CellDifference, Comparison, compare
from verienv.evaluation.log_file import read_evaluation
from verienv.evaluation.policy_table import PolicyTable
from verienv.evaluation.recognition import recognition_figure
from verienv.evaluation.records import EpisodeRecord, Setup
from verienv.evaluation.report import CellResult, Evaluation, Recognition
from verienv.evaluation.run import evaluate
from verienv.evaluation.statistics import Estimate, estimates, ratio_estimates, unpaired, wilson
from verienv.evaluation.success import success_figure
from verienv.policies.baselines import BASELINES

__all__ = [
    "BASELINES",
    "CellDifference",
    "CellResult",
    "Comparison",
    "EpisodeRecord",
    "Estimate",
    "Evaluation",
    "Policy",
    "PolicyTable",
    "Recognition",
    "Setup",
    "compare",
    "estimates",
    "evaluate",
    "ratio_estimates",
    "read_cells",
    "read_evaluation",
    "recognition_figure",
    "success_figure",
    "unpaired",
    "wilson",
]
