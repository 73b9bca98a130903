"""Labels of simulated annotators: each gives its own, once."""

from dataclasses import replace

import pytest
from tests.preferences.made import pair, verdicts, written

import judge
from verienv.preferences import agreement, read_labels, read_verdicts


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "pairs").mkdir()
    written(tmp_path / "pairs/pairs.jsonl", *(pair(n) for n in range(40)))
    written(tmp_path / "pairs-verdicts.jsonl", *(verdicts(n, "ab"[n % 2]) for n in range(40)))
    return judge.Arguments(tmp_path / "pairs", ("program", "flip:0.25", "biased:first=1,longer=0.5"))


def test_every_annotator_labels_every_pair(arguments, tmp_path):
    assert judge.judge(arguments) == 120
    labels = read_labels(tmp_path / "pairs/labels-simulated.jsonl")
    found = agreement(labels, verdicts=read_verdicts(tmp_path / "pairs-verdicts.jsonl")).annotators
    assert [each.annotator for each in found] == ["program", "flip:0.25", "biased:first:1+longer:0.5"]
    assert found[0].accuracy.mean == 1.0
    assert 0.5 < found[1].accuracy.mean < 1.0


def test_what_was_labelled_is_not_labelled_again(arguments):
    assert judge.judge(replace(arguments, most=10)) == 30
    assert judge.judge(arguments) == 90
    assert judge.judge(arguments) == 0


def test_labels_of_another_seed_are_no_labels_of_this_one(arguments, tmp_path):
    judge.judge(arguments)
    before = (tmp_path / "pairs/labels-simulated.jsonl").read_bytes()
    with pytest.raises(
        ValueError, match=r"other labels of flip:0\.25, of another --seed or other verdicts; give --labels"
    ):
        judge.judge(replace(arguments, seed=1))
    assert (tmp_path / "pairs/labels-simulated.jsonl").read_bytes() == before
    assert judge.judge(replace(arguments, seed=1, labels=tmp_path / "labels.jsonl")) == 120


def test_answers_and_labels_go_to_two_files(arguments, tmp_path):
    one = {"labels": tmp_path / "one.jsonl", "cache": tmp_path / "one.jsonl"}
    with pytest.raises(ValueError, match="this is the file of --labels; give a file of its own"):
        judge.judge(replace(arguments, simulated=(), model="tiny-lm", **one))


def test_an_annotator_that_is_named_twice_is_two(arguments, tmp_path):
    judge.judge(replace(arguments, simulated=("flip:0.4", "flip:0.4")))
    labels = read_labels(tmp_path / "pairs/labels-simulated.jsonl")
    one, two = ([x.choice for x in labels if x.annotator == name] for name in ("flip:0.4", "flip:0.4/2"))
    assert len(one) == len(two) == 40
    assert one != two


def test_verdicts_of_other_pairs_are_refused(arguments, tmp_path):
    written(tmp_path / "pairs-verdicts.jsonl", verdicts(0))
    with pytest.raises(ValueError, match="holds no verdicts on 39 of the pairs"):
        judge.judge(arguments)


def test_a_negative_number_of_pairs_is_refused(arguments):
    with pytest.raises(ValueError, match="--most -1: expected a number of pairs"):
        judge.judge(replace(arguments, most=-1))


def test_an_annotator_is_due(arguments):
    with pytest.raises(ValueError, match="give either --model NAME, or --simulated and at least one annotator"):
        judge.judge(replace(arguments, simulated=()))
