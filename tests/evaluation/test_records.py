import pytest
from tests.evaluation.policies import ENV, ignores_the_stated_rule, nonsense, solves_at_second_attempt
from tests.evaluation.walks import straight_on, turns_late, walked

from verienv.evaluation import Evaluation, evaluate


def test_solving_at_the_second_attempt_is_success_but_no_first_success():
    cell = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=10).cells["train"]
    assert cell.metrics["success"].mean == 1.0
    assert cell.metrics["first_success"].mean == 0.0
    assert cell.metrics["attempts"].mean == 2.0
    assert cell.metrics["reward"].mean == 5.0 - 3.0
    assert cell.failures == {"unreadable": 10}


def test_metrics_are_those_of_the_first_attempt():
    cell = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=10).cells["train"]
    assert cell.metrics["formula_valid"].mean == 0.0


def test_failures_are_counted_over_all_attempts_and_over_first_ones():
    cell = evaluate(nonsense, ENV, ["train"], episodes=10).cells["train"]
    assert cell.failures == {"unreadable": 50}
    assert cell.first_failures == {"unreadable": 10}


def test_rule_reading_tells_a_policy_that_ignores_the_rule():
    faces = {"rule": "rank", "split": "rule_ood", "side": "all"}
    cell = evaluate(ignores_the_stated_rule, ENV, {"faces": faces}, episodes=20).cells["faces"]
    assert cell.metrics["numbers_correct"].mean == 0.0


def test_outcomes_tell_how_far_an_episode_came():
    metrics = walked(straight_on, "fffr", "ff").cells["walks"].metrics
    assert metrics["progress"].mean == (3 / 4 + 1) / 2
    assert metrics["success"].mean == 0.5


def test_first_failures_are_those_of_the_first_attempt_at_each_question():
    cell = walked(straight_on, "fr", "r", "fff").cells["walks"]
    assert (cell.failures, cell.first_failures) == ({"wrong": 4}, {"wrong": 2})
    cell = walked(turns_late, "rrf").cells["walks"]
    assert (cell.failures, cell.first_failures) == ({"wrong": 2}, {"wrong": 2})


def test_over_several_questions_the_first_attempt_of_an_episode_tells_nothing():
    cell = walked(straight_on, "fr", "rf").cells["walks"]
    assert list(cell.metrics) == [
        "success", "steps", "steps_per_episode", "turns", "due", "due_per_episode", "progress", "reward", "attempts",
    ]  # fmt: skip


@pytest.mark.parametrize("reward", ["NaN", "Infinity", "1e999", "null"])
def test_saved_results_have_finite_rewards(reward, tmp_path):
    saved = evaluate(nonsense, ENV, ["train"], episodes=2, attempts=1).to_json()
    assert '"reward": -3.0' in saved
    (tmp_path / "saved.json").write_text(saved.replace('"reward": -3.0', f'"reward": {reward}', 1))
    with pytest.raises(ValueError, match="is no saved evaluation") as caught:
        Evaluation.load(tmp_path / "saved.json")
    assert "\n" not in str(caught.value)
