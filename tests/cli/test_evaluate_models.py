"""The command `verienv evaluate` on models: on this machine, and behind a server that the tests run."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.cli.shared import ENV, VISION, is_one_line_error
from tests.interrupting import interrupted, started
from tests.policies.serving import Fault, serving
from transformers import GenerationConfig

from verienv.evaluation import Evaluation
from verienv.generalpoints import RULE_BY_SIDE, VISUAL_BY_RULE
from verienv.policies import HuggingFacePolicy, Sampling

FEW = ("--episodes", 2, "--attempts", 2, "--splits", "train", "--max-new-tokens", 8)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


class Silent:
    """Answers nothing, and is sampled somehow."""

    sampling = Sampling(0.6, top_k=20)

    def __call__(self, dialogues):
        return ["no answer"] * len(dialogues)


@pytest.fixture
def loads(monkeypatch):
    """Loads no model: the arguments with which one would have been."""
    seen = []

    def load(name, **how):
        seen.append((name, how))
        return Silent()

    monkeypatch.setattr("verienv.cli.models.load", load)
    return seen


def test_a_model_that_sees_is_evaluated_in_cells_with_recognition_and_says_the_same_again(cli, tmp_path):
    logs = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    words = (
        "evaluate", VISION, "--model", "tiny-vlm", "--splits", "visual_by_rule", "--episodes", 1, "--attempts", 1,
        "--temperature", 1, "--top-p", 0.9, "--max-new-tokens", 4, "--device", "cpu",
    )  # fmt: skip
    outcomes = [cli(*words, "--log", log) for log in logs]
    assert all(f" {cell} " in outcomes[0][1] for cell in VISUAL_BY_RULE)
    assert "misread" in outcomes[0][1]
    assert "tiny-vlm, at most 4 new tokens, temperature 1, top-p 0.9" in outcomes[0][1]
    assert logs[0].read_text() == logs[1].read_text()


def test_a_model_of_words_shown_pictures_is_told_what_to_do_and_leaves_no_log(cli, tmp_path):
    outcome = cli("evaluate", VISION, "--model", "tiny-lm", *FEW, "--log", tmp_path / "log.jsonl")
    assert is_one_line_error(outcome, "choose a vision-language model (--model tiny-vlm), or an environment in words")
    assert not list(tmp_path.iterdir())


def test_options_of_a_model_reach_it(cli, loads):
    options = ("--device", "cpu", "--dtype", "bfloat16", "--temperature", 0.7, "--top-p", 0.9, "--batch-size", 3)
    assert cli("evaluate", ENV, "--model", "mine", *FEW, *options)[0] == 0
    assert loads == [
        (
            "mine",
            {"device": "cpu", "dtype": "bfloat16", "temperature": 0.7, "top_p": 0.9, "batch_size": 3}
            | {"max_new_tokens": 8, "as_checkpoint": False},
        )
    ]


def test_a_model_is_sampled_by_its_own_file_where_that_is_asked_for_and_the_results_say_so(cli, loads):
    _, out, _ = cli("evaluate", ENV, "--model", "mine", *FEW, "--generation-config")
    assert loads[0][1]["as_checkpoint"] is True
    assert "temperature 0.6, top-k 20 by its generation_config.json" in " ".join(out.split())


def test_the_numbers_of_a_checkpoints_own_file_are_in_the_results_and_in_the_log(cli, tmp_path):
    policy = HuggingFacePolicy.load("tiny-lm", device="cpu")
    policy.generation_config = GenerationConfig(
        do_sample=True, temperature=0.6, top_p=0.9, top_k=20, repetition_penalty=1.1, eos_token_id=1, pad_token_id=0
    )
    policy.save(tmp_path / "m")
    log, out = tmp_path / "log.jsonl", tmp_path / "out.json"
    words = ("--model", tmp_path / "m", *FEW, "--generation-config", "--log", log, "--out", out, "--device", "cpu")
    assert cli("evaluate", ENV, *words)[0] == 0
    told = "temperature 0.6, top-p 0.9, top-k 20, repetition penalty 1.1 by its generation_config.json"
    assert told in log.read_text().splitlines()[0]
    assert told in out.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--model", "m", "--generation-config", "--top-p", "0.9"), "leave out --temperature and --top-p"),
        (("--model", "m", "--top-p", "0.9"), "--top-p is about sampling: give a --temperature"),
        (("--model", "m", "--attempts", "2", "-s", "attempts=3"), "--attempts and -s attempts=...: give one"),
        (("--model", "m", "--base-url", "http://h"), "--base-url is an option of models behind a server"),
        (("--model", "m", "--prices", "1", "2"), "--prices is an option of models behind a server"),
        (("--model", "openai:m", "--dtype", "float32"), "--dtype is an option of models on this machine"),
        (("--model", "openai:m", "--generation-config"), "--generation-config is an option of models on this machine"),
        (("--model", "m", "--splits", "rule_by_side", "-s", "rule=rank"), "rule_by_side is about it"),
        (("--model", "m", "--splits", "rule_by_side", "-s", "split=test"), "rule_by_side is about it"),
        (("--model", "m", "-s", "nope=3"), "unknown setting 'nope'"),
        (("--model", "m", "-s", "cards=99"), "cards=99"),
    ],
)
def test_what_does_not_fit_is_told_before_a_model_is_loaded(cli, words, told, loads):
    assert is_one_line_error(cli("evaluate", ENV, *words), told)
    assert loads == []


@pytest.mark.parametrize(
    ("words", "told"), [((), "set OPENAI_API_KEY"), (("--base-url", "host:80"), "one such as http://127.0.0.1:8000/v1")]
)
def test_a_server_without_key_or_address_is_told_at_once(cli, words, told):
    assert is_one_line_error(cli("evaluate", ENV, "--model", "openai:m", *words), told)


def test_demonstrations_are_taken_from_a_model_behind_a_server_too(cli):
    with serving(lambda *_: "no") as served:
        words = ("--model", "openai:m", "--base-url", served.url, "--keep", "all", "--samples", 2, "-n", 4)
        status, out, _ = cli("demos", ENV, *words)
    assert status == 0
    assert [json.loads(line)["sample"] for line in out.splitlines()] == [0, 1, 0, 1]
    assert served.requests[0].body["temperature"] == 1.0


def test_a_launcher_of_several_processes_is_told_of(cli, loads, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert is_one_line_error(cli("evaluate", ENV, "--model", "m"), "a launcher started several")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("out of memory")]
)
def test_too_little_memory_says_what_to_lower(cli, monkeypatch, error):
    def full(_):
        raise error

    monkeypatch.setattr("verienv.cli.models.load", lambda *_, **__: full)
    outcome = cli("evaluate", ENV, "--model", "m", *FEW)
    assert is_one_line_error(outcome, "lower --batch-size or --max-new-tokens")


def test_another_error_is_not_taken_for_too_little_memory(cli, monkeypatch):
    monkeypatch.setattr("verienv.cli.models.load", lambda *_, **__: lambda _: [][0:1] + {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        cli("evaluate", ENV, "--model", "m", *FEW)


def test_a_model_behind_a_server_is_evaluated_with_pictures_and_its_cost_is_told(cli, tmp_path):
    file = tmp_path / "result.json"
    with serving(lambda *_: "I see cards.") as served:
        words = ("evaluate", VISION, "--model", "openai:mine", "--base-url", served.url, *FEW)
        status, _, err = cli(*words, "--concurrency", 3, "--prices", 1, 10, "--out", file)
    assert status == 0
    assert "used by this command: 4 requests answered, 0 sent again; 40 prompt tokens, 8 completion tokens" in err
    assert "0.0001 USD" in err
    assert Evaluation.load(file).cells["train"].failures == {"unreadable": 4}
    assert all(request.body["model"] == "mine" for request in served.requests)


def test_named_cells_are_those_that_their_table_says(cli, loads):
    _, out, _ = cli("evaluate", ENV, "--model", "m", "--splits", "rule_by_side", "--episodes", 1)
    assert all(f" {cell} " in out for cell in RULE_BY_SIDE)


def test_cells_of_a_file_of_ones_own_are_played_with_the_settings_around_them(cli, loads):
    file = Path(__file__).parents[2] / "examples" / "cells" / "own_rule.json"
    words = ("--splits", file, "--episodes", 1, "-s", "target=36", "-s", "answer_format=boxed")
    status, out, _ = cli("evaluate", ENV, "--model", "m", *words)
    assert status == 0
    assert all(f" {cell} " in out for cell in json.loads(file.read_text()))


def test_a_request_that_a_server_refuses_leaves_no_log_that_would_refuse_the_corrected_command(cli, tmp_path):
    log = tmp_path / "log.jsonl"
    with serving(lambda asked, _: "a" if asked.body["model"] == "mine" else Fault(404, b"no such model")) as served:
        common = ("--base-url", served.url, *FEW, "--log", log)
        assert is_one_line_error(cli("evaluate", ENV, "--model", "openai:mien", *common), "no such model")
        assert not log.exists()
        assert cli("evaluate", ENV, "--model", "openai:mine", *common)[0] == 0


def test_a_server_that_fails_for_good_leaves_the_finished_episodes_and_the_same_command_goes_on(
    cli, tmp_path, monkeypatch
):
    monkeypatch.setattr("verienv.policies.server.sleep", lambda _: None)
    log = tmp_path / "log.jsonl"
    words = ("evaluate", ENV, "--model", "openai:m", "--splits", "train", "--episodes", 6, "--concurrency", 1)
    words += ("--attempts", 1, "--log", log, "--base-url")
    with serving(lambda _, number: "no" if number < 4 else Fault(500, b"down")) as served:
        status, _, err = cli(*words, served.url)
    assert status == 2
    assert f"status 500 (down), 7 times in a row; see to the server, then go on; finished episodes are in {log}" in err
    with serving(lambda *_: "no") as served:
        assert cli(*words, served.url)[0] == 0
        assert len(served.requests) == 2


def test_an_interruption_ends_the_command_at_once_and_says_where_its_episodes_are(tmp_path):
    log, release, begun = tmp_path / "log.jsonl", threading.Event(), threading.Event()
    words = ["evaluate", ENV, "--model", "openai:m", "--splits", "train", "--log", str(log), "--base-url"]
    with (
        serving(lambda *_: (begun.set(), release.wait(60), "no")[-1]) as served,
        started("-c", "from verienv.cli import main; main()", *words, served.url) as process,
    ):
        try:
            assert begun.wait(60)
            status, out, err = interrupted(process)
        finally:
            release.set()
    assert (status, out) == (130, "")
    assert err == f"verienv: interrupted; finished episodes are in {log}: the same command goes on\n"


def test_an_evaluation_that_was_killed_asks_for_no_finished_episode_again(cli, tmp_path):
    log, release, begun = tmp_path / "log.jsonl", threading.Event(), threading.Event()

    def reply(_, number):
        if number >= 9:  # two episodes at once, of two attempts each: four of them are over
            begun.set()
            release.wait(60)
        return "no"

    words = ["evaluate", ENV, "--model", "openai:m", "--splits", "train", "--episodes", "8", "--attempts", "2"]
    words += ["--concurrency", "2", "--log", str(log), "--base-url"]
    with serving(reply) as served:
        command = [sys.executable, "-c", "from verienv.cli import main; main()", *words, served.url]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ})
        try:
            assert begun.wait(60)
        finally:
            process.kill()
            process.wait()
            release.set()
    finished = {line["episode"] for line in map(json.loads, log.read_text().splitlines()) if line.get("over")}
    assert 3 <= len(finished) <= 4
    with serving(lambda *_: "no") as served:
        assert cli(*words, served.url)[0] == 0
        assert len(served.requests) == 2 * (8 - len(finished))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(line["episode"], line["attempt"]) for line in lines if "episode" in line]
    assert sorted(told) == [(episode, attempt) for episode in range(8) for attempt in (1, 2)]
