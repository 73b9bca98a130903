from math import isnan

import numpy as np
import pytest
from tests.preferences.made import label

from verienv.preferences import aggregate, dawid_skene, krippendorff_alpha
from verienv.preferences.consensus import alpha_of


def counted(values: str, *rows: str) -> np.ndarray:
    """Units x values from one row of values an annotator, "." for none."""
    return np.array([[sum(row[unit] == value for row in rows) for value in values] for unit in range(len(rows[0]))])


# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: examples A, B and C.
EXAMPLES = {
    "two observers of two values": (counted("01", "0100000010", "1110010000"), 0.095),
    "two observers of five values": (counted("abcde", "aabbdcccedda", "babbbccceddd"), 0.692),
    "four observers with gaps": (
        counted(
            "12345", "123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", ""), "12332441251."
        ),
        0.743,
    ),
}


@pytest.mark.parametrize(("counts", "published"), EXAMPLES.values(), ids=EXAMPLES)
def test_alpha_agrees_with_krippendorffs_examples(counts, published):
    assert krippendorff_alpha(counts) == pytest.approx(published, abs=5e-4)


def test_alpha_of_perfect_agreement_is_1():
    assert krippendorff_alpha(np.array([[2, 0], [0, 3]])) == 1


@pytest.mark.parametrize("counts", [np.zeros((0, 3)), np.array([[1, 0], [0, 1]]), np.array([[2, 0], [2, 0]])])
def test_alpha_is_unknown_where_no_unit_has_two_values_or_all_are_one(counts):
    assert isnan(krippendorff_alpha(counts))


# Dawid and Skene (1979), Applied Statistics 28, 20-28, table 1: 45 patients judged on a scale of four, three times by
# the first anaesthetist and once by each of four others.
PATIENTS = """
    111-1-1-1-1 333-4-3-3-4 112-2-1-2-2 222-3-1-2-1 222-3-2-2-2 222-3-3-2-2 122-2-1-1-1 333-3-4-3-3 222-2-2-2-3
    232-2-2-2-3 444-4-4-4-4 222-3-3-4-3 111-1-1-1-1 222-3-2-1-2 121-1-1-1-1 111-2-1-1-1 111-1-1-1-1 111-1-1-1-1
    222-2-2-2-1 222-1-3-2-2 222-2-2-2-2 222-2-2-2-1 222-3-2-2-2 221-2-2-2-2 111-1-1-1-1 111-1-1-1-1 232-2-2-2-2
    111-1-1-1-1 111-1-1-1-1 112-1-1-2-1 111-1-1-1-1 333-3-2-3-3 111-1-1-1-1 222-2-2-2-2 222-3-2-3-2 433-4-3-4-3
    221-2-2-3-2 232-3-2-3-3 333-3-4-3-2 111-1-1-1-1 111-1-1-1-1 121-2-1-1-1 232-2-2-2-2 121-1-1-1-1 222-2-2-2-2
"""
ANAESTHETISTS = np.array([[[one.count(v) for v in "1234"] for one in each.split("-")] for each in PATIENTS.split()])


def test_dawid_skene_finds_the_prevalence_that_its_authors_published():
    assert dawid_skene(ANAESTHETISTS).prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=5e-3)


@pytest.mark.parametrize(
    ("anaesthetist", "published"),
    [
        (0, [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]),
        (1, [[0.83, 0.17, 0, 0], [0.05, 0.63, 0.31, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        (2, [[1, 0, 0, 0], [0.11, 0.79, 0.11, 0], [0, 0.40, 0.20, 0.40], [0, 0, 0.67, 0.33]]),
        (3, [[0.94, 0.06, 0, 0], [0.05, 0.84, 0.10, 0], [0, 0, 0.80, 0.20], [0, 0, 0.33, 0.67]]),
    ],
)
def test_dawid_skene_finds_the_error_rates_that_its_authors_published(anaesthetist, published):
    assert dawid_skene(ANAESTHETISTS).confusion[anaesthetist] == pytest.approx(np.array(published), abs=6e-3)


@pytest.mark.parametrize("counts", [np.ones((2, 3)), np.zeros((0, 2, 3)), np.zeros((1, 2, 3))])
def test_dawid_skene_refuses_what_holds_no_values(counts):
    with pytest.raises(ValueError, match="expected units x annotators x values, and some in every unit"):
        dawid_skene(counts)


def voted(choices: str) -> list:
    names = {"a": "a", "b": "b", "t": "tie", "s": "skip"}
    return [label(choice=names[choice], annotator=f"n{number}") for number, choice in enumerate(choices)]


@pytest.mark.parametrize(
    ("votes", "choice", "p"),
    [("a", "a", 1), ("aab", "a", 2 / 3), ("ab", "tie", 0.5), ("at", "tie", 0.75), ("aat", "a", 5 / 6), ("bs", "b", 0)],
)
def test_the_majority_decides_and_its_share_is_the_soft_label(votes, choice, p):
    [found] = aggregate(voted(votes)).values()
    assert found == (choice, pytest.approx(p), len(votes.replace("s", "")))


def test_labels_own_probabilities_are_averaged():
    [found] = aggregate([label(p=0.9), label(choice="b", p=0.3, annotator="other")]).values()
    assert found == ("a", pytest.approx(0.6), 2)


def test_a_pair_that_everybody_skipped_has_no_consensus():
    assert aggregate(voted("ss")) == {}


def test_answers_to_a_pair_that_was_asked_again_do_not_count_twice():
    [found] = aggregate([label(), label(choice="b", repeat=1)]).values()
    assert found == ("a", 1.0, 1)


def test_dawid_skene_believes_the_annotators_who_agree_with_others():
    # Two reliable annotators and two that say a to everything: of a pair on which they are two to two, the first say b.
    truth = "ab" * 20
    labels = [label(f"p{n}", side, f"good{k}") for n, side in enumerate(truth) for k in range(2)]
    labels += [label(f"p{n}", "a", f"lazy{k}") for n in range(40) for k in range(2)]
    assert aggregate(labels)["p1"].choice == "tie"
    assert [found.choice for found in aggregate(labels, "dawid-skene").values()] == list(truth)


def test_ties_are_a_value_of_their_own_to_alpha():
    labels = [label("p", "a", "x"), label("p", "a", "y"), label("q", "tie", "x"), label("q", "tie", "y")]
    assert alpha_of(labels) == 1
    assert alpha_of([*labels, label("r", "tie", "x"), label("r", "a", "y")]) == pytest.approx(4 / 9)
