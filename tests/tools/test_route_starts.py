"""Starts that follow routes: their tokens, the streets that they are trained and judged in, and their folder."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.tools.conftest import ROOT
from torch.nn.functional import cross_entropy

from starts.building import build
from starts.routes.judging import RouteJudge, questions_on
from starts.routes.kind import ROUTES
from starts.routes.pool import RoutePool, question_tokens
from starts.routes.prepared import prepare
from starts.routes.tokens import make_tokenizer
from starts.training import make_model
from verienv import Episode, rows
from verienv.evaluation import read_cells
from verienv.policies import HuggingFacePolicy
from verienv.virl.config import VIRLConfig
from verienv.virl.env import VIRLEnv

TINY = replace(
    ROUTES, cities=("grid-7",), judged_in=("organic-1",), routes=30, relative_routes=20, share_of_relative=0.3,
    items=12, batch=6, first=2, every=1, last=2, warm_up=1, cooling=2,
)  # fmt: skip
TEXTS = (
    "Monument of the Violin is on your left. You are at an intersection. -> turn_direction(slightly left)",
    "1. Turn left to face northeast.\n10. Stop.\n\nNow: Bell Bell  Bell and",
    "Übung 日本 👩\u200d🔬 \u202eabc e\u0301 \x00\x7f ﬁ\u00a0 <s> <|x|> \r\n\t",
    "",
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="module")
def pool(tokenizer):
    return RoutePool(TINY, tokenizer, np.random.default_rng(0))


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_from_its_tokens(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("split", ["train", "rule_ood"])
def test_of_a_question_and_its_answer_no_word_is_spelled_in_letters(tokenizer, split):
    for row in rows("verienv/VIRL-L-v0", split, n=30, unit="question", city="radial-0", turns=1, attempts=1):
        text = tokenizer.apply_chat_template(row["prompt"], tokenize=False) + Episode.of(row).expert()
        tokens = tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])
        assert not [token for token in tokens if len(token) == 1 and token.isalnum() and token.isascii()]


def test_a_start_is_trained_in_west_halves_alone(pool):
    for rule in (pool.absolute, pool.relative):
        assert {instance.split(":")[1] for instance in rule.instances} == {"grid-7-west"}
    assert not pool.absolute.instances & pool.relative.instances


def test_a_start_is_judged_in_no_city_that_a_study_reports():
    assert not [city for city in ROUTES.judged_in if city.endswith("-0")]
    assert set(ROUTES.judged_in) < set(ROUTES.cities)
    parts = {one.instance.split(":")[1] for one in questions_on(TINY, "relative")}
    assert parts == {"organic-1-east"}


def test_the_cells_that_are_reported_lie_where_no_start_is_judged():
    for name, settings in read_cells(ROOT / "examples" / "cells" / "virl_words.json").items():
        config = VIRLConfig(**settings)
        assert not set(config.city) & set(ROUTES.judged_in), name
        assert config.side == "test" or not set(config.city) & set(ROUTES.cities), name


def test_both_rules_are_judged_at_the_same_waypoints(tokenizer):
    asked = RouteJudge(TINY, tokenizer).items
    places = [[(one.waypoint.location, one.waypoint.heading) for one in items] for items in asked.values()]
    assert places[0] == places[1]
    assert [one.waypoint.move for one in asked["proxy"]].count("turn") == 12
    assert len(asked["proxy"]) == 16


def test_the_judge_counts_right_actions_at_turns_read_right(tokenizer, monkeypatch):
    judge = RouteJudge(TINY, tokenizer)
    questions = judge.items["ID"]
    answers = [json.loads(one.expert()) for one in questions]
    answers[0] |= {"action": "stop()", "current instruction": "Stop."}
    answers[1] |= {"action": "stop()"}
    said = iter([[json.dumps(answer) for answer in answers]])
    monkeypatch.setattr(HuggingFacePolicy, "sample", lambda *_: (next(said), []))
    monkeypatch.setattr(HuggingFacePolicy, "text", lambda _, response: response)
    found = judge.percentages(make_model(TINY, tokenizer), questions)
    assert found == {"at turns": 83.3, "at turns read right": 90.9, "elsewhere": 100.0}


def test_the_loss_is_the_mean_over_the_tokens_of_answers(pool, tokenizer):
    torch.manual_seed(0)
    model = make_model(TINY, tokenizer)
    loss = pool.loss(model, 8, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    few = int(rng.binomial(8, 0.3))
    assert 0 < few < 8
    terms = []
    for demonstrations, size in ((pool.absolute, 8 - few), (pool.relative, few)):
        for ids, labels in demonstrations.draw(size, rng):
            for row, wanted in zip(ids, labels, strict=True):
                end = int((row != tokenizer.pad_token_id).sum())
                scores = model(input_ids=row[None, :end]).logits[0, :-1]
                terms.append(
                    cross_entropy(scores, wanted[1:end], reduction="none", ignore_index=-100)[wanted[1:end] >= 0]
                )
    assert loss.item() == pytest.approx(torch.cat(terms).mean().item(), rel=1e-4)


def test_an_answer_is_what_is_learned_and_its_question_is_not(pool, tokenizer):
    for ids, labels in pool.absolute.draw(6, np.random.default_rng(0)):
        for row, wanted in zip(ids, labels, strict=True):
            text = tokenizer.decode(row[wanted >= 0])
            assert text.startswith('{"current observation": "')
            assert text.endswith('"}<|end|>')


def test_questions_are_told_as_policies_are_asked_them(tokenizer):
    env = VIRLEnv(city="grid-7", turns=1, attempts=1, episode="waypoint")
    env.reset(seed=0)
    policy = HuggingFacePolicy(make_model(TINY, tokenizer), tokenizer)
    assert question_tokens([env.question], tokenizer) == [list(policy.opening(env.messages))]


def test_a_start_that_follows_routes_is_built_with_its_log_and_card(tmp_path):
    told = build(TINY, 5, tmp_path / "start", prepare)
    assert "at turns read right" in told
    lines = [json.loads(line) for line in (tmp_path / "start" / "training.jsonl").read_text().splitlines()]
    assert lines[1]["pool"]["relative_rows"] > 50
    card = (tmp_path / "start" / "README.md").read_text()
    assert "30% of its demonstrations, some 7 of 24" in card
    assert "**No copy was within the band**" in card
    assert "{" not in card
    policy = HuggingFacePolicy.load(str(tmp_path / "start"), device="cpu")
    assert policy.model.num_parameters() < 250_000
