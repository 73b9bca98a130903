"""Every command works on every task, also on one that only its module registers."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.playing import EXAMPLES, Case, each_case, expert, script

from verienv import Question
from verienv.cli import run
from verienv.core import tasks

CLI = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CLI:
    """Run a command in the folder of the examples: status, stdout, stderr."""
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*arguments: Any) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def settings(case: Case) -> list[str]:
    return [word for name, value in case.settings.items() for word in ("-s", f"{name}={json.dumps(value)}")]


def test_envs_lists_every_environment_with_its_splits(cli: CLI) -> None:
    status, out, err = cli("envs")
    assert (status, err) == (0, "")
    for task in tasks.every():
        for env_id in (*task.environments, *task.numeric):
            assert env_id in out
    assert out.count("train, test") >= len(tasks.every())


@each_case
def test_envs_tells_every_setting_of_a_task_with_a_meaning(case: Case, cli: CLI) -> None:
    _, out, _ = cli("envs")
    lines = [line for line in out.splitlines() if line.strip()]
    for name in case.make().settings.model_fields:
        found = [line.split(maxsplit=1) for line in lines if line.split()[0] == name]
        assert found
        assert all(rest for _, *rest in found), name


@each_case
def test_show_tells_the_question_that_reset_deals(case: Case, cli: CLI) -> None:
    status, out, err = cli("show", case.full_id, "--seed", 3, *settings(case))
    env = case.make()
    observation, info = env.reset(seed=3)
    assert (status, err) == (0, "")
    assert observation["text"] in out
    assert info["instance"] in out


@each_case
def test_show_with_answer_tells_the_experts_words_and_their_verdict(case: Case, cli: CLI) -> None:
    status, out, err = cli("show", case.full_id, "--answer", *settings(case))
    assert (status, err) == (0, "")
    assert case.begun().expert_response(steps=True) in out
    assert "is_correct  true" in out


@each_case
def test_show_writes_replay_sheet_picture_and_map(case: Case, cli: CLI, tmp_path: Path) -> None:
    asked = {"--replay": tmp_path / "replay.html", "--sheet": tmp_path / "sheet.png"}
    asked |= {"--image": tmp_path / "picture.png"} if case.vision else {}
    asked |= {"--map": tmp_path / "map.png"} if case.task.has_map else {}
    words = [word for option in asked.items() for word in option]
    status, _, err = cli("show", case.full_id, *words, *settings(case))
    assert (status, err) == (0, "")
    assert all(path.stat().st_size > 100 for path in asked.values())


@each_case
def test_play_counts_what_is_typed_and_reveals_on_giving_up(
    case: Case, cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = case.rows(n=1)
    right, rewards = script({**row, "seed": 3}, expert)
    env = case.begun(seed=3)
    env.reset()
    rewards.append(env.judge(case.task.typed(env.question, "no idea")).reward)
    typed = iter([*right, "no idea", "give up", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    status, out, err = cli("play", case.full_id, "--seed", 3, *settings(case))
    assert (status, err) == (0, "")
    noun, solved = case.task.noun, case.task.solved
    assert f"1 of 3 {noun}s {solved}, total reward {sum(rewards):g}." in out
    assert out.count("Reward ") == len(right) + 1
    assert f"Reward {rewards[0]:+g}." in out


@each_case
def test_verify_scores_a_file_of_rows_with_responses(case: Case, cli: CLI, tmp_path: Path) -> None:
    lines, file, verdicts = [], tmp_path / "responses.jsonl", tmp_path / "verdicts.jsonl"
    for row in case.rows(n=3, unit="question"):
        lines += [{**row, "response": text} for text in (Question.from_row(row).expert(), "\ud800 nothing")]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    status, out, err = cli("verify", file, "--out", verdicts)
    assert (status, err) == (0, "")
    assert "correct" in out
    assert "50.0%" in out
    judged = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    assert [line["is_correct"] for line in judged] == [True, False] * 3


@each_case
@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_demos_are_written_line_by_line(case: Case, kind: str, cli: CLI, tmp_path: Path) -> None:
    file = tmp_path / "demos.jsonl"
    status, out, err = cli("demos", case.full_id, "--kind", kind, "-n", 3, "--out", file, *settings(case))
    assert (status, out) == (0, "")
    assert err.startswith("3 rows in ")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["reward"] for row in rows] == [case.begun().best_reward] * 3
    for row in rows:
        assert len(row.get("images", ())) == case.vision
        assert all((tmp_path / image).is_file() for image in row.get("images", ()))


@each_case
def test_evaluate_measures_the_expert_and_goes_on_with_its_log(case: Case, cli: CLI, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    words = ("evaluate", case.full_id, "--baseline", "expert", "--splits", "train,test", "--episodes", 2, "--log", log)
    status, first, err = cli(*words, *settings(case))
    assert (status, err) == (0, "")
    assert len(re.findall(r"(?:train|test) .*\b100\b", first)) >= 2
    written = log.read_bytes()
    status, second, err = cli(*words, *settings(case))
    assert (status, second) == (0, first)
    assert err == f"going on with {log}\n"
    assert log.read_bytes() == written


@each_case
def test_a_log_is_replayed(case: Case, cli: CLI, tmp_path: Path) -> None:
    log, page = tmp_path / "log.jsonl", tmp_path / "replay.html"
    own = settings(case)
    cli("evaluate", case.full_id, "--baseline", "constant", "--splits", "test", "--episodes", 1, "--log", log, *own)
    status, out, err = cli("show", case.full_id, "--responses", log, "--replay", page, *own)
    assert (status, err) == (0, "")
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[1])["instance"] in out
    assert page.stat().st_size > 1000


@each_case
def test_a_wrong_setting_is_an_error_of_one_line(case: Case, cli: CLI) -> None:
    status, out, err = cli("show", case.full_id, "-s", "atempts=2")
    assert (status, out) == (2, "")
    assert "did you mean 'attempts'?" in err
    assert err.count("\n") == 1


def test_a_fresh_command_finds_a_task_in_the_current_folder() -> None:
    code = "import sys; from verienv.cli import run; sys.exit(run(sys.argv[1:]))"
    words = ["show", "my_task:mine/Countdown-v0", "--answer"]
    found = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=EXAMPLES, capture_output=True, text=True, check=True
    )
    assert "[countdown:" in found.stdout
    assert "is_correct  true" in found.stdout
