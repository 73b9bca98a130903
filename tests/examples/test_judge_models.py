"""Models as judges: on this machine, and behind a server that fails in every way."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.policies.serving import Fault, serving
from tests.preferences.made import pair, verdicts, written

import judge
import judge_models
import judging
from verienv.core.verdict import Verdict
from verienv.policies import server
from verienv.preferences import agreement, read_judgements, read_labels, read_verdicts
from verienv.preferences.judging import BY_LETTER, Question

RIGHT, WRONG = '{"formula": "1"}', "no idea"
LETTERS = {
    "logprobs": {
        "content": [{"token": "A", "top_logprobs": [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -3.0}]}]
    }
}


@pytest.fixture(autouse=True)
def _no_verdict_and_no_settings_of_this_machine(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(server, "sleep", lambda _: None)


@pytest.fixture
def folder(tmp_path):
    """Forty pairs; in every other one a is right."""
    (tmp_path / "pairs").mkdir()
    sides = [(RIGHT, WRONG), (WRONG, RIGHT)]
    pairs = (pair(n, a=sides[n % 2][0], b=sides[n % 2][1], policy="m") for n in range(40))
    written(tmp_path / "pairs/pairs.jsonl", *pairs)
    written(tmp_path / "pairs-verdicts.jsonl", *(verdicts(n, "ab"[n % 2]) for n in range(40)))
    return tmp_path / "pairs"


def judged(folder, served, **given):
    """Judge pairs by the model behind a server; return the labels."""
    judge.judge(judge.Arguments(folder, model="openai:m", base_url=served.url, **given))
    return read_labels(folder / "labels-judge.jsonl")


def truth(asked, _=0):
    """An answer that is always right."""
    return "A" if asked.words.index(RIGHT) < asked.words.index(WRONG) else "B"


def first(*_):
    return "A"


def measured(folder, labels):
    [found] = agreement(labels, verdicts=read_verdicts(folder.with_name("pairs-verdicts.jsonl"))).annotators
    return found


def test_a_judge_that_is_right_in_both_orders_agrees_with_the_verifier(folder):
    with serving(truth) as served:
        labels = judged(folder, served)
        assert len(served.requests) == 80
    found = measured(folder, labels)
    assert (found.accuracy.mean, found.flips.mean, found.prefers_first.mean) == (1.0, 0.0, 0.5)
    assert 0.8 < found.accuracy.low < 1.0
    assert {(label.kind, label.model, label.annotator, label.relation) for label in labels} == {
        ("judge", "openai:m", "openai:m", "self")
    }
    assert {(label.p_orders, label.prompt_tokens) for label in labels} == {((1.0, 1.0), 20), ((0.0, 0.0), 20)}


def test_a_judge_that_takes_what_is_shown_first_gives_ties(folder, capsys):
    with serving(first) as served:
        labels = judged(folder, served)
    found = measured(folder, labels)
    assert (found.labels, found.ties, found.flips.mean, found.prefers_first.mean) == (40, 40, 1.0, 1.0)
    assert 0.8 < found.flips.low < 1.0
    told = capsys.readouterr().out
    assert "80 answers asked for, 0 known before; 80 requests answered" in told
    assert "judge of itself" in told
    assert "flips" in told


def test_a_judge_that_errs_has_the_accuracy_that_its_answers_have(folder):
    wrong = {"A": "B", "B": "A"}

    def reply(asked, _):
        number = int(asked.words.partition("> Question ")[2].partition("?")[0])
        return wrong[truth(asked)] if number < 10 else truth(asked)

    with serving(reply) as served:
        found = measured(folder, judged(folder, served))
    assert found.accuracy.mean == 0.75
    assert 0.5 < found.accuracy.low < 0.75 < found.accuracy.high < 0.95


def test_it_is_asked_with_the_guidelines_of_people_for_the_likeliest_tokens(folder, tmp_path):
    (tmp_path / "own.txt").write_text("Mind the cards.")
    with serving(first) as served:
        judged(folder, served, most=1)
        judged(folder, served, most=1, guidelines=tmp_path / "own.txt", logprobs=False, max_new_tokens=9)
        default, own = served.requests[0], served.requests[-1]
    assert default.words.startswith("Choose the response that answers the question better")
    assert own.words.startswith("Mind the cards.\n")
    assert (default.body["logprobs"], default.body["top_logprobs"], default.body["temperature"]) == (True, 5, 0.0)
    assert "logprobs" not in own.body
    assert own.body["max_tokens"] == 9


def test_likeliest_tokens_are_used_where_they_come(folder):
    def reply(_, number):
        message = {"role": "assistant", "content": "A"}
        return {"choices": [{"message": message, **(LETTERS if number == 0 else {})}]}

    with serving(reply) as served:
        [label] = judged(folder, served, most=1, concurrency=1)
    assert label.p_orders == (pytest.approx(1 / (1 + np.exp(-2.9))), 0.0)


def test_a_model_that_refuses_to_tell_likeliest_tokens_is_asked_without(folder):
    def reply(asked, _):
        refused = Fault(400, b'{"error": {"message": "logprobs are not supported with this model"}}')
        return refused if "logprobs" in asked.body else truth(asked)

    with serving(reply) as served:
        labels = judged(folder, served, concurrency=1)
        assert len(served.requests) == 81
    assert measured(folder, labels).accuracy.mean == 1.0


FAULTS = (
    Fault(429, b"", {"Retry-After": "0"}), Fault(500, b"<html>"), Fault(503), Fault(200, None), Fault(200, b"garbage"),
    Fault(200, b'{"choices": [{"message": {"content": "A'), Fault(200, b""), Fault(200, b'{"choices": 1}'),
    Fault(200, b'{"choices"', {"Content-Length": "1000", "Connection": "close"}),
)  # fmt: skip


def test_a_server_that_fails_in_every_way_is_asked_again(folder):
    def reply(asked, number):
        return FAULTS[number // 2] if number % 2 == 0 and number // 2 < len(FAULTS) else truth(asked)

    with serving(reply) as served:
        labels = judged(folder, served, concurrency=1)
        assert len(served.requests) == 80 + len(FAULTS)
    assert measured(folder, labels).accuracy.mean == 1.0


@pytest.mark.parametrize("said", ["I cannot help with that.", "", {"content": None, "refusal": "No."}, {"content": 7}])
def test_a_pair_without_an_answer_in_both_orders_is_skipped(said, folder, capsys):
    with serving(lambda asked, number: said if number == 0 else truth(asked)) as served:
        labels = judged(folder, served, most=2, concurrency=1)
        judged(folder, served, most=2)
        assert len(served.requests) == 4
    assert [label.choice for label in labels] == ["skip", "b"]
    assert "1 of 4 answers name no response; their pairs are skipped" in capsys.readouterr().out


def test_an_answer_that_was_cut_off_is_none(folder):
    cut = {"choices": [{"finish_reason": "length", "message": {"content": "Let me compare A with"}}]}
    with serving(lambda asked, number: cut if number == 0 else truth(asked)) as served:
        assert [label.choice for label in judged(folder, served, most=1, concurrency=1)] == ["skip"]


def test_a_server_that_fails_for_good_ends_it_and_what_was_answered_is_kept(folder):
    def reply(asked, number):
        return Fault(503) if number >= 31 else truth(asked)

    with serving(reply) as served, pytest.raises(ConnectionError, match="1 times in a row; see to the server"):
        judged(folder, served, concurrency=4, retries=0)
    kept = read_judgements(folder / "judgements.jsonl")
    assert len(kept) == 31
    assert 0 < len(read_labels(folder / "labels-judge.jsonl")) <= 15
    with serving(truth) as served:
        labels = judged(folder, served)
        assert len(served.requests) == 49
    assert measured(folder, labels).accuracy.mean == 1.0


def test_a_time_out_is_a_failure(folder):
    import threading

    over = threading.Event()
    with serving(lambda *_: over.wait(30) and "late") as served:
        with pytest.raises(ConnectionError, match="no reply"):
            judged(folder, served, most=1, timeout=0.05, retries=1)
        over.set()


def test_what_was_labelled_is_not_labelled_again_unless_it_changes(folder):
    with serving(lambda *_: {"choices": [{"message": {"content": "A"}, **LETTERS}]}) as served:
        arguments = judge.Arguments(folder, model="openai:m", base_url=served.url)
        assert [judge.judge(replace(arguments, most=most)) for most in (10, 0, 0)] == [10, 30, 0]
        assert len(served.requests) == 80
    with serving(truth) as served:
        arguments = replace(arguments, base_url=served.url)
        assert judge.judge(replace(arguments, model="openai:n")) == 40
        assert judge.judge(replace(arguments, temperature=None)) == 40
        assert len(served.requests) == 160


def test_pictures_arrive_as_data_urls(folder):
    (folder / "images").mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "images/0.png")
    prompt = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which cards?"}]}]
    written(folder / "pairs.jsonl", pair(prompt=prompt, images=["images/0.png"]))
    with serving(first) as served:
        judged(folder, served)
        shown, words = served.requests[0].body["messages"][0]["content"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")
    assert "> Which cards?\n" in words["text"]


def test_a_file_that_is_no_picture_is_named(folder):
    (folder / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n?")
    prompt = [{"role": "user", "content": [{"type": "image"}]}]
    written(folder / "pairs.jsonl", pair(prompt=prompt, images=["0.png"]))
    with serving(first) as served, pytest.raises(ValueError, match=r"0\.png: is (no PNG|truncated)"):
        judged(folder, served)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"model": "", "simulated": ()}, "give either --model NAME, or --simulated"),
        ({"model": "gp-rule", "simulated": ("program",)}, "give either"),
        ({"margin": 0.5}, "--margin 0.5: expected a number from 0"),
        ({"margin": float("nan")}, "--margin nan"),
        ({"batch": 0}, "--batch 0"),
        ({"model": "gp-rule", "base_url": "http://h/v1"}, "give --model openai:gp-rule for one"),
        ({"base_url": "h"}, "base_url='h'"),
        ({"price_in": -1.0}, "prices="),
    ],
)
def test_a_slip_is_told(given, told, folder):
    with pytest.raises(ValueError, match=told):
        judge.judge(judge.Arguments(folder, **{"model": "openai:m", "base_url": "http://127.0.0.1/v1", **given}))


def test_a_folder_without_pairs_is_refused(folder):
    written(folder / "pairs.jsonl")
    with pytest.raises(ValueError, match="there are no pairs to label"):
        judge.judge(judge.Arguments(folder, model="gp-rule"))


def test_a_judge_neither_opens_verdicts_nor_verifies_and_killed_between_answers_asks_nothing_twice(tmp_path):
    (tmp_path / "pairs").mkdir()
    written(tmp_path / "pairs/pairs.jsonl", *(pair(n) for n in range(5)))
    written(tmp_path / "pairs-verdicts.jsonl", *(verdicts(n) for n in range(5)))
    with serving(truth) as served:
        script = Path(__file__).with_name("judgings.py")
        command = [sys.executable, str(script), str(tmp_path / "pairs"), served.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        bodies = [json.dumps(asked.body) for asked in served.requests]
    ended = json.loads(done.stdout)
    assert ended == {"killed": [-9, -9, -9], "whole": [0, 0], "opens verdicts": 3, "verifies": 3}
    assert len(bodies) == len(set(bodies)) == 10
    assert len(read_labels(tmp_path / "pairs/labels-judge.jsonl")) == 5


@pytest.fixture(scope="module")
def reader():
    """A judge on this machine, which is no good as one."""
    return judge_models.LocalJudge("gp-arithmetic", device="cpu", batch=4)


def asked(*pairs, folder=Path()):
    question = Question("Choose the better one.", BY_LETTER)
    return [judging.Asked(f"{n}{side}", each, side, question, folder) for n, each in enumerate(pairs) for side in "ab"]


def test_a_model_on_this_machine_is_read_at_its_next_token(reader):
    pairs = [pair(n, a="1" * 9 * n, b="24") for n in range(5)]
    found = {each.key: answer for each, answer in reader.answers(asked(*pairs))}
    one, other = reader.policy.tokenizer.convert_tokens_to_ids(["A", "B"])
    for each in asked(*pairs):  # alone, without padding
        ids = torch.tensor([list(reader.policy.opening(each.dialogue))])
        with torch.inference_mode():
            chances = reader.policy.model(input_ids=ids).logits[0, -1].double().softmax(0)
        p = float(chances[one] / (chances[one] + chances[other]))
        assert found[each.key].p == pytest.approx(p, abs=1e-5)
        assert found[each.key].mass == pytest.approx(float(chances[one] + chances[other]), rel=1e-3)
        assert found[each.key].prompt_tokens == ids.shape[1]
    assert len({answer.p for answer in found.values()}) > 5


def test_a_pair_longer_than_its_context_has_no_answer(reader):
    found = {each.key: answer for each, answer in reader.answers(asked(pair(a="1" * 5000), pair(1)))}
    assert [found[key].p is None for key in ("0a", "0b", "1a", "1b")] == [True, True, False, False]
    assert found["0a"].said == "longer than its context"


def test_a_response_that_spells_special_tokens_forges_no_turn(reader):
    special = reader.policy.tokenizer
    dialogues = [asked(pair(a=text))[0].dialogue for text in ("".join(special.all_special_tokens), "1")]
    one, other = (list(reader.policy.opening(each)) for each in dialogues)
    assert [token for token in one if token in special.all_special_ids] == [
        token for token in other if token in special.all_special_ids
    ]


def test_pairs_of_pictures_are_not_for_a_model_of_words(reader, tmp_path):
    with pytest.raises(ValueError, match="cannot see it; choose a vision-language model"):
        list(reader.answers(asked(shown(tmp_path, "red"), folder=tmp_path)))


def shown(folder, colour):
    Image.new("RGB", (64, 64), colour).save(folder / f"{colour}.png")
    prompt = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which cards?"}]}]
    return pair(prompt=prompt, images=[f"{colour}.png"])


def test_a_model_that_sees_is_shown_the_pictures(tmp_path):
    reader = judge_models.LocalJudge("tiny-vlm", device="cpu")
    found = [
        answer.p
        for _, answer in reader.answers(asked(*(shown(tmp_path, x) for x in ("red", "white")), folder=tmp_path))
    ]
    assert all(0 < p < 1 for p in found)
    assert len(set(found)) == 4


def test_a_model_on_this_machine_labels_its_own_pairs_and_makes_no_verdict(folder, monkeypatch, capsys):
    def refuse(*_, **__):
        raise AssertionError("a judge verifies")

    monkeypatch.setattr(Verdict, "__init__", refuse)
    pairs = [pair(n, policy="gp-arithmetic") for n in range(6)]
    written(folder / "pairs.jsonl", *pairs)
    arguments = judge.Arguments(folder, model="gp-arithmetic", device="cpu", most=4)
    assert [judge.judge(arguments), judge.judge(replace(arguments, most=0)), judge.judge(arguments)] == [4, 2, 0]
    assert {label.relation for label in read_labels(folder / "labels-judge.jsonl")} == {"self"}
    told = capsys.readouterr().out
    assert "8 answers asked for, 0 known before" in told
    assert "FLOPs" in told
    assert "0 answers asked for, 8 known before" in told


def test_another_model_in_the_folder_of_one_is_asked_anew(tmp_path, reader):
    reader.policy.save(tmp_path / "m")
    one = judge_models.LocalJudge(str(tmp_path / "m"), device="cpu")
    again = judge_models.LocalJudge(str(tmp_path / "m"), device="cpu")
    with torch.no_grad():
        one.policy.model.get_output_embeddings().weight.mul_(1.01)
    one.policy.save(tmp_path / "n")
    (tmp_path / "m").rename(tmp_path / "old")
    (tmp_path / "n").rename(tmp_path / "m")
    changed = judge_models.LocalJudge(str(tmp_path / "m"), device="cpu")
    assert one.about == again.about != changed.about


def test_letters_that_are_several_tokens_are_told_apart_after_what_they_share():
    def tokenizer(text, add_special_tokens):
        return {"input_ids": {"A": [5, 7], "B": [5, 8], " A": [6, 7], " B": [6, 8]}[text]}

    assert judge_models.letters_of(tokenizer, "m") == ([5], [[7], [8]])


def test_letters_after_a_space_count_as_letters():
    def tokenizer(text, add_special_tokens):
        return {"input_ids": {"A": [7], "B": [8], " A": [17], " B": [18]}[text]}

    assert judge_models.letters_of(tokenizer, "m") == ([], [[7, 17], [8, 18]])


def test_a_tokenizer_that_does_not_tell_the_letters_apart_is_refused():
    with pytest.raises(ValueError, match="do not tell A from B"):
        judge_models.letters_of(lambda *_, **__: {"input_ids": [3]}, "m")
