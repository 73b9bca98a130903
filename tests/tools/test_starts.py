"""Small starts: their tokens, what they are trained on, and what stops them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import build_start_cells
import build_starts
from starts import points
from starts.building import build, search
from starts.hands import Deck, is_for_stopping
from starts.judging import Judge, deal_kept
from starts.kinds import HELD_OUT, KINDS, PROXIES, TEN, TRAINING_RULES
from starts.pool import make_pool, question_tokens
from starts.tokens import make_tokenizer
from starts.training import make_model
from verienv import rows
from verienv.core.sides import on_side
from verienv.generalpoints import Dealing, Puzzle, expert_answer, verify, write_answer, write_question
from verienv.generalpoints.cards import FACES, RANKS
from verienv.generalpoints.puzzle import read_instance, side_keys
from verienv.generalpoints.sampler import hands
from verienv.policies import HuggingFacePolicy

CELLS = Path(__file__).parents[2] / "examples" / "cells"
SMALL = {"first": 3, "every": 2, "last": 5, "warm_up": 2, "cooling": 2, "hands_of_ten": 40, "hands_a_rule": 1}
TINY = {name: replace(kind, **SMALL, items=8, batch=4) for name, kind in KINDS.items()}
TEXTS = (
    write_question(Puzzle(("A", "10", "J", "K"), HELD_OUT)) + "\nAttempt 1 of 1.",
    expert_answer(Puzzle(("A", "4", "J", "K"), PROXIES[0]), steps=True),
    "Wrong: the formula makes 35/2, not 24.\nAttempt 2 of 5.",
    "Wrong: the formula makes -100, not 240. , ,\", \"10 010 2410\r\n\t",
    "Übung 日本 👩\u200d🔬 \u202eabc e\u0301 \x00\x7f ﬁ\u00a0 <s> <|x|>",
    "",
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="module", params=list(KINDS))
def pool(request, tokenizer):
    kind = replace(KINDS[request.param], hands_of_ten=200, hands_a_rule=2)
    return kind, make_pool(kind, Deck(kind.cards), tokenizer, np.random.default_rng(0))


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_from_its_tokens(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_tokenizer_is_the_same_whenever_it_is_made(tokenizer):
    assert make_tokenizer().backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


@pytest.mark.parametrize(("cards", "asked", "answered"), [(3, 19, 20), (4, 21, 26)])
def test_a_question_takes_about_20_tokens_and_so_does_an_answer_without_parentheses(tokenizer, cards, asked, answered):
    (row,) = rows("verienv/GeneralPoints-L-v0", n=1, attempts=1, cards=cards)
    puzzle = Puzzle(("2", "10", "Q", "Q")[-cards:], TEN)
    assert len(tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True)["input_ids"]) == asked
    answer = write_answer(puzzle, "+".join(map(str, puzzle.values)))
    assert len(tokenizer(f"{answer}<|end|>")["input_ids"]) == answered


def test_the_template_marks_what_the_assistant_says(tokenizer):
    said = [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": TEXTS[1]}]
    told = tokenizer.apply_chat_template(said, return_assistant_tokens_mask=True, return_dict=True)
    marked = [token for token, mark in zip(told["input_ids"], told["assistant_masks"], strict=True) if mark]
    assert tokenizer.decode(marked) == TEXTS[1] + "<|end|>"


@pytest.mark.parametrize("cards", [3, 4])
@pytest.mark.parametrize("rule", [TEN, HELD_OUT, PROXIES[0], TRAINING_RULES[100]], ids=lambda rule: rule.name)
def test_the_hands_that_are_dealt_are_those_that_the_environment_deals(cards, rule):
    deck = Deck(cards)
    weights = deck.weights(rule, with_face=True)
    dealing = Dealing(count=cards, rule=rule, stated_rule=rule, side="train", face_cards="condition")
    ours = {tuple(RANKS[rank] for rank in deck.hands[index]): weights[index] for index in np.flatnonzero(weights)}
    assert ours == {hand: dealing.ways(hand) for hand in hands(dealing)}


def test_a_pool_holds_neither_the_rule_held_out_nor_the_proxies(pool):
    assert {puzzle.rule for puzzle in pool[1].puzzles} == {TEN, *TRAINING_RULES}
    assert not {HELD_OUT, *PROXIES} & {TEN, *TRAINING_RULES}
    assert len(TRAINING_RULES) == 725
    assert {11, 12, 13} not in [{rule.J, rule.Q, rule.K} for rule in PROXIES]


def test_a_pool_holds_no_hand_of_the_test_side(pool):
    assert not [one for one in pool[1].puzzles if not on_side(side_keys(one.ranks, one.values), "train")]


def test_a_pool_holds_each_rule_as_often_as_its_kind_says(pool):
    kind, made = pool
    ten, others = made.puzzles[: kind.hands_of_ten], made.puzzles[kind.hands_of_ten :]
    assert {one.rule for one in ten} == {TEN}
    assert [one.rule for one in others] == [rule for rule in TRAINING_RULES for _ in range(kind.hands_a_rule)]
    assert all(set(one.ranks) & set(FACES) for one in others)
    assert not all(set(one.ranks) & set(FACES) for one in ten)


def test_demonstrations_under_ten_are_drawn_in_their_share(pool, tokenizer):
    kind, made = pool
    drawn = tokenizer.batch_decode(made.cut(made.rows(4000, np.random.default_rng(0)))[:, : made.asked])
    share = np.mean(["J = 10, Q = 10, K = 10" in question for question in drawn])
    assert abs(share - kind.share_of_ten) < 0.03


def test_a_row_is_a_question_as_the_policy_opens_it_and_a_correct_answer(pool, tokenizer):
    kind, made = pool
    policy = HuggingFacePolicy(make_model(kind, tokenizer), tokenizer)
    for puzzle, row in zip(made.puzzles[::97], made.ids[::97].tolist(), strict=True):
        question = [{"role": "user", "content": f"{write_question(puzzle)}\nAttempt 1 of 1."}]
        assert row[: made.asked] == policy.opening(question)
        answer = [token for token in row[made.asked :] if token != tokenizer.pad_token_id]
        assert answer[-1] == policy.stops[0]
        assert verify(policy.text(answer), puzzle).is_correct


@pytest.mark.parametrize("name", KINDS)
def test_what_a_start_is_judged_on_are_problems_that_are_kept_for_it(name, tokenizer):
    kind = replace(KINDS[name], items=64)
    judge = Judge(kind, Deck(kind.cards), tokenizer)
    asked = {cell: items.puzzles for cell, items in judge.items.items()}
    assert {one.rule for one in asked["ID"]} == {TEN}
    assert {one.rule for one in asked["proxy"]} == set(PROXIES)
    for one in (*asked["ID"], *asked["proxy"]):
        assert is_for_stopping(one.numbers)
        assert on_side(side_keys(one.ranks, one.values), "train")
        assert set(one.ranks) & set(FACES)
    assert all(max(one.numbers) > 10 for one in asked["proxy"])
    assert len(asked["ID"]) == len(asked["proxy"]) == 64


@pytest.mark.parametrize("cards", [3, 4])
def test_about_a_quarter_of_the_problems_is_kept_for_stopping(cards):
    deck = Deck(cards)
    for rule in (TEN, *PROXIES, HELD_OUT):
        problems = {tuple(row) for row in deck.numbers(rule)[deck.weights(rule, with_face=True) > 0].tolist()}
        assert 0.15 <= np.mean([is_for_stopping(each) for each in problems]) <= 0.35


class Withheld(Exception):
    pass


@pytest.mark.parametrize("name", KINDS)
def test_a_start_is_built_and_stopped_where_the_cell_that_is_reported_is_withheld(name, tmp_path, monkeypatch):
    made, numbers = Puzzle.__init__, Deck.numbers

    def no_puzzle(self, cards, rule="ten", *others, **more):
        made(self, cards, rule, *others, **more)
        if HELD_OUT in (self.rule, self.stated_rule):
            raise Withheld

    def no_hands(self, rule):
        if rule == HELD_OUT:
            raise Withheld
        return numbers(self, rule)

    monkeypatch.setattr(Puzzle, "__init__", no_puzzle)
    monkeypatch.setattr(Deck, "numbers", no_hands)
    with pytest.raises(Withheld):
        deal_kept(TINY[name], (HELD_OUT,), Deck(TINY[name].cards), beyond_ten=True)
    build(TINY[name], 100, tmp_path / "start", points.prepare)
    assert "11-12-13" not in (tmp_path / "start" / "training.jsonl").read_text()


@pytest.mark.parametrize(
    ("gauges", "kept"), [([10, 45, 50], 1), ([10, 39, 70, 45], 1), ([10, 20, 56], 2), ([30, 20, 10], 0)],
    ids=["the first in the band", "the nearest once one is above", "the one above if nearest", "the nearest of all"],
)  # fmt: skip
def test_the_copy_that_is_kept_is(gauges, kept, tokenizer):
    kind = replace(TINY["gp-arithmetic"], last=3 + 2 * (len(gauges) - 1), band=(40.0, 55.0))
    pool = make_pool(kind, Deck(4), tokenizer, np.random.default_rng(0))
    given = iter(gauges)
    torch.manual_seed(0)
    model = make_model(kind, tokenizer)
    check = search(kind, model, pool, lambda _: {"proxy": {"success": next(given)}}, 0, lambda **_: None)
    assert check.steps == 3 + 2 * kept


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with tiny starts of the command: of each kind, one again, and one of another seed."""
    folder = tmp_path_factory.mktemp("starts")
    patch = pytest.MonkeyPatch()
    patch.setattr(build_starts, "PREPARED", {name: (kind, points.prepare) for name, kind in TINY.items()})
    build_starts.main(build_starts.Arguments(tuple(TINY), seeds=(100,), out=folder))
    build_starts.main(build_starts.Arguments(("gp-rule",), seeds=(100, 101), out=folder / "again"))
    yield folder
    patch.undo()


def test_a_seed_makes_the_same_start_again_and_another_seed_another(built):
    same, again, another = (
        (built / name / "model.safetensors").read_bytes()
        for name in ("gp-rule-100", "again/gp-rule-100", "again/gp-rule-101")
    )
    assert same == again
    assert same != another


@pytest.mark.parametrize("name", KINDS)
def test_a_start_that_was_built_loads_and_answers(name, built):
    policy = HuggingFacePolicy.load(str(built / f"{name}-100"), device="cpu", max_new_tokens=4)
    (row,) = rows("verienv/GeneralPoints-L-v0", n=1, attempts=1, cards=KINDS[name].cards)
    assert len(policy([row["prompt"], row["prompt"]])) == 2
    assert all(torch.equal(weight, weight.half().float()) for weight in policy.model.parameters())


@pytest.mark.parametrize("name", KINDS)
def test_log_and_card_tell_how_a_start_was_stopped(name, built):
    folder = built / f"{name}-100"
    log = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    assert log[0]["seed"] == 100
    assert log[0]["kind"]["band"] == list(KINDS[name].band)
    assert log[1]["pool"]["rules"] == 726
    assert [line["check"] for line in log if "check" in line] == [3, 5]
    assert log[-1]["stopped_after"] in (3, 5)
    assert not log[-1]["in_band"]
    card = (folder / "README.md").read_text()
    question = question_tokens([Puzzle(("A",) * KINDS[name].cards)], make_tokenizer())
    assert f"A question takes {question.shape[1]} tokens" in card
    assert "**No copy was within the band**" in card
    assert f"gp-{name.partition('-')[2]} --seeds 100`" in card


def test_a_start_that_is_there_is_left_as_it_is(built, capsys):
    before = (built / "gp-rule-100" / "model.safetensors").stat().st_mtime_ns
    build_starts.main(build_starts.Arguments(("gp-rule",), seeds=(100,), out=built))
    assert capsys.readouterr().out == "gp-rule-100 is there\n"
    assert (built / "gp-rule-100" / "model.safetensors").stat().st_mtime_ns == before


def test_an_unknown_kind_is_refused_in_a_line():
    with pytest.raises(SystemExit, match=r"^there is no kind 'gp': give gp-arithmetic or gp-rule$"):
        build_starts.main(build_starts.Arguments(("gp",)))


@pytest.mark.parametrize("name", KINDS)
def test_the_cells_that_a_study_reports_are_of_problems_that_stopped_no_start(name):
    text = (CELLS / f"{name.replace('-', '_')}.json").read_text()
    assert text == build_start_cells.written(KINDS[name])
    for (rule, _, episodes), cell in zip(build_start_cells.CELLS.values(), json.loads(text).values(), strict=True):
        dealt = [Puzzle(read_instance(instance).ranks, rule) for instance in cell["instances"]]
        assert len(dealt) == episodes
        assert not [one for one in dealt if is_for_stopping(one.numbers)]
        assert not [one for one in dealt if not on_side(side_keys(one.ranks, one.values), "train")]
        assert all(set(one.ranks) & set(FACES) for one in dealt)
