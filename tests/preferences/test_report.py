from math import isnan

import numpy as np
import pytest
from tests.preferences.made import label, pair, verdicts

from verienv.evaluation.intervals import clopper_pearson
from verienv.preferences import accuracy, agreement
from verienv.preferences.measures import longer, reliability, valid_json


def test_accuracy_is_the_share_of_preferences_for_the_higher_reward():
    known = {each.pair: each for each in (verdicts(0, "a"), verdicts(1, "b"), verdicts(2, "a"), verdicts(3, "tie"))}
    said = [("q0/0-1", "a"), ("q1/0-1", "b"), ("q2/0-1", "b"), ("q3/0-1", "a"), ("q0/0-1", "tie"), ("other", "a")]
    found = accuracy(said, known)
    low, high = clopper_pearson(2, 3)
    assert found == pytest.approx((2 / 3, float(low), float(high)))


def test_pairs_of_one_cluster_are_not_independent():
    each = {n: verdicts(n) for n in range(20)}
    apart = accuracy([(f"q{n}/0-1", "ab"[n < 10]) for n in each], {one.pair: one for one in each.values()})
    alike = {n: verdicts(n, cluster=f"hand:{n < 10}") for n in each}
    together = accuracy([(f"q{n}/0-1", "ab"[n < 10]) for n in alike], {one.pair: one for one in alike.values()})
    assert together.mean == apart.mean == 0.5
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_accuracy_of_nothing_is_unknown():
    assert isnan(accuracy([], {}).mean)


@pytest.mark.parametrize(
    ("a", "b", "choice"),
    [('{"x": 1}', "no", "a"), ("{x}", 'so {"x": {}}', "b"), ("no", "{", "tie"), ('{"x": 1}', '{"y": 2}', "tie")],
)
def test_a_baseline_prefers_valid_json(a, b, choice):
    assert valid_json(pair(a=a, b=b)) == choice


@pytest.mark.parametrize(("a", "b", "choice"), [("long", "no", "a"), ("no", "long", "b"), ("one", "two", "tie")])
def test_a_baseline_prefers_the_longer_response(a, b, choice):
    assert longer(pair(a=a, b=b)) == choice


def test_a_report_counts_labels_ties_skips_and_active_minutes():
    said = [("a", 30.0), ("tie", 30.0), ("skip", 300.0)]
    labels = [label(f"q{n}/0-1", choice, seconds=seconds) for n, (choice, seconds) in enumerate(said)]
    [found] = agreement(labels).annotators
    assert (found.labels, found.ties, found.skips) == (2, 1, 1)
    assert (found.minutes, found.active_minutes) == (6.0, 2.0)


def test_a_report_tells_of_labels_that_follow_different_guidelines():
    one, other = (label(annotator=who, guidelines=digit * 64) for who, digit in (("ann", "a"), ("bo", "b")))
    assert "They follow 2 different guidelines" in str(agreement([one, other]))
    assert "guidelines" not in str(agreement([one, label(annotator="cy")]))


def test_a_report_tells_a_preference_for_the_side_shown_first_and_for_length():
    pairs = {each.pair: each for each in (pair(n, a="long one", b="short") for n in range(4))}
    labels = [label(name, "a", shown_first="aaab"[n]) for n, name in enumerate(pairs)]
    [found] = agreement(labels, pairs).annotators
    assert found.prefers_first.mean == 0.75
    assert found.prefers_longer.mean == 1.0


def test_a_report_tells_flips_and_the_preference_for_what_is_shown_first_over_both_orders():
    orders = [(0.9, 0.8), (0.9, 0.1), (0.6, 0.3), (0.5, 0.2)]  # of 7 orders with a preference 6 are for what is first
    labels = [label(f"q{n}/0-1", "a", p_orders=both, kind="judge") for n, both in enumerate(orders)]
    [found] = agreement([*labels, label("q4/0-1", "skip", kind="judge")]).annotators
    assert found.flips.mean == 0.5
    assert found.prefers_first.mean == pytest.approx(6 / 7)


def test_flips_are_told_where_an_annotator_was_shown_both_orders():
    assert "flips" not in str(agreement([label()]))
    assert "flips" in str(agreement([label(p_orders=(0.9, 0.8))]))


def test_reliability_is_the_share_right_by_how_sure_labels_are():
    truth = {each.pair: each for each in map(verdicts, range(4), ("a", "b", "a", "tie"))}
    said = [("q0/0-1", 0.95), ("q1/0-1", 0.97), ("q2/0-1", 0.45), ("q3/0-1", 0.95), ("q0/0-1", None)]
    given = [label(pair, "b" if p and p < 0.5 else "a", p=p) for pair, p in said]
    low, high = reliability(given, truth)
    assert (low.labels, low.sure, low.right.mean) == (1, 0.55, 0.0)
    assert (high.labels, round(high.sure, 2), high.right.mean) == (2, 0.96, 0.5)
    assert reliability(given[-1:], truth) == []


def test_a_report_tells_a_judge_of_its_own_responses():
    relations = ("self", "family", "other", "")
    labels = [label("q0/0-1", "a", f"judge-{n}", kind="judge", relation=each) for n, each in enumerate(relations)]
    kinds = [each.kind for each in agreement(labels).annotators]
    assert kinds == ["judge of itself", "judge of its family", "judge", "judge"]


def test_a_report_tells_how_often_an_annotator_agrees_with_itself_and_with_others():
    labels = [label("q0/0-1"), label("q0/0-1", repeat=1), label("q1/0-1"), label("q1/0-1", "b", repeat=1)]
    labels += [label("q0/0-1", "b", "bo"), label("q1/0-1", "a", "bo"), label("q2/0-1", "a", "bo")]
    found = agreement(labels)
    assert found.annotators[0].repeats.mean == 0.5
    assert isnan(found.annotators[1].repeats.mean)
    assert (found.pairs, found.shared, found.agreement.mean) == (3, 2, 0.5)


def test_a_report_measures_labels_and_baselines_against_the_verdicts():
    rng = np.random.default_rng(0)
    known = {f"q{n}/0-1": verdicts(n, "ab"[n % 2]) for n in range(100)}
    pairs = {f"q{n}/0-1": pair(n, a="x" * (1 + n % 2), b="x" * (2 - n % 2)) for n in range(100)}  # the shorter is right
    labels = []
    for name, each in known.items():
        labels += [label(name, each.better if rng.random() < 0.8 else "a", who, shown_first="a") for who in "xyz"]
    found = agreement(labels, pairs, known).accuracies
    assert list(found) == ["majority", "Dawid-Skene", "first shown", "longer", "valid JSON"]
    assert found["majority"].mean > 0.9
    assert (found["first shown"].mean, found["longer"].mean) == (0.5, 0.0)
    assert isnan(found["valid JSON"].mean)


def test_without_verdicts_a_report_holds_no_accuracy():
    found = agreement([label()], {"q0/0-1": pair()})
    assert not found.accuracies
    assert isnan(found.annotators[0].accuracy.mean)
