"""Pairs are sampled from the policy, and what tells which is better lies apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.examples.made_pairs import WORDS

import pairs
import verienv
from verienv.core.rows import questions
from verienv.policies import HuggingFacePolicy, OpenAIPolicy
from verienv.policies.usage import Completion
from verienv.preferences import read_pairs, read_verdicts


def written_by(number: int, dialogue: list) -> str:
    return json.dumps({"formula": str((number * 7 + len(str(dialogue))) % 5)})


class Stub:
    """A policy whose answers depend on the dialogue and its place in the batch alone; it ends after some calls."""

    def __init__(self, calls: int = 99) -> None:
        self.calls = calls

    def __call__(self, dialogues: list) -> list[str]:
        self.calls -= 1
        if self.calls < 0:
            raise KeyboardInterrupt
        return [written_by(number, dialogue) for number, dialogue in enumerate(dialogues)]


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs, "load", lambda *_, **__: Stub())
    return pairs.Arguments(questions=10, batch=4, pairs_each=2, out=tmp_path / "pairs")


def test_pairs_differ_in_text_and_no_answer_stands_in_two():
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = pairs.paired(dict(enumerate(["x", "y", "x", "z", "w"])), 9, rng)
        assert len(found) == 2
        assert sorted(number for two in found for number in two) == [0, 1, 3, 4]


def test_alike_answers_are_no_pair():
    assert pairs.paired(dict.fromkeys(range(4), "x"), 1, np.random.default_rng(0)) == []


def test_a_response_that_was_cut_off_is_in_no_pair():
    policy = HuggingFacePolicy.load("gp-arithmetic", device="cpu", max_new_tokens=26)
    every = list(questions(WORDS, "train", 12, 0, attempts=1))
    ids = policy.responses([row["prompt"] for row, _ in every])
    ended = [each[-1] in policy.stops for each in ids]
    assert any(ended)
    assert not all(ended)
    assert [bool(said) for said in pairs.answered(policy, every, 1)] == ended


def test_a_server_tells_which_response_was_cut_off(monkeypatch):
    policy = OpenAIPolicy("m", "http://127.0.0.1:9/v1")
    told = [Completion("whole"), Completion("cut off", is_cut=True)]
    monkeypatch.setattr(policy, "completions", lambda dialogues: told)
    assert pairs.whole([[], []], policy) == ["whole", None]


def test_which_answer_comes_first_is_drawn():
    firsts = {pairs.paired({0: "x", 1: "y"}, 1, np.random.default_rng(seed))[0] for seed in range(20)}
    assert firsts == {(0, 1), (1, 0)}


def test_pairs_and_verdicts_lie_apart_and_belong_together(arguments, tmp_path):
    counts = pairs.make(arguments)
    made, verdicts = read_pairs(tmp_path / "pairs/pairs.jsonl"), read_verdicts(tmp_path / "pairs-verdicts.jsonl")
    assert counts["pairs"] == len(made) == len(verdicts) > 10
    assert made.keys() == verdicts.keys()
    for name, pair in made.items():
        row = {"instance": pair.instance, "env_id": pair.env_id}
        assert verdicts[name].a == verienv.judge(row, pair.a)
        assert verdicts[name].b == verienv.judge(row, pair.b)


def test_nothing_in_the_folder_of_the_pairs_says_which_is_better(arguments):
    pairs.make(arguments)
    text = "".join(path.read_text() for path in arguments.out.rglob("*") if path.is_file())
    assert not [word for word in ("reward", "is_correct", "failure", "better") if word in text]


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_an_interrupted_run_goes_on_to_what_an_unbroken_one_makes(calls, arguments, tmp_path, monkeypatch):
    pairs.make(arguments)
    broken = replace(arguments, out=tmp_path / "broken")
    monkeypatch.setattr(pairs, "load", lambda *_, **__: Stub(calls))
    with pytest.raises(KeyboardInterrupt):
        pairs.make(broken)
    with (tmp_path / "broken/pairs.jsonl").open("a") as file:  # a kill between the pairs and the log
        file.write((tmp_path / "pairs/pairs.jsonl").read_text().splitlines()[0] + '\n{"torn')
    monkeypatch.setattr(pairs, "load", lambda *_, **__: Stub())
    pairs.make(broken)
    for name in ("{}/pairs.jsonl", "{}-verdicts.jsonl", "{}/log.jsonl"):
        assert (tmp_path / name.format("broken")).read_text() == (tmp_path / name.format("pairs")).read_text()


def test_a_finished_run_goes_on_to_more_questions(arguments, tmp_path):
    fewer = pairs.make(replace(arguments, questions=4))
    more = pairs.make(arguments)
    assert (fewer["questions"], more["questions"]) == (4, 10)
    assert len(read_pairs(tmp_path / "pairs/pairs.jsonl")) == more["pairs"] > fewer["pairs"]


def test_a_finished_run_asks_the_policy_nothing(arguments, monkeypatch):
    counts = pairs.make(arguments)
    monkeypatch.delattr(pairs, "load")
    assert pairs.make(arguments) == counts


@pytest.mark.parametrize("change", [{"samples": 2}, {"temperature": 0.5}, {"settings": ("rule=rank",)}])
def test_a_folder_of_other_pairs_is_refused(change, arguments):
    pairs.make(arguments)
    with pytest.raises(ValueError, match="holds a run with other arguments"):
        pairs.make(replace(arguments, **change))


@pytest.mark.parametrize("name", ["pairs/pairs.jsonl", "pairs-verdicts.jsonl"])
def test_pairs_and_verdicts_that_no_run_made_are_never_taken_away(name, arguments):
    path = arguments.out.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("somebody's own\n")
    arguments = replace(arguments, out=arguments.out.parent / "pairs")
    with pytest.raises(ValueError, match="is there already, and of no run"):
        pairs.make(arguments)
    assert path.read_text() == "somebody's own\n"


def test_verdicts_in_the_folder_of_the_pairs_are_refused(arguments):
    with pytest.raises(ValueError, match="choose a file outside of it"):
        pairs.make(replace(arguments, verdicts=arguments.out / "verdicts.jsonl"))


def test_a_model_of_words_is_sampled(tmp_path):
    arguments = pairs.Arguments(
        model="gp-arithmetic", questions=6, samples=3, temperature=2.0, device="cpu", out=tmp_path / "pairs"
    )
    assert pairs.make(arguments)["pairs"] == len(read_pairs(tmp_path / "pairs/pairs.jsonl")) > 0


def test_a_model_that_sees_is_sampled_and_its_pictures_lie_beside_the_pairs(llava, tmp_path):
    arguments = pairs.Arguments(
        model=str(llava), env="GeneralPoints-VL", questions=2, samples=2, max_new_tokens=6, device="cpu",
        out=tmp_path / "pairs",
    )  # fmt: skip
    pairs.make(arguments)
    for pair in read_pairs(tmp_path / "pairs/pairs.jsonl").values():
        [name] = pair.images
        with Image.open(tmp_path / "pairs" / name) as picture:
            assert picture.format == "PNG"
        assert [part.type for part in pair.prompt[0].content] == ["image", "text"]
