from collections import Counter

import pytest
from tests.preferences.made import pair

from verienv.preferences import read_labels
from verienv.preferences.files import RecordWriter
from verienv.preferences.labelling import GAP, Labelling, NotDueError

PAIRS = {each.pair: each for each in (pair(n, a=f"a{n}", b=f"b{n}") for n in range(40))}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def labelling(pairs=PAIRS, labels=(), **how):
    written = []
    return Labelling(pairs, labels, written.append, **{"overlap": 1.0, "repeats": 0.0, **how}), written


def answer_all(desk, annotator, said="left", most=1000):
    shown = []
    while len(shown) < most and (due := desk.next(annotator)):
        shown.append(due)
        desk.answer(annotator, due.token, said)
    return shown


def test_an_annotator_is_shown_every_pair_once_in_an_order_of_its_own():
    desk, _ = labelling()
    ann, bo = ([due.pair.pair for due in answer_all(desk, who)] for who in ("ann", "bo"))
    assert sorted(ann) == sorted(bo) == sorted(PAIRS)
    assert ann != bo
    assert ann != list(PAIRS)


def test_which_response_is_left_is_drawn_by_annotator_and_pair():
    desk, _ = labelling()
    ann, bo = ({due.pair.pair: due.first for due in answer_all(desk, who)} for who in ("ann", "bo"))
    assert 10 < Counter(ann.values())["a"] < 30
    assert ann != bo


@pytest.mark.parametrize(("said", "choice"), [("left", "first"), ("right", "other"), ("tie", "tie"), ("skip", "skip")])
def test_the_label_names_the_response_that_was_chosen(said, choice):
    desk, written = labelling()
    for due in answer_all(desk, "ann", said):
        assert due.left == getattr(due.pair, due.first)
    for label in written:
        other = "b" if label.shown_first == "a" else "a"
        assert label.choice == {"first": label.shown_first, "other": other}.get(choice, choice)


def test_a_label_says_who_gave_it_after_how_many_seconds_by_which_guidelines():
    clock = Clock()
    desk, written = labelling(guidelines="Be exact.", clock=clock)
    due = desk.next("ann")
    clock.now = 2.5
    assert desk.next("ann") == due  # a reload of the page
    clock.now = 4.0
    desk.answer("ann", due.token, "tie")
    [label] = written
    assert (label.annotator, label.kind, label.seconds, len(label.guidelines)) == ("ann", "human", 4.0, 64)
    assert label.at.endswith("+00:00")


def test_all_are_shown_the_overlap_and_each_other_pair_comes_to_one():
    desk, written = labelling(overlap=0.3)
    for _ in PAIRS:
        for who in ("ann", "bo", "cy"):
            answer_all(desk, who, most=1)
    shown = Counter(label.pair for label in written)
    assert set(shown) == set(PAIRS)
    assert set(shown.values()) == {1, 3}
    assert 4 <= sum(count == 3 for count in shown.values()) <= 20


def test_a_pair_whose_annotator_has_left_comes_to_another():
    desk, _ = labelling(overlap=0.0)
    left = desk.next("ann").pair.pair
    assert left in {due.pair.pair for due in answer_all(desk, "bo")}


def test_two_annotators_at_once_are_shown_different_pairs():
    desk, _ = labelling(overlap=0.0)
    assert len({desk.next(f"n{number}").pair.pair for number in range(20)}) == 20


def test_a_share_is_asked_again_later_and_the_label_says_so():
    desk, written = labelling(repeats=0.3)
    answer_all(desk, "ann")
    again = [number for number, label in enumerate(written) if label.repeat]
    assert 4 <= len(again) <= 20
    for number in again:
        [first] = [at for at, label in enumerate(written) if label.pair == written[number].pair and not label.repeat]
        assert number - first > GAP or number >= len(PAIRS)


def test_a_skipped_pair_is_not_asked_again():
    desk, written = labelling(repeats=1.0)
    answer_all(desk, "ann", "skip")
    assert len(written) == len(PAIRS)


def test_progress_counts_up_to_its_end():
    desk, _ = labelling(repeats=0.3)
    shown = answer_all(desk, "ann")
    assert [due.done for due in shown] == list(range(len(shown)))
    assert {due.total for due in shown} == {len(shown)}


def test_undo_makes_the_newest_pair_due_again_one_after_the_other():
    desk, written = labelling()
    one, two = answer_all(desk, "ann", most=2)
    assert desk.undo("ann")
    assert desk.next("ann") == two
    assert desk.undo("ann")
    assert desk.next("ann") == one
    assert not desk.undo("ann")
    assert [label.choice for label in written[2:]] == ["undo", "undo"]


def test_an_answer_to_another_pair_than_the_one_due_is_refused():
    desk, written = labelling()
    due = desk.next("ann")
    desk.answer("ann", due.token, "left")
    with pytest.raises(NotDueError):
        desk.answer("ann", due.token, "left")
    assert len(written) == 1


def test_an_unknown_answer_is_refused():
    desk, written = labelling()
    with pytest.raises(ValueError, match="answer='a': expected left, right, tie, skip"):
        desk.answer("ann", desk.next("ann").token, "a")
    assert not written


def test_a_label_that_could_not_be_written_does_not_count():
    def full(_):
        raise OSError(28, "No space left on device")

    desk = Labelling(PAIRS, [], full)
    due = desk.next("ann")
    with pytest.raises(OSError, match="No space left"):
        desk.answer("ann", due.token, "left")
    assert desk.next("ann") == due


def test_labelling_goes_on_from_the_file_where_it_stopped(tmp_path):
    whole, _ = labelling(overlap=0.5, repeats=0.2)
    expected = [due.pair.pair for due in answer_all(whole, "ann")]
    shown = list[str]()
    while len(shown) < len(expected):
        with RecordWriter(tmp_path / "labels") as file:  # a new process every seven labels
            labels = read_labels(tmp_path / "labels")
            desk = Labelling(PAIRS, labels, file.add, overlap=0.5, repeats=0.2)
            shown += [due.pair.pair for due in answer_all(desk, "ann", most=7)]
            if len(shown) < len(expected):
                desk.undo("ann")
                shown.pop()
    assert shown == expected


@pytest.mark.parametrize("how", [{"overlap": -0.1}, {"repeats": 2}, {"overlap": float("nan")}])
def test_a_share_out_of_range_is_refused(how):
    with pytest.raises(ValueError, match="expected a share from 0 to 1"):
        labelling(**how)


def test_without_pairs_there_is_nothing_to_label():
    with pytest.raises(ValueError, match=r"make some with examples/pairs\.py"):
        labelling({})
