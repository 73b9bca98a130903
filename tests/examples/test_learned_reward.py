"""A reward model pays for episodes in the program's place, which does not know of it and is not asked."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.examples.conftest import EXAMPLES, break_off, learning
from typer.testing import CliRunner

import best_of_n
import episodes
import ppo
import verienv
from asking import BestOf, Questions
from run import Run
from sampling import seeds_of
from scoring import CUT, Scorer
from verienv.cli.app import app
from verienv.core.make import make_env
from verienv.core.run_folder import TIMED, RunFolder
from verienv.policies import HuggingFacePolicy, Sampling

PPO = ppo.Arguments(
    attempts=1, episodes=4, minibatch=4, batch=3, group=2, updates=2, save_every=1, probes=2, device="cpu", warm_up=1,
    learning_rate=1e-4, log_with=(),
)  # fmt: skip


def scorer_of(policy: HuggingFacePolicy, folder: Path) -> Path:
    """Save a scorer with a head by chance, in the folder of no run."""
    torch.manual_seed(0)
    scorer = Scorer(policy)
    scorer.gain, scorer.bias = 2.0, 0.5
    scorer.save(folder)
    return folder


@pytest.fixture(scope="module")
def reward(tmp_path_factory):
    return scorer_of(HuggingFacePolicy.load("tiny-lm", device="cpu"), tmp_path_factory.mktemp("scorer") / "scorer")


@pytest.fixture(scope="module")
def trained(reward, tmp_path_factory):
    return ppo.train(replace(PPO, reward=reward, out=tmp_path_factory.mktemp("run") / "run"))


def said(run):
    return [json.loads(line) for line in (run.out / "responses.jsonl").read_text().splitlines()]


def lines(run):
    return [{key: value for key, value in line.items() if key not in TIMED} for line in run.lines()]


def test_episodes_are_paid_the_score_of_their_response(trained, reward):
    scorer = Scorer.load(reward, device="cpu")
    for line in said(trained):
        [message] = verienv.Episode.of(line).messages
        score = scorer([[message, {"role": "assistant", "content": line["response"]}]], [line["ended"]])
        assert line["score"] == pytest.approx(score[0], abs=1e-4)
    for update in trained.lines():
        scores = [line["score"] for line in said(trained) if line["update"] == update["update"]]
        assert update["proxy_reward"] == pytest.approx(sum(scores) / 4)


def test_the_log_holds_nothing_that_the_program_alone_knows(trained):
    for line in trained.lines():
        assert not {"success", "first_attempt", "failures", "reward", "recognition", "held_out_loss"} & line.keys()
        assert {"proxy_reward", "cut_off", "kl", "held_out_kl"} <= line.keys()


def test_what_was_said_is_judged_afterwards_as_answers_to_the_questions_that_ppo_asks(trained):
    dealt = [env_question(seed) for update in range(2) for seed in seeds_of(update, PPO)]
    for line, question in zip(said(trained), dealt, strict=True):
        assert line["instance"] == question.instance
        assert verienv.judge(line, line["response"]) == question.judge(line["response"])
    told = CliRunner().invoke(app, ["verify", str(trained.out / "responses.jsonl"), "--by", "update"]).output
    heading, *rows = [line.split() for line in told.rpartition("\n\n")[2].splitlines()]
    assert heading == ["update", "responses", "correct", "reward", "score"]
    assert [row[:2] for row in rows] == [["1", "4"], ["2", "4"]]


def env_question(seed):
    env = make_env(PPO.env, attempts=1)
    env.reset(seed=seed)
    return env.question


@pytest.mark.parametrize("advantage", ["critic", pytest.param("group", marks=pytest.mark.slow)])
def test_a_run_that_was_cut_off_goes_on_to_what_an_unbroken_one_makes(advantage, reward, trained, tmp_path):
    arguments = replace(PPO, reward=reward, advantage=advantage, out=tmp_path / "cut")
    break_off(lambda: ppo.train(arguments), 2)
    with (tmp_path / "cut/responses.jsonl").open("a") as file:
        file.write('{"torn')
    again = ppo.train(arguments)
    whole = trained if advantage == "critic" else ppo.train(replace(arguments, out=tmp_path / "whole"))
    assert lines(again) == lines(whole)
    assert said(again) == said(whole)
    assert len(said(again)) == 8


def test_responses_that_are_gone_stop_a_run_that_goes_on(reward, trained, tmp_path, stopped):
    arguments = replace(PPO, reward=reward, updates=3, out=trained.out)
    assert "other arguments" in stopped(lambda: ppo.train(arguments))
    run = Run(tmp_path / "run", PPO)
    (run.out / "responses.jsonl").write_text("{}\n{}\n{}")
    with pytest.raises(ValueError, match="ends after 2 lines, where 3 are due; put back what was there"):
        run.cut_file("responses.jsonl", 3)


def test_a_response_that_is_cut_off_is_paid_a_fixed_low_score(reward, tmp_path):
    run = ppo.train(replace(PPO, reward=reward, max_new_tokens=3, updates=1, probes=0, out=tmp_path / "run"))
    assert {line["score"] for line in said(run)} == {CUT}
    assert run.lines()[0]["cut_off"] == 1.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"attempts": 5}, "--attempts 5 with --reward: a reward model pays for one answer"),
        ({"held_out": Path("rows.jsonl")}, "--held-out with --reward"),
        ({"reward": Path("nowhere")}, "nowhere holds no reward model; make one with examples/reward.py"),
    ],
)
def test_what_a_reward_model_cannot_pay_for_is_refused(change, told, reward, tmp_path, stopped):
    arguments = replace(PPO, **{"reward": reward, "out": tmp_path / "run", **change})
    assert told in stopped(lambda: ppo.train(arguments))


def test_routes_whose_answers_lead_to_further_questions_are_refused_and_their_waypoints_asked():
    with pytest.raises(ValueError, match=r"on routes set episode=waypoint \(-s episode=waypoint\)"):
        Questions("verienv/VIRL-L-v0", city="grid-7", attempts=1)
    row, dialogue = Questions("verienv/VIRL-L-v0", city="grid-7", attempts=1, episode="waypoint").ask(3)
    question = verienv.Question.from_row(row)
    assert (question.instance, dialogue[-1]["role"]) == (row["instance"], "user")
    assert verienv.judge(row, question.expert()).is_correct


def test_a_score_that_is_not_finite_ends_the_run(reward, tmp_path, monkeypatch, stopped):
    monkeypatch.setattr(Scorer, "raw", lambda _, rows, *__: torch.full((len(rows),), math.nan))
    arguments = replace(PPO, reward=reward, out=tmp_path / "run")
    assert "the reward is not finite in update 1" in stopped(lambda: ppo.train(arguments))
    assert not (tmp_path / "run/responses.jsonl").read_text()


def test_a_model_that_sees_is_paid_by_one_that_sees(seeing, llava, tmp_path):
    reward = scorer_of(HuggingFacePolicy.load(llava, device="cpu"), tmp_path / "scorer")
    run = ppo.train(
        replace(
            PPO, model=llava, env="verienv/GeneralPoints-VL-v0", settings=("image_size=112",), reward=reward, updates=1,
            episodes=2, max_new_tokens=12, probes=1, out=tmp_path / "run",
        )
    )  # fmt: skip
    assert all(line["vision"] for line in said(run))


BLIND = """
import sys
opened = []
sys.addaudithook(lambda name, given: opened.append(str(given[0])) if name == "open" else None)
import verienv.generalpoints.question as room, verienv.generalpoints.verifier as verifier

def judged(*_, **__):
    raise SystemExit("the verifier was asked")

room.GeneralPointsQuestion.judge = verifier.judge_formula = judged
sys.path.insert(0, {examples!r})
from pathlib import Path
import reward, ppo, best_of_n, torch
torch.set_num_threads(1)
few = dict(updates=1, device="cpu", warm_up=1, log_with=(), micro_batch=4)
run = reward.train(reward.Arguments(pairs=Path("pairs"), batch=4, out=Path("reward"), **few))
ppo.train(ppo.Arguments(reward=run.out, attempts=1, episodes=4, minibatch=4, batch=4, probes=2, out=Path("ppo"), **few))
best_of_n.main(best_of_n.Arguments(reward=run.out, questions=1, n=2, device="cpu", out=Path("best")))
assert [path for path in opened if path.endswith("labels.jsonl")]
assert not [path for path in opened if "verdicts" in path]
print("blind")
"""


def test_neither_the_verifier_nor_its_verdicts_are_asked_in_training(tmp_path):
    from tests.examples.test_reward import pairs_in

    pairs_in(tmp_path / "pairs", PPO.env)
    (tmp_path / "pairs-verdicts.jsonl").write_text("secret")
    code = BLIND.format(examples=str(EXAMPLES))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["blind"], done.stderr


def test_the_program_pays_as_before_without_a_reward_model(tmp_path):
    run = ppo.train(replace(PPO, updates=1, probes=0, out=tmp_path / "run"))
    assert "success" in run.lines()[0]
    assert not (run.out / "responses.jsonl").exists()
    assert isinstance(episodes.Judged(learning(PPO), run, {"attempts": 1}, None).envs[0], verienv.VerifiedEnv)


BEST = best_of_n.Arguments(questions=6, n=4, batch=4, temperature=1.5, max_new_tokens=40, device="cpu")


def test_the_best_of_n_is_the_mean_over_all_choices_of_n():
    scores, values = np.random.default_rng(0).normal(size=(2, 3, 5))
    for n in (1, 2, 3, 5):
        means = [
            values[row, max(some, key=lambda at: scores[row, at])]
            for row in range(3)
            for some in combinations(range(5), n)
        ]
        assert best_of_n.picked(scores, values, n) == pytest.approx(np.mean(means))


def test_the_best_of_n_is_picked_blind_and_judged_afterwards(reward, tmp_path, monkeypatch):
    arguments = replace(BEST, reward=reward, out=tmp_path / "best")
    monkeypatch.setattr(verienv, "judge", lambda *_: pytest.fail("the verifier was asked"))
    picked = best_of_n.main(arguments)
    monkeypatch.undo()
    assert [line.keys() for line in picked] == [{"n", "kl", "proxy"}] * 3
    assert [line["n"] for line in picked] == [1, 2, 4]
    assert [line["kl"] for line in picked] == pytest.approx([0, math.log(2) - 0.5, math.log(4) - 0.75])
    assert picked[0]["proxy"] < picked[1]["proxy"] < picked[2]["proxy"]
    judged = best_of_n.main(best_of_n.Arguments(judge=True, out=arguments.out))
    assert [{name: line[name] for name in ("n", "kl", "proxy")} for line in judged] == picked
    right = [verienv.judge(line, line["response"]).is_correct for line in said(SimpleNamespace(out=arguments.out))]
    assert judged[0]["success"] == pytest.approx(np.mean(right))
    assert json.loads((arguments.out / "best_of_n.json").read_text()) == judged


def test_responses_that_are_none_of_best_of_n_are_one_line(reward, tmp_path):
    out = tmp_path / "best"
    best_of_n.main(replace(BEST, reward=reward, out=out, questions=2, n=2))
    config, lines = (
        json.loads((out / "config.json").read_text()),
        (out / "responses.jsonl").read_text().splitlines(True),
    )
    for damaged in (
        "",
        "".join(lines[1:]),
        "{" + "".join(lines),
        "".join(lines).replace('"score"', '"skore"'),
        "[]\n" * 4,
    ):
        (out / "responses.jsonl").write_text(damaged)
        with pytest.raises(ValueError, match="are no whole run of best of n; sample again"):
            best_of_n.main(best_of_n.Arguments(judge=True, out=out))
    (out / "responses.jsonl").write_text("".join(lines))
    del config["arguments"]["n"]
    (out / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="are no whole run of best of n; sample again"):
        best_of_n.main(best_of_n.Arguments(judge=True, out=out))


def test_an_interrupted_best_of_n_goes_on_to_what_an_unbroken_one_makes(reward, tmp_path, monkeypatch):
    few = replace(BEST, reward=reward, questions=3, n=2, batch=2)
    whole, cut = (replace(few, out=tmp_path / name) for name in ("whole", "cut"))
    expected = best_of_n.main(whole)
    log = RunFolder.log
    monkeypatch.setattr(RunFolder, "log", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        best_of_n.main(cut)
    monkeypatch.setattr(RunFolder, "log", log)
    assert best_of_n.main(cut) == expected
    assert (cut.out / "responses.jsonl").read_text() == (whole.out / "responses.jsonl").read_text()


def test_the_best_of_n_is_a_policy_that_says_what_scores_highest(policy, reward):
    scorer, asked = Scorer.load(reward, device="cpu"), [env_question(seed).messages("Make 24.") for seed in (1, 2)]
    drawing = replace(policy, sampling=Sampling(1.5))
    responses = drawing.responses([each for each in asked for _ in range(3)])
    several, ended = [drawing.text(one) for one in responses], [one[-1] in drawing.stops for one in responses]
    spoken = [[*asked[at // 3], {"role": "assistant", "content": text}] for at, text in enumerate(several)]
    scores = scorer(spoken, ended)
    best = [several[0:3][scores[0:3].argmax()], several[3:6][scores[3:6].argmax()]]
    assert BestOf(drawing, scorer, 3)(asked) == best
    with pytest.raises(ValueError, match=r"a temperature to draw n with"):
        BestOf(policy, scorer, 2)


@pytest.mark.slow
def test_two_processes_pay_for_their_shares_and_write_all_of_them_down(reward, tmp_path):
    from tests.examples.test_processes import launched

    options = "--attempts 1 --episodes 5 --minibatch 4 --updates 2 --save-every 1 --probes 2 --device cpu --warm-up 1"
    out = ["--reward", str(reward), "--out", str(tmp_path / "run")]
    told, ended = launched(["--multi_gpu", "--num_processes", "2"], EXAMPLES / "ppo.py", *options.split(), *out)
    assert ended, told
    run = SimpleNamespace(out=tmp_path / "run")
    seeds = [seed for update in range(2) for seed in seeds_of(update, replace(PPO, episodes=5))]
    assert [line["seed"] for line in said(run)] == seeds
    log = [json.loads(line) for line in (run.out / "log.jsonl").read_text().splitlines()]
    for at, line in enumerate(log):
        assert line["proxy_reward"] == pytest.approx(np.mean([one["score"] for one in said(run)[5 * at : 5 * at + 5]]))
