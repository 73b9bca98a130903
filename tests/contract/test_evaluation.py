"""Any policy is evaluated on any task, to a log that can be gone on with, and compared."""

from pathlib import Path
from typing import Any

import pytest
from tests.contract.playing import Case, each_case, each_wording

import verienv
from verienv.core.dialogue import parts_of
from verienv.evaluation import Evaluation

SPLITS = ("train", "test")


def evaluate(case: Case, policy: Any, episodes: int = 2, **rest: Any) -> Evaluation:
    return verienv.evaluate(policy, case.env_id, SPLITS, episodes, progress=False, **case.settings, **rest)


def silent(dialogues: list[list[dict[str, Any]]]) -> list[str]:
    return ["I do not know."] * len(dialogues)


class Interrupted:
    """A policy that is broken off after some dialogues, and counts them."""

    def __init__(self, after: int) -> None:
        self.left, self.asked = after, 0

    def __call__(self, dialogues: list[list[dict[str, Any]]]) -> list[str]:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.asked += len(dialogues)
        return silent(dialogues)


@each_wording
def test_the_expert_succeeds_in_every_cell(case: Case) -> None:
    found = evaluate(case, "expert")
    assert list(found.cells) == list(SPLITS)
    for cell in found.cells.values():
        assert cell.metrics["success"].mean == 1.0
        assert cell.episodes == 2
        assert not cell.failures


@each_case
def test_one_answer_to_every_question_is_no_better_than_the_expert(case: Case) -> None:
    found = verienv.compare(evaluate(case, "expert"), evaluate(case, "constant"))
    assert all(cell.metrics["success"].mean <= 0.0 for cell in found.cells.values())
    assert str(found)


@each_case
def test_a_policy_that_knows_nothing_fails_at_each_attempt(case: Case) -> None:
    attempts = case.make().attempts
    found = evaluate(case, silent)
    for cell in found.cells.values():
        assert cell.metrics["success"].mean == 0.0
        assert sum(cell.failures.values()) == 2 * attempts
    assert "success" in str(found)


@each_case
def test_a_dialogue_holds_its_pictures(case: Case) -> None:
    met = list[list[dict[str, Any]]]()
    evaluate(case, lambda dialogues: met.extend(dialogues) or silent(dialogues), episodes=1)
    for dialogue in met:
        pictures = [part["image"].size for part in parts_of(dialogue[0]) if part["type"] == "image"]
        height, width, _ = case.begun().pictures[0].shape if case.vision else (0, 0, 0)
        assert pictures == ([(width, height)] if case.vision else [])


@each_case
def test_the_headline_is_measured(case: Case) -> None:
    headline = case.make().measures.headline
    assert all(headline in cell.metrics for cell in evaluate(case, silent, episodes=1).cells.values())


@each_wording
def test_an_interrupted_log_is_gone_on_with(case: Case, tmp_path: Path) -> None:
    log, attempts = tmp_path / "log.jsonl", case.make().attempts
    with pytest.raises(KeyboardInterrupt):
        evaluate(case, Interrupted(after=attempts + 1), log=log, batch_size=1)
    with log.open("ab") as file:
        file.write(b'{"cell": "tes')  # as a crash leaves it
    rest = Interrupted(after=-1)
    found = evaluate(case, rest, log=log, batch_size=1)
    assert rest.asked == 3 * attempts  # of four episodes one was finished
    assert found.episodes == evaluate(case, silent).episodes


@each_case
def test_the_batch_size_changes_nothing(case: Case) -> None:
    assert evaluate(case, silent, batch_size=1).episodes == evaluate(case, silent, batch_size=64).episodes
