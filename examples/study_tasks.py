"""The measures of a study by task: the cells, the gauges, and the results of the paper."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verienv.core.make import make_env
from verienv.generalpoints import RULE_BY_SIDE, RULE_BY_SIDE_BY_VISUAL
from verienv.virl import RULE_BY_CITY
from verienv.virl.env import VIRLEnv


@dataclass(frozen=True)
class Task:
    """A task as a study reads it.

    Attributes:
        title: for figures.
        cells: the splits of an evaluation; policies are trained on the first alone, and the second differs from it in
            the rule.
        shifts: by what changed, the cells to compare with the first: the train side under another rule or visual.
        headline: the metric that findings and figures are about.
        gauges: the headings of tables by metric.
        unsolved: the gauge that findings go by where the headline is 0 throughout.
        corners: the gauges that are drawn under the other rule.
        unit: what the train side and the test side consist of, in the plural.
        cluster: what episodes of one cluster share.
        paper: a table of the paper's results, and ``paper_setting`` what they were measured on.
        caveats: for a built-in model, what cannot be concluded of it.
        recognition: the metric of what was read in the picture, "" in words.
    """

    title: str
    cells: dict[str, dict[str, Any]]
    shifts: dict[str, str]
    headline: str
    gauges: dict[str, str]
    unsolved: str
    corners: tuple[str, ...]
    unit: str
    cluster: str
    paper: str
    paper_setting: str
    caveats: dict[str, tuple[str, ...]]
    recognition: str = ""


BLACK, RED = ", black suits", ", red suits"
HANDS = {
    "success": "success within the attempts",
    "first_success": "success at the first attempt",
    "numbers_correct": "rule reading (numbers right under the stated rule)",
    "formula_valid": "validity (legal, with the right numbers)",
}
RECOGNITION = {"cards_correct": "recognition (all four cards read right)"}
STEPS = {
    "step_accuracy": "per step (the right action at once)",
    "turn_accuracy": "at turns (the right action at once where a turn is due)",
    "success": "routes done (within the attempts at each waypoint)",
    "progress": "progress (the share of a route that is done)",
    "observation_accuracy": "observation (the landmark named right)",
}
PAPER_HANDS = """\
| arXiv 2501.17161, success in percent | start | after SFT | after RL |
|--------------------------------------|------:|----------:|---------:|
| in words, rule OOD                   |  11.5 |       3.4 |     15.0 |
| vision, rule OOD                     |  11.2 |       5.6 |     14.2 |
| vision, visual OOD                   |  23.6 |      13.7 |     41.2 |"""
PAPER_ROUTES = """\
| arXiv 2501.17161, in percent         | start | after SFT | after RL |
|--------------------------------------|------:|----------:|---------:|
| in words, rule OOD, per step         |  80.8 |       1.3 |     91.8 |
| vision, rule OOD, per step           |  35.7 |       2.5 |     45.0 |
| vision, new cities, routes done      |  16.7 |      11.1 |     77.8 |"""
RETENTION = (
    "was trained under many J/Q/K mappings (never 11-12-13): what is measured under "
    "11-12-13 is the *retention* of an ability that the start had, not its emergence. It mostly recalls hands, "
    "and hardly solves hands whose numbers it never met; there rule reading and validity are the gauges."
)
MET = "the rules of your own cells too, the one that is held out among them."
NO_RED = "tiny-vlm never met a red card before its evaluation, nor does either arm: red is a new visual."
TRAIN_SIDE, OTHER_RULE = tuple(RULE_BY_SIDE_BY_VISUAL)[:2]

IN_WORDS = Task(
    title="GeneralPoints in words",
    cells=RULE_BY_SIDE,
    shifts={"rule": tuple(RULE_BY_SIDE)[1]},
    headline="success",
    gauges=HANDS,
    unsolved="formula_valid",
    corners=("numbers_correct", "formula_valid"),
    unit="hands",
    cluster="the hand's numbers",
    paper=PAPER_HANDS,
    paper_setting="hands drawn like those of training",
    caveats={"tiny-lm": (f"tiny-lm {RETENTION}",)},
)
WITH_VISION = Task(
    title="GeneralPoints with vision",
    cells=RULE_BY_SIDE_BY_VISUAL,
    shifts={
        "rule": OTHER_RULE,
        "visual": TRAIN_SIDE.replace(BLACK, RED),
        "rule and visual": OTHER_RULE.replace(BLACK, RED),
    },
    headline="success",
    gauges=HANDS | RECOGNITION,
    unsolved="formula_valid",
    corners=("numbers_correct",),
    unit="hands",
    cluster="the hand's numbers",
    paper=PAPER_HANDS,
    paper_setting="hands drawn like those of training",
    caveats={"tiny-vlm": (f"tiny-vlm {RETENTION}", NO_RED)},
    recognition="cards_correct",
)
ROUTES = Task(
    title="V-IRL",
    cells=RULE_BY_CITY,
    shifts={
        "rule": "train side, relative",
        "city": "new cities, absolute",
        "rule and city": "new cities, relative",
    },
    headline="step_accuracy",
    gauges=STEPS,
    unsolved="observation_accuracy",
    corners=("turn_accuracy",),
    unit="routes",
    cluster="the route",
    paper=PAPER_ROUTES,
    paper_setting="48 routes of New York and 18 of other cities, some of which reward wrong actions",
    caveats={"tiny-lm": ("tiny-lm never met a route before its evaluation: train a start with `sft.py` first.",)},
)


def task_of(env_id: str, cells: Mapping[str, Any] | None = None) -> Task:
    """The measures of a study in an environment, in cells of one's own if there are any."""
    env = make_env(env_id)
    task = ROUTES if isinstance(env, VIRLEnv) else WITH_VISION if env.measures.recognition else IN_WORDS
    if not cells:
        return task
    met = {model: (*told, f"{model} may have met {MET}") for model, told in task.caveats.items() if task is not ROUTES}
    return replace(task, cells=dict(cells), shifts={name: name for name in list(cells)[1:]}, caveats=task.caveats | met)


def measured(task: Task, metrics: Collection[str]) -> Task:
    """A task without the gauges that were not measured, as where an answer format has no field for them."""
    gauges = {gauge: title for gauge, title in task.gauges.items() if gauge in metrics}
    return replace(
        task,
        gauges=gauges,
        unsolved=task.unsolved if task.unsolved in gauges else task.headline,
        corners=tuple(gauge for gauge in task.corners if gauge in gauges),
        recognition=task.recognition if task.recognition in gauges else "",
    )
