"""Evaluations of environments whose questions are worded and answered in the user's own way."""

import json
import re

import pytest
from tests.evaluation.policies import ENV, nonsense

from verienv.core import registered
from verienv.evaluation import Evaluation, compare, evaluate, recognition_figure

VISION = "verienv/GeneralPoints-VL-v0"
ROUTES = "verienv/VIRL-L-v0"
MIXED = {"tags": {"answer_format": "tags"}, "json": {}, "boxed": {"answer_format": "boxed+cards"}}
UNMEASURED = "Not measured, as answers have no field for it: recognition, rule reading (answer_format=tags)"
WORDED = {
    "prompt": "Use {cards}; {rule}. Make {target}. {format}",
    "system_prompt": "Be brief.",
    "think_first": True,
    "answer_format": "boxed",
    "feedback": {"wrong_value": "It makes {value}.", "wrong": "No."},
}


@pytest.fixture(scope="module")
def mixed():
    return evaluate("constant", VISION, MIXED, episodes=4)


@pytest.fixture(scope="module")
def tags():
    return evaluate("constant", VISION, ["train"], episodes=4, answer_format="tags")


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(registered, "_objects", {kind: dict(known) for kind, known in registered._objects.items()})


@pytest.mark.parametrize("env_id", [ENV, VISION])
@pytest.mark.parametrize("form", ["json", "tags", "boxed", "line", "tags+cards", "line+number", "boxed+cards+number"])
def test_expert_solves_every_hand_in_every_answer_format(env_id, form):
    result = evaluate("expert", env_id, ["train"], episodes=4, answer_format=form)
    assert result.cells["train"].metrics["success"].mean == 1


@pytest.mark.parametrize("form", ["tags", "boxed+observation", "line", "tags+observation+instruction"])
def test_expert_walks_every_route_in_every_answer_format(form):
    result = evaluate("expert", ROUTES, ["train"], episodes=2, answer_format=form)
    assert result.cells["train"].metrics["success"].mean == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": {"ten": 2, "rank": 1}, "target": [24, 12], "cards": [3, 4]},
        {"numbers": [1, 20]},
        {"operators": "+*"},
        {"difficulty": [2, 3]},
        WORDED,
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_expert_solves_what_studies_vary(settings):
    result = evaluate("expert", ENV, {"cell": settings}, episodes=4)
    assert result.cells["cell"].metrics["success"].mean == 1


def test_recognition_that_no_field_tells_is_not_measured_rather_than_misread(tags):
    cell = tags.cells["train"]
    assert cell.recognition is None
    assert not {"cards_correct", "cards_read", "numbers_correct"} & cell.metrics.keys()
    assert "misread" not in cell.failures


def test_format_that_asks_for_the_cards_measures_recognition(mixed):
    assert {name for name, cell in mixed.cells.items() if cell.recognition} == {"json", "boxed"}


@pytest.mark.parametrize("write", ["markdown", "to_latex", "table"])
def test_report_says_in_one_sentence_what_was_not_measured_and_why(tags, write):
    lines = [line.removeprefix("% ") for line in getattr(tags, write)().splitlines()]
    assert f"{UNMEASURED}." in lines


def test_report_of_json_answers_says_nothing_of_it():
    assert "measured" not in evaluate("constant", VISION, ["train"], episodes=2).markdown()


def test_cells_of_several_formats_stand_in_one_table(mixed):
    head, _, *rows = [line for line in mixed.markdown().splitlines() if line.startswith("|")][:5]
    columns = [cell.strip() for cell in head.split("|")]
    held = {row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")] for row in rows}
    assert columns[3:8] == ["success", "1st attempt", "recognition", "rule reading", "validity"]
    assert held["tags"][5:7] == ["not measured", "not measured"]
    assert held["boxed"][6] == "not measured"
    assert "not measured" not in held["json"]


def test_csv_has_no_line_for_what_was_not_measured(mixed):
    assert not re.search("^tags,(cards_correct|cards_read|read|misread)", mixed.to_csv(), re.MULTILINE)


def test_evaluation_of_several_formats_is_saved_and_read_back(mixed, tmp_path):
    mixed.save(tmp_path / "mixed.json")
    assert Evaluation.load(tmp_path / "mixed.json") == mixed


def test_constant_baseline_says_the_same_answer_in_the_format_of_each_cell(mixed):
    assert len({cell.metrics["success"] for cell in mixed.cells.values()}) == 1
    assert not any("unreadable" in cell.failures for cell in mixed.cells.values())


def test_ratios_that_need_a_field_are_not_measured_on_routes_without_it():
    cells = {"json": {"split": "train"}, "tags": {"split": "train", "answer_format": "tags"}}
    result = evaluate("constant", ROUTES, cells, episodes=2)
    assert "observation_accuracy" in result.cells["json"].metrics
    assert "observation_accuracy" not in result.cells["tags"].metrics
    assert "observation, instruction, at turns read right (answer_format=tags)" in " ".join(str(result).split())


def test_pooled_ratios_are_named_only_where_they_were_measured():
    result = evaluate("constant", ROUTES, ["train"], episodes=2, answer_format="tags")
    [pooled] = [line for line in result.markdown().splitlines() if line.startswith("Counted")]
    assert "observation" not in pooled


@pytest.mark.parametrize("order", [1, -1])
def test_runs_of_two_formats_are_compared_in_what_both_measure(tags, order):
    sides = [evaluate("constant", VISION, ["train"], episodes=4), tags][::order]
    found = compare(*sides)
    assert found.cells["train"].metrics.keys() == tags.cells["train"].metrics.keys()
    assert "Not compared, as answers of one side have no field for it: recognition, rule reading" in found.markdown()


def test_comparison_of_cells_of_several_formats_is_one_table(mixed):
    found = compare(mixed, mixed)
    assert "not measured" in str(found)
    assert found.note == ""


def test_two_formats_within_one_run_are_compared(mixed):
    found = compare(mixed, mixed, {"json": "tags"})
    assert "recognition, rule reading (before: json, after: tags)" in found.note


def test_figure_of_what_was_not_measured_is_refused_with_a_way_out(tags, tmp_path):
    with pytest.raises(ValueError, match=r"not measured, .*answer_format=tags\); ask for that field, as 'tags\+cards'"):
        recognition_figure({"tags": tags}, tmp_path / "figure.png")


def test_figure_names_the_cell_that_was_not_measured(mixed, tmp_path):
    with pytest.raises(ValueError, match="cell 'tags': recognition was not measured"):
        recognition_figure({"mixed": mixed}, tmp_path / "figure.png", cells=["tags"])


def test_figure_leaves_out_cells_that_were_not_measured(mixed, tmp_path):
    pytest.importorskip("matplotlib")
    recognition_figure({"mixed": mixed}, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size


def test_log_of_own_wording_is_extended(tmp_path):
    log = tmp_path / "log.jsonl"
    evaluate("constant", ENV, ["train"], episodes=3, log=log, **WORDED)
    grown = evaluate("constant", ENV, ["train"], episodes=30, log=log, **WORDED)
    assert grown == evaluate("constant", ENV, ["train"], episodes=30, **WORDED)


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "Take {cards}; {rule}. Make {target}. {format}"},
        {"system_prompt": "Be long."},
        {"think_first": False},
        {"answer_format": "tags"},
        {"feedback": "none"},
        {"rewards": "binary"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_log_of_another_wording_is_refused_by_the_setting_that_differs(tmp_path, changed):
    evaluate("constant", ENV, ["train"], episodes=2, log=tmp_path / "log.jsonl", **WORDED)
    [name] = changed
    with pytest.raises(ValueError, match=rf"logs another evaluation \(cells\['train'\]: {name} "):
        evaluate("constant", ENV, ["train"], episodes=2, log=tmp_path / "log.jsonl", **{**WORDED, **changed})


def test_log_holds_the_names_of_registered_objects(tmp_path):
    registered.register_rewards("mine", lambda verdict: 3.0 * verdict.is_correct)
    result = evaluate("expert", ENV, ["train"], episodes=2, rewards="mine", log=tmp_path / "log.jsonl")
    header = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert header["setup"]["cells"]["train"]["rewards"] == "mine"
    assert result.cells["train"].metrics["reward"].mean == 3


def test_log_whose_prompt_function_has_changed_behind_its_name_is_refused(tmp_path):
    said = ["Use"]
    registered.register_prompt("mine", lambda slots: f"{said[-1]} {slots['cards']}. {slots['format']}")
    evaluate("constant", ENV, ["train"], episodes=2, prompt="mine", log=tmp_path / "log.jsonl")
    said.append("Take")
    with pytest.raises(ValueError, match="line 2: it answers a question in other words than those of today"):
        evaluate("constant", ENV, ["train"], episodes=4, prompt="mine", log=tmp_path / "log.jsonl")


def test_lines_of_the_default_wording_are_as_they_were(tmp_path):
    evaluate("expert", ENV, ["train"], episodes=1, log=tmp_path / "log.jsonl")
    assert "asked" not in json.loads((tmp_path / "log.jsonl").read_text().splitlines()[1])


def problems(result, cell):
    """Return the clusters of a cell."""
    return [episode.cluster for episode in result.episodes if episode.cell == cell]


@pytest.mark.parametrize(
    ("cards", "settings", "problem"),
    [
        ("K-A-2-3", {"rule": "ten"}, "1,2,3,10:24"),
        ("K-A-2-3", {"rule": "rank"}, "1,2,3,13:24"),
        ("K-A-2-3", {"rule": "ten", "operators": "+-*"}, "1,2,3,10:24"),
        ("numbers-10-1-2-3", {"numbers": [1, 13]}, "1,2,3,10:24"),
        ("K-A-2-3", {"rule": "ten", "stated_rule": "rank"}, "1,2,3,10:24"),
    ],
    ids=["a rule", "another rule", "fewer operators", "plain numbers", "another stated rule"],
)
def test_hands_of_the_same_values_and_target_are_one_problem(cards, settings, problem):
    cells = {"cell": {**settings, "instances": [f"generalpoints:{cards}:24"]}}
    result = evaluate("constant", ENV, cells)
    assert problems(result, "cell") == [f"generalpoints:{problem}"]


def test_targets_and_rules_that_are_mixed_make_problems_of_their_own():
    settings = {"rule": ["ten", "rank"], "target": [12, 24], "cards": 3, "operators": "+-"}
    result = evaluate("constant", ENV, {"cell": settings}, episodes=120)
    due = {(episode.cluster, episode.instance.rpartition(":")[2]) for episode in result.episodes}
    assert result.cells["cell"].clusters == len({cluster for cluster, _ in due}) == len(due) < 120


def test_the_same_hands_under_other_operators_are_compared_in_pairs():
    instances = ["generalpoints:2-3-4-A:24", "generalpoints:A-4-3-2:24", "generalpoints:K-A-2-3:24"]
    cells = {"all": {"instances": instances}, "few": {"instances": instances, "operators": "+*"}}
    result = evaluate("expert", ENV, cells)
    found = compare(result, result, {"all": "few"}).cells["few - all"]
    assert (found.pairs, found.clusters) == (3, 2)


@pytest.mark.parametrize(
    ("setting", "kind"),
    [("prompt", "prompt"), ("answer_format", "format"), ("feedback", "feedback"), ("rewards", "rewards")],
)
def test_object_without_a_name_is_refused_with_the_call_that_gives_it_one(setting, kind):
    class Mine:
        instruction = "Say it."

        def read(self, response):
            return response

        def __call__(self, *given):
            return 1.0 if setting == "rewards" else "Say it."

    with pytest.raises(ValueError, match=rf"rows and logs hold names, .*verienv\.register_{kind}\("):
        evaluate(nonsense, ENV, ["train"], episodes=1, **{setting: Mine()})


def test_format_that_only_reads_is_enough_for_a_policy(tmp_path):
    class Mine:
        instruction = "Say the formula."

        def read(self, response):
            return response

    registered.register_format("reads", Mine())
    result = evaluate(nonsense, ENV, ["train"], 2, answer_format="reads", attempts=1, log=tmp_path / "log.jsonl")
    assert result.cells["train"].failures == {"illegal": 2}
