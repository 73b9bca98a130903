from math import isnan

import pytest
from tests.evaluation.policies import ENV, ignores_the_stated_rule, is_solved_by_hash, nonsense, solve_from_text
from tests.evaluation.walks import ROUTES, straight_on, turns_late, walked

from verienv.evaluation import compare, evaluate
from verienv.generalpoints import Dealing
from verienv.generalpoints.rules import PRESETS
from verienv.generalpoints.sampler import hands


def test_compare_gives_paired_differences():
    before, after = evaluate(nonsense, ENV, episodes=20), evaluate("expert", ENV, episodes=20)
    difference = compare(before, after).cells["train"]
    mean, low, high = difference.metrics["success"]
    assert (mean, high) == (1.0, 1.0)
    assert 0.5 < low < 0.9
    assert difference.improves()
    assert compare(after, before).cells["train"].worsens()


def test_a_policy_does_not_improve_on_itself():
    result = evaluate(is_solved_by_hash, ENV, ["train"], episodes=20)
    difference = compare(result, result).cells["train"]
    assert not difference.improves()
    assert not difference.worsens()


def test_pairing_narrows_the_interval_of_a_difference_that_lies_in_few_episodes():
    def a_little_better(dialogues):
        return [
            solve_from_text(dialogue) if sum(map(ord, dialogue[0]["content"])) % 13 == 1 else response
            for dialogue, response in zip(dialogues, is_solved_by_hash(dialogues), strict=True)
        ]

    before, after = (evaluate(policy, ENV, ["train"], episodes=120) for policy in (is_solved_by_hash, a_little_better))
    shares = [result.cells["train"].metrics["success"] for result in (before, after)]
    assert shares[0].high > shares[1].low
    assert compare(before, after).cells["train"].improves()


def test_compare_refuses_different_instances():
    one, other = evaluate(nonsense, ENV, episodes=5), evaluate(nonsense, ENV, episodes=5, seed=1)
    with pytest.raises(ValueError, match="do not hold the same instances"):
        compare(one, other)


def test_compare_refuses_evaluations_without_a_common_cell():
    one, other = evaluate(nonsense, ENV, ["train"], episodes=2), evaluate(nonsense, ENV, ["test"], episodes=2)
    with pytest.raises(ValueError, match="share no cell"):
        compare(one, other)


def test_counterfactual_cells_are_compared_hand_by_hand():
    both = Dealing(rule=PRESETS["ten"], stated_rule=PRESETS["rank"], face_cards="condition", side="test")
    ids = [f"generalpoints:{'-'.join(hand)}:24" for hand in hands(both)[:30]]
    cells = {rule: {"instances": ids, "side": "all", "rule": rule} for rule in ("ten", "rank")}
    result = evaluate(ignores_the_stated_rule, ENV, cells)
    difference = compare(result, result, {"ten": "rank"}).cells["rank - ten"]
    assert difference.pairs == 30
    assert difference.metrics["success"].mean == -1.0


def test_pairs_of_one_problem_on_either_side_share_a_cluster():
    from verienv.evaluation.comparison import joint_clusters

    first, second, third, apart = joint_clusters(["a", "a", "b", "c"], ["x", "y", "y", "z"])
    assert first == second == third != apart


def test_compare_gives_the_differences_of_ratios():
    before, after = walked(straight_on, *ROUTES), walked(turns_late, *ROUTES)
    shares = [result.cells["walks"].metrics for result in (before, after)]
    difference = compare(before, after).cells["walks"]
    for name in ("steps", "turns", "due"):
        found = difference.metrics[name]
        assert found.mean == shares[1][name].mean - shares[0][name].mean
        assert found.low <= found.mean <= found.high
    assert difference.metrics["turns"].mean == 0.5
    assert difference.metrics["turns"].low < 0.5 < difference.metrics["turns"].high
    assert difference.improves()
    assert "at turns" in compare(before, after).markdown()


def test_a_policy_differs_from_itself_in_no_ratio():
    result = walked(straight_on, *ROUTES)
    difference = compare(result, result).cells["walks"]
    assert difference.metrics["steps"].mean == 0.0
    assert difference.metrics["steps"].low < 0.0 < difference.metrics["steps"].high
    assert not difference.improves("steps")


@pytest.mark.parametrize("policies", [(nonsense, nonsense), ("expert", "expert"), (nonsense, "expert")])
def test_no_share_and_no_difference_is_certain_where_all_episodes_came_out_alike(policies):
    before, after = (evaluate(policy, ENV, ["train"], episodes=12) for policy in policies)
    difference = compare(before, after).cells["train"]
    for name in ("success", "first_success", "numbers_correct", "formula_valid"):
        for found in (before.cells["train"].metrics[name], difference.metrics[name]):
            assert found.high - found.low > 0.2
    for name in ("reward", "attempts"):  # they may be anything: what was always the same tells no bounds
        assert isnan(before.cells["train"].metrics[name].low)
        assert isnan(difference.metrics[name].low)
