import json
import re
import sys
from math import isnan
from pathlib import Path

import pytest
from tests.evaluation.policies import ENV, is_solved_by_hash, nonsense
from tests.evaluation.walks import ROUTES, straight_on, turns_late, walked

from verienv.evaluation import Evaluation, compare, evaluate
from verienv.evaluation.tables import percent
from verienv.generalpoints import RULE_BY_SIDE


def test_clusters_are_the_problems_not_the_hands():
    ids = [f"generalpoints:4-3-2-{face}:24" for face in ("10", "J", "Q", "K")]
    result = evaluate(nonsense, ENV, {"one problem": {"instances": ids}})
    assert result.cells["one problem"].clusters == 1
    assert compare(result, result).cells["one problem"].metrics["success"][1:] == pytest.approx((-0.975, 0.975))


def test_a_saved_evaluation_comes_back_whole(tmp_path):
    result = evaluate(is_solved_by_hash, ENV, episodes=10)
    result.save(tmp_path / "result.json")
    assert Evaluation.load(tmp_path / "result.json") == result


def test_a_file_that_is_no_evaluation_is_refused_by_load(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="is no saved evaluation"):
        Evaluation.load(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda saved: saved["episodes"].pop(1), "holds 2 episodes of 'train', where 3 are due"),
        (lambda saved: saved["episodes"].append(saved["episodes"][0]), "episode 0 of 'train' is told a second time"),
        (lambda saved: saved["episodes"][0].update(cell="other"), "episode 0 of 'other' is of no cell"),
        (lambda saved: saved["episodes"][2].update(first={}), "episode 2 of 'train' has other metrics than episode 0"),
        (lambda saved: saved["episodes"][0].update(counts={"a": [5, 2]}), "episode 1 of 'train' has other metrics"),
    ],
)
def test_a_saved_evaluation_whose_episodes_were_lost_doubled_or_changed_is_refused_by_load(change, said, tmp_path):
    saved = json.loads(evaluate(nonsense, ENV, ["train"], episodes=3).to_json())
    change(saved)
    (tmp_path / "changed.json").write_text(json.dumps(saved))
    with pytest.raises(ValueError, match=said) as caught:
        Evaluation.load(tmp_path / "changed.json")
    assert "\n" not in str(caught.value)


def test_a_failed_save_leaves_the_earlier_file(tmp_path, monkeypatch):
    result = evaluate("expert", ENV, ["train"], episodes=2)
    result.save(tmp_path / "result.json")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        result.save(tmp_path / "result.json")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert Evaluation.load(tmp_path / "result.json").episodes == result.episodes


def test_the_markdown_names_cells_metrics_and_failures():
    text = evaluate(nonsense, ENV, RULE_BY_SIDE, episodes=10, name="nonsense").markdown()
    assert "policy nonsense" in text
    for word in (*RULE_BY_SIDE, "success", "1st attempt", "rule reading", "validity", "unreadable", "0.0 (0.0.."):
        assert word in text


def test_markdown_rows_have_as_many_columns_as_the_head():
    text = evaluate(nonsense, ENV, {"a|b": {}}, episodes=3).markdown()
    first = [line.replace("\\|", "") for line in text.split("\n\n")[2].splitlines()]
    assert len({line.count("|") for line in first}) == 1


def test_the_terminal_table_fits_its_width():
    result = evaluate(is_solved_by_hash, ENV, RULE_BY_SIDE, episodes=10)
    assert max(len(line) for line in result.table(100).splitlines()) <= 100


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_terminal_table_leaves_nothing_out_at_any_width(width):
    result = evaluate(is_solved_by_hash, ENV, RULE_BY_SIDE, episodes=10)
    said = result.table(width)
    assert "…" not in said
    for cell in RULE_BY_SIDE:
        assert cell in said
    metrics = result.cells["train side, 11-12-13"].metrics
    for shown in ("success", "first_success", "cards_correct", "numbers_correct", "formula_valid"):
        for part in percent(metrics[shown]).split(" "):
            assert part in said


def test_without_rich_the_terminal_table_is_the_markdown_table(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.box", None)
    result = evaluate(nonsense, ENV, ["train"], episodes=3)
    assert str(result) == result.markdown()


def test_over_several_questions_ratios_pool_the_attempts_of_all_episodes():
    metrics = walked(straight_on, "ffffffff", "r", "ffr").cells["walks"].metrics
    assert metrics["steps"].mean == (8 + 0 + 2) / (8 + 2 + 4)
    assert metrics["turns"].mean == 0 / 4
    assert metrics["due"].mean == 4 / 14


def test_of_a_ratio_among_all_attempts_there_is_the_mean_over_episodes_too():
    metrics = walked(straight_on, "ffffffff", "r", "ffr").cells["walks"].metrics
    assert metrics["steps_per_episode"].mean == pytest.approx((1 + 0 + 2 / 4) / 3)
    assert metrics["due_per_episode"].mean == pytest.approx((0 + 1 + 2 / 4) / 3)
    assert "turns_per_episode" not in metrics


def test_what_follows_a_broken_off_episode_is_not_attempted_and_not_counted():
    found = [walked(straight_on, route).cells["walks"].metrics for route in ("rffffff", "r")]
    assert found[0]["steps"].mean == found[1]["steps"].mean == 0.0
    assert found[0]["attempts"].mean == found[1]["attempts"].mean == 2.0


def test_a_second_attempt_at_a_question_counts_among_the_attempts():
    metrics = walked(turns_late, "frf").cells["walks"].metrics
    assert metrics["success"].mean == 1.0
    assert (metrics["steps"].mean, metrics["turns"].mean) == (3 / 4, 1 / 2)


def test_a_share_of_what_never_came_up_is_unknown():
    result = walked(straight_on, "ff", "fff")
    assert isnan(result.cells["walks"].metrics["turns"].mean)
    assert Evaluation.model_validate_json(result.to_json()).to_json() == result.to_json()
    assert "| ? |" in re.sub(" +", " ", result.markdown())


def test_over_several_questions_tables_show_the_ratios_and_say_what_they_are_of():
    text = walked(straight_on, "fr", "rf").markdown()
    head = [cell.strip() for cell in text.split("\n\n")[2].splitlines()[0].strip("|").split("|")]
    assert head == [
        "cell", "episodes (clusters)", "success", "per step", "mean per route", "at turns", "way done",
    ]  # fmt: skip
    assert "Counted over all attempts; an episode ends at the first question that it fails: per step, at turns." in text


def test_with_one_question_an_episode_nothing_is_said_of_attempts_together():
    result = evaluate(nonsense, ENV, ["train"], episodes=2)
    assert result.setup.ratios == result.episodes[0].counts == result.episodes[0].outcomes == {}
    assert "attempts together" not in result.markdown()
    assert list(result.cells["train"].metrics) == [
        "success", "first_success", "cards_correct", "numbers_correct", "formula_valid", "reward", "attempts",
    ]  # fmt: skip


def test_ratios_of_the_same_route_dealt_often_are_no_surer():
    once = walked(turns_late, *ROUTES).cells["walks"].metrics["steps"]
    often = walked(turns_late, *ROUTES * 5).cells["walks"]
    assert often.clusters == len(ROUTES)
    assert often.metrics["steps"] == pytest.approx(once)


def test_tables_of_routes_show_what_is_measured_over_attempts():
    text = evaluate("expert", "verienv/VIRL-L-v0", ["train"], episodes=8, city="grid-0").markdown()
    for heading in ("per step", "mean per route", "at turns", "forward due", "observation", "instruction", "progress"):
        assert heading in text
    assert "1st attempt" not in text
