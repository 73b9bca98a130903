import pytest
from tests.preferences.made import RIGHT, WRONG, pair, verdicts

from verienv import Verdict
from verienv.preferences import accuracy
from verienv.preferences.measures import choices_of
from verienv.preferences.simulated import SimulatedAnnotator

PAIRS = [pair(n, a="x" * (1 + n % 3), b="x" * (1 + n % 2)) for n in range(600)]
VERDICTS = {f"q{n}/0-1": verdicts(n, ("a", "b", "tie")[n % 3]) for n in range(600)}


def labels_of(text, seed=0):
    annotator = SimulatedAnnotator.read(text, seed)
    return [annotator.label(each, VERDICTS[each.pair]) for each in PAIRS]


@pytest.mark.parametrize("error", [0.1, 0.25, 0.4])
def test_an_annotator_of_error_e_has_accuracy_1_minus_e_within_its_interval(error):
    found = accuracy(choices_of(labels_of(f"flip:{error}")), VERDICTS)
    assert found.low < 1 - error < found.high
    assert found.high - found.low < 0.12


def test_an_annotator_without_error_says_what_the_program_says():
    choices = [[label.choice for label in labels_of(text)] for text in ("flip:0", "program")]
    assert choices[0] == choices[1] == [VERDICTS[each.pair].better for each in PAIRS]


def test_labels_say_that_their_giver_reads_the_verdicts():
    assert {label.kind for label in labels_of("program")} == {"program"}
    for text in ("flip:0.1", "bradley-terry", "biased:first=1", "myopic"):
        assert {label.kind for label in labels_of(text)} == {"simulated"}


def test_what_is_said_is_drawn_by_name_pair_and_seed():
    assert labels_of("flip:0.4") == labels_of("flip:0.4")
    assert labels_of("flip:0.4") != labels_of("flip:0.4", seed=1)


def test_by_bradley_and_terry_the_gap_of_rewards_decides_how_often():
    # Rewards of 5 and -1: sigmoid(6 / 6) = 0.731.
    found = accuracy(choices_of(labels_of("bradley-terry:6")), VERDICTS)
    assert found.low < 0.7311 < found.high
    assert accuracy(choices_of(labels_of("bradley-terry:0.1")), VERDICTS).mean == 1.0
    assert not any(label.choice == "tie" for label in labels_of("bradley-terry"))


def test_a_biased_annotator_prefers_what_is_shown_first_or_longer():
    first = labels_of("biased:first=50")
    assert all(label.choice == label.shown_first for label in first)
    unequal = [(each, label) for each, label in zip(PAIRS, labels_of("biased:longer=50"), strict=True)]
    assert all(label.choice == ("a" if len(p.a) > len(p.b) else "b") for p, label in unequal if len(p.a) != len(p.b))


def test_a_myopic_annotator_sees_the_parts_of_an_answer_not_whether_it_is_right():
    parts = {"cards_correct": True, "formula_valid": True}
    right, wrong_sum = (each.model_copy(update={"metrics": parts}) for each in (RIGHT, WRONG))
    unreadable = Verdict(reward=-3.0, is_correct=False, failure="unreadable", metrics=dict.fromkeys(parts, False))
    blind = SimulatedAnnotator.read("myopic")
    assert blind.label(PAIRS[0], verdicts(0).model_copy(update={"a": right, "b": wrong_sum})).choice == "tie"
    assert blind.label(PAIRS[0], verdicts(0).model_copy(update={"a": unreadable, "b": wrong_sum})).choice == "b"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("oracle", "rule='oracle': expected one of program, flip"),
        ("flip:2", "error=2.0: expected a probability"),
        ("flip:nan", "error=nan"),
        ("flip:", "error=.. is no number"),
        ("flip:much", "error='much' is no number"),
        ("program:1", "expected parameters among"),
        ("biased:seed=1", "expected parameters among"),
        ("bradley-terry:0", "temperature=0.0: expected a number from 1e-6"),
        ("biased:first=inf", "first=inf: expected a number"),
    ],
)
def test_an_unknown_annotator_or_parameter_is_refused(text, told):
    with pytest.raises(ValueError, match=told):
        SimulatedAnnotator.read(text)


def test_verdicts_of_another_pair_are_refused():
    with pytest.raises(ValueError, match="the verdicts are those of 'q1/0-1'"):
        SimulatedAnnotator.read("program").label(PAIRS[0], VERDICTS["q1/0-1"])
