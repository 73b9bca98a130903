import json
import re
import subprocess
import sys
from math import isnan
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest

from verienv.core.env import VerifiedEnv
from verienv.core.verdict import Metric, Verdict
from verienv.evaluation import Evaluation, compare, evaluate
from verienv.evaluation.cells import episode_seed
from verienv.evaluation.tables import percent
from verienv.generalpoints import RULE_BY_SIDE, Dealing, Puzzle, verify
from verienv.generalpoints.answers import expert_answer
from verienv.generalpoints.rules import PRESETS
from verienv.generalpoints.sampler import hands

ENV = "verienv/GeneralPoints-L-v0"
NONSENSE = "I do not know."


def nonsense(dialogues):
    return [NONSENSE] * len(dialogues)


def solve_from_text(dialogue, rule=None):
    """What an able policy does: read rule and cards in the question and answer, under ``rule`` if one is given."""
    _, told, cards, *_ = dialogue[0]["content"].splitlines()
    stated = {face: int(number) for face, number in re.findall(r"([JQK]) = (\d+)", told)}
    return expert_answer(Puzzle(tuple(cards.removeprefix("Cards: ").split(", ")), rule=rule or stated))


def solves_at_second_attempt(dialogues):
    return [solve_from_text(dialogue) if len(dialogue) > 1 else NONSENSE for dialogue in dialogues]


def ignores_the_stated_rule(dialogues):
    answers = []
    for dialogue in dialogues:
        try:
            answers.append(solve_from_text(dialogue, rule="ten"))
        except ValueError:  # no solution where J, Q and K are 10
            answers.append(NONSENSE)
    return answers


def is_solved_by_hash(dialogues):
    """A policy with successes and failures that depend on the dialogue alone."""
    return [
        solve_from_text(dialogue) if sum(map(ord, dialogue[0]["content"])) % 3 == 0 else NONSENSE
        for dialogue in dialogues
    ]


def test_the_expert_solves_every_cell_at_once():
    result = evaluate("expert", ENV, RULE_BY_SIDE, episodes=20)
    assert {cell.metrics["success"].mean for cell in result.cells.values()} == {1.0}
    assert {cell.metrics["first_success"].mean for cell in result.cells.values()} == {1.0}
    assert all(not cell.failures for cell in result.cells.values())


def test_the_constant_baseline_gives_one_response_everywhere(tmp_path):
    evaluate("constant", ENV, ["train"], episodes=5, log=tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()[1:]
    assert len({json.loads(line)["response"] for line in lines}) == 1


def test_solving_at_the_second_attempt_is_success_but_no_first_success():
    cell = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=10).cells["train"]
    assert cell.metrics["success"].mean == 1.0
    assert cell.metrics["first_success"].mean == 0.0
    assert cell.metrics["attempts"].mean == 2.0
    assert cell.metrics["reward"].mean == 5.0 - 3.0
    assert cell.failures == {"unreadable": 10}


def test_metrics_are_those_of_the_first_attempt():
    cell = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=10).cells["train"]
    assert cell.metrics["formula_valid"].mean == 0.0


def test_failures_are_counted_over_all_attempts_and_over_first_ones():
    cell = evaluate(nonsense, ENV, ["train"], episodes=10).cells["train"]
    assert cell.failures == {"unreadable": 50}
    assert cell.first_failures == {"unreadable": 10}


def test_a_policy_that_ignores_the_rule_is_told_by_rule_reading():
    faces = {"rule": "rank", "split": "rule_ood", "side": "all"}
    cell = evaluate(ignores_the_stated_rule, ENV, {"faces": faces}, episodes=20).cells["faces"]
    assert cell.metrics["numbers_correct"].mean == 0.0


def test_batches_stay_full_until_the_last_episodes():
    sizes = []

    def policy(dialogues):
        sizes.append(len(dialogues))
        return is_solved_by_hash(dialogues)

    result = evaluate(policy, ENV, ["train", "test"], episodes=15, batch_size=8)
    asked = sum(len(episode.failures) for episode in result.episodes)
    assert sum(sizes) == asked
    assert all(size == 8 for size in sizes[: (asked - 8 * 5) // 8])
    assert max(sizes) == 8


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_the_outcome_does_not_depend_on_the_batch_size(batch_size):
    one = evaluate(is_solved_by_hash, ENV, episodes=12, batch_size=5)
    other = evaluate(is_solved_by_hash, ENV, episodes=12, batch_size=batch_size)
    assert one == other


def test_two_policies_meet_the_same_instances():
    one, other = evaluate(nonsense, ENV, episodes=10, seed=4), evaluate("expert", ENV, episodes=10, seed=4)
    assert [episode.instance for episode in one.episodes] == [episode.instance for episode in other.episodes]


def test_another_seed_deals_other_instances():
    one, other = evaluate("expert", ENV, episodes=10, seed=4), evaluate("expert", ENV, episodes=10, seed=5)
    assert [episode.instance for episode in one.episodes] != [episode.instance for episode in other.episodes]


def test_fewer_episodes_are_the_first_of_more():
    few, more = evaluate("expert", ENV, ["test"], episodes=4), evaluate("expert", ENV, ["test"], episodes=9)
    assert few.episodes == more.episodes[:4]


def test_neighbouring_seeds_share_no_episode():
    seeds = [episode_seed(seed, episode) for seed in range(20) for episode in range(20)]
    assert len(set(seeds)) == 400


def test_cells_named_by_splits_are_the_splits():
    result = evaluate("expert", ENV, ["rule_ood"], episodes=10)
    assert all(set(episode.instance.split(":")[1].split("-")) & set("JQK") for episode in result.episodes)


def test_settings_reach_every_cell_and_a_cells_own_come_first():
    cells = {"short": {"attempts": 1}, "long": {}}
    result = evaluate(nonsense, ENV, cells, episodes=3, attempts=2)
    assert {cell: result.cells[cell].metrics["attempts"].mean for cell in cells} == {"short": 1.0, "long": 2.0}


def test_listed_instances_are_dealt_in_their_order_once_each():
    ids = ["generalpoints:A-4-J-Q:24", "generalpoints:4-3-2-K:24"]
    result = evaluate(nonsense, ENV, {"pairs": {"instances": ids, "side": "all"}}, episodes=50)
    assert [episode.instance for episode in result.episodes] == ids


def test_a_cell_may_have_a_number_of_episodes_of_its_own():
    cells = {"few": {"split": "train"}, "many": {"split": "train", "episodes": 7}}
    result = evaluate(nonsense, ENV, cells, episodes=3)
    assert {name: cell.episodes for name, cell in result.cells.items()} == {"few": 3, "many": 7}
    dealt = {name: [one.instance for one in result.episodes if one.cell == name] for name in cells}
    assert dealt["many"][:3] == dealt["few"]
    assert result.setup.cells["many"]["episodes"] == 7


def test_clusters_are_the_problems_not_the_hands():
    ids = [f"generalpoints:4-3-2-{face}:24" for face in ("10", "J", "Q", "K")]
    result = evaluate(nonsense, ENV, {"one problem": {"instances": ids}})
    assert result.cells["one problem"].clusters == 1
    assert isnan(compare(result, result).cells["one problem"].metrics["success"].low)


def test_compare_gives_paired_differences():
    before, after = evaluate(nonsense, ENV, episodes=20), evaluate("expert", ENV, episodes=20)
    difference = compare(before, after).cells["train"]
    assert difference.metrics["success"] == (1.0, 1.0, 1.0)
    assert difference.improves()
    assert compare(after, before).cells["train"].worsens()


def test_a_policy_does_not_improve_on_itself():
    result = evaluate(is_solved_by_hash, ENV, ["train"], episodes=20)
    difference = compare(result, result).cells["train"]
    assert not difference.improves()
    assert not difference.worsens()


def test_pairing_narrows_the_interval_of_a_difference_that_lies_in_few_episodes():
    def a_little_better(dialogues):
        return [
            solve_from_text(dialogue) if sum(map(ord, dialogue[0]["content"])) % 13 == 1 else response
            for dialogue, response in zip(dialogues, is_solved_by_hash(dialogues), strict=True)
        ]

    before, after = (evaluate(policy, ENV, ["train"], episodes=120) for policy in (is_solved_by_hash, a_little_better))
    shares = [result.cells["train"].metrics["success"] for result in (before, after)]
    assert shares[0].high > shares[1].low
    assert compare(before, after).cells["train"].improves()


def test_compare_refuses_different_instances():
    one, other = evaluate(nonsense, ENV, episodes=5), evaluate(nonsense, ENV, episodes=5, seed=1)
    with pytest.raises(ValueError, match="do not hold the same instances"):
        compare(one, other)


def test_compare_refuses_evaluations_without_a_common_cell():
    one, other = evaluate(nonsense, ENV, ["train"], episodes=2), evaluate(nonsense, ENV, ["test"], episodes=2)
    with pytest.raises(ValueError, match="share no cell"):
        compare(one, other)


def test_counterfactual_cells_are_compared_hand_by_hand():
    both = Dealing(rule=PRESETS["ten"], stated_rule=PRESETS["rank"], face_cards="condition", side="test")
    ids = [f"generalpoints:{'-'.join(hand)}:24" for hand in hands(both)[:30]]
    cells = {rule: {"instances": ids, "side": "all", "rule": rule} for rule in ("ten", "rank")}
    result = evaluate(ignores_the_stated_rule, ENV, cells)
    difference = compare(result, result, {"ten": "rank"}).cells["rank - ten"]
    assert difference.pairs == 30
    assert difference.metrics["success"].mean == -1.0


def test_pairs_of_one_problem_on_either_side_share_a_cluster():
    from verienv.evaluation.comparison import joint_clusters

    first, second, third, apart = joint_clusters(["a", "a", "b", "c"], ["x", "y", "y", "z"])
    assert first == second == third != apart


def test_the_log_holds_every_response_with_its_whole_verdict(tmp_path):
    log = tmp_path / "runs" / "log.jsonl"
    result = evaluate(solves_at_second_attempt, ENV, ["train"], episodes=4, log=log, name="second")
    header, *lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert header["setup"] == result.setup.model_dump(mode="json")
    assert header["setup"]["policy"] == "second"
    assert [line["attempt"] for line in lines] == [1, 2] * 4
    for line in lines:
        ranks = tuple(line["instance"].split(":")[1].split("-"))
        assert line["verdict"] == verify(line["response"], Puzzle(ranks)).model_dump(mode="json")


def test_without_a_log_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evaluate("expert", ENV, episodes=2)
    assert not list(tmp_path.iterdir())


class Interrupted:
    """A policy that is cut off at its n-th batch, and counts what it is asked."""

    def __init__(self, at=None):
        self.at, self.batches, self.asked = at, 0, 0

    def __call__(self, dialogues):
        self.batches += 1
        if self.batches == self.at:
            raise KeyboardInterrupt
        self.asked += len(dialogues)
        return is_solved_by_hash(dialogues)


def run(policy, log=None):
    return evaluate(policy, ENV, ["train", "test"], episodes=10, batch_size=4, log=log)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    log, whole = tmp_path / "log", Interrupted()
    expected = run(whole)
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(at=8), log)
    finished = {(line["cell"], line["episode"]) for line in map(json.loads, log.read_text().splitlines()[1:])}
    rest = Interrupted()
    assert run(rest, log) == expected
    assert finished
    played = sum(len(e.failures) for e in expected.episodes if (e.cell, e.episode) not in finished)
    assert rest.asked == played < whole.asked


def test_a_resumed_log_tells_each_attempt_once(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(at=8), log)
    run(Interrupted(), log)
    lines = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    told = [(line["cell"], line["episode"], line["attempt"]) for line in lines]
    assert len(set(told)) == len(told) == sum(len(e.failures) for e in run(Interrupted()).episodes)


def test_a_finished_log_is_read_back_without_asking_the_policy(tmp_path):
    expected, silent = run(Interrupted(), tmp_path / "log"), Interrupted()
    assert run(silent, tmp_path / "log") == expected
    assert silent.batches == 0


@pytest.mark.parametrize("kept", range(0, 100, 9))
def test_a_log_cut_off_anywhere_is_gone_on_with(tmp_path, kept):
    log = tmp_path / "log"
    expected = run(Interrupted(), log)
    data = log.read_bytes()
    log.write_bytes(data[: len(data) * kept // 100])
    assert run(Interrupted(), log) == expected
    assert len(log.read_bytes().splitlines()) == len(data.splitlines())


def in_a_process(program, log):
    """Run ``program`` beside this module; it may name the log ``sys.argv[2]``."""
    head = "import os, resource, sys; sys.path.insert(0, sys.argv[1]); import test_evaluation as t\n"
    command = [sys.executable, "-c", head + program, str(Path(__file__).parent), str(log)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_killed_process_leaves_a_log_to_go_on_with(tmp_path):
    program = (
        "policy = t.Interrupted()\n"
        "def killed(dialogues):\n"
        "    if policy.batches == 7: os.kill(os.getpid(), 9)\n"
        "    return policy(dialogues)\n"
        "t.run(killed, sys.argv[2])\n"
    )
    assert in_a_process(program, tmp_path / "log").returncode == -9
    rest, expected = Interrupted(), run(whole := Interrupted())
    assert run(rest, tmp_path / "log") == expected
    assert rest.asked < whole.asked


def test_a_full_disk_is_an_error_that_says_what_to_do_and_keeps_what_was_logged(tmp_path):
    program = "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); t.run(t.Interrupted(), sys.argv[2])"
    failed = in_a_process(program, tmp_path / "log")
    assert "make room and run again" in failed.stderr.splitlines()[-1]
    rest, expected = Interrupted(), run(whole := Interrupted())
    assert run(rest, tmp_path / "log") == expected
    assert rest.asked < whole.asked


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "seed 0 instead of 1"),
        ({"episodes": 3}, "episodes 2 instead of 3"),
        ({"splits": ["test"]}, "cells"),
        ({"attempts": 2}, "cells"),
        ({"name": "other"}, "policy '' instead of 'other'"),
    ],
)
def test_a_log_of_another_setup_is_refused_and_kept(tmp_path, change, told):
    log = tmp_path / "log"
    arguments = {"splits": ["train"], "episodes": 2, "log": log}
    evaluate(nonsense, ENV, **arguments)
    data = log.read_bytes()
    with pytest.raises(ValueError, match=told):
        evaluate(nonsense, ENV, **arguments | change)
    assert log.read_bytes() == data


def test_a_log_of_another_version_is_refused(tmp_path, monkeypatch):
    evaluate(nonsense, ENV, ["train"], episodes=2, log=tmp_path / "log")
    monkeypatch.setattr("verienv.__version__", "99")
    with pytest.raises(ValueError, match="instead of 99"):
        evaluate(nonsense, ENV, ["train"], episodes=2, log=tmp_path / "log")


@pytest.mark.parametrize("content", ["my notes", "my notes\n", '{"a": 1}\n', "[]\n", '{"setup": {}}\n'])
def test_a_file_that_is_no_log_is_refused_and_kept(tmp_path, content):
    (tmp_path / "notes").write_text(content)
    with pytest.raises(ValueError, match="is no evaluation's log"):
        evaluate(nonsense, ENV, episodes=2, log=tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == content


def test_damage_within_a_log_is_named_by_line(tmp_path):
    log = tmp_path / "log"
    evaluate(nonsense, ENV, ["train"], episodes=2, log=log)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:3], "damage\n", *lines[4:]]))
    with pytest.raises(ValueError, match="line 4"):
        evaluate(nonsense, ENV, ["train"], episodes=2, log=log)


def test_a_saved_evaluation_comes_back_whole(tmp_path):
    result = evaluate(is_solved_by_hash, ENV, episodes=10)
    result.save(tmp_path / "result.json")
    assert Evaluation.load(tmp_path / "result.json") == result


def test_a_file_that_is_no_evaluation_is_refused_by_load(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="is no saved evaluation"):
        Evaluation.load(tmp_path / "other.json")


def test_a_failed_save_leaves_the_earlier_file(tmp_path, monkeypatch):
    result = evaluate("expert", ENV, ["train"], episodes=2)
    result.save(tmp_path / "result.json")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        result.save(tmp_path / "result.json")
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert Evaluation.load(tmp_path / "result.json").episodes == result.episodes


def test_the_markdown_names_cells_metrics_and_failures():
    text = evaluate(nonsense, ENV, RULE_BY_SIDE, episodes=10, name="nonsense").markdown()
    assert "policy nonsense" in text
    for word in (*RULE_BY_SIDE, "success", "1st attempt", "rule reading", "validity", "unreadable", "0.0 (0.0.."):
        assert word in text


def test_markdown_rows_have_as_many_columns_as_the_head():
    text = evaluate(nonsense, ENV, {"a|b": {}}, episodes=3).markdown()
    first = [line.replace("\\|", "") for line in text.split("\n\n")[2].splitlines()]
    assert len({line.count("|") for line in first}) == 1


def test_the_terminal_table_fits_its_width():
    result = evaluate(is_solved_by_hash, ENV, RULE_BY_SIDE, episodes=10)
    assert max(len(line) for line in result.table(100).splitlines()) <= 100


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_terminal_table_leaves_nothing_out_at_any_width(width):
    result = evaluate(is_solved_by_hash, ENV, RULE_BY_SIDE, episodes=10)
    said = result.table(width)
    assert "…" not in said
    for cell in RULE_BY_SIDE:
        assert cell in said
    metrics = result.cells["seen hands, 11-12-13"].metrics
    for shown in ("success", "first_success", "cards_correct", "numbers_correct", "formula_valid"):
        for part in percent(metrics[shown]).split(" "):
            assert part in said


def test_without_rich_the_terminal_table_is_the_markdown_table(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.box", None)
    result = evaluate(nonsense, ENV, ["train"], episodes=3)
    assert str(result) == result.markdown()


def test_a_progress_bar_is_drawn_when_wanted_and_else_not(capsys):
    evaluate("expert", ENV, ["train"], episodes=3)
    assert capsys.readouterr().err == ""
    evaluate("expert", ENV, ["train"], episodes=3, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_without_tqdm_there_is_no_progress_bar_and_no_error(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    evaluate("expert", ENV, ["train"], episodes=3, progress=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"episodes": 0}, "episodes=0"),
        ({"episodes": 2.0}, "episodes=2.0"),
        ({"seed": -1}, "seed=-1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"splits": []}, "splits is empty"),
        ({"splits": ["trian"]}, "split='trian'"),
        ({"splits": {"mine": "train"}}, "is no cell"),
        ({"splits": {"mine": {"instances": []}}}, "instances"),
        ({"splits": {"mine": {"split": "train", "episodes": 0}}}, "episodes=0"),
        ({"splits": {"mine": {"instances": "generalpoints:A-4-J-Q:24"}}}, "list of at least one"),
        ({"splits": {"mine": {"instances": ["virl:1"]}}}, "is no GeneralPoints instance"),
        ({"atempts": 3}, "did you mean 'attempts'"),
        ({"env_id": "verienv/GeneralPoint-L-v0"}, "GeneralPoint"),
        ({"env_id": "CartPole-v1"}, "no verienv environment"),
        ({"policy": "oracle"}, "expert, constant"),
    ],
)
def test_wrong_arguments_are_named(arguments, told):
    with pytest.raises(ValueError, match=told):
        evaluate(**{"policy": nonsense, "env_id": ENV} | arguments)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (lambda dialogues: dialogues[1:], "2 responses to 3 dialogues"),
        (lambda dialogues: "one", "returned a str"),
        (lambda dialogues: None, "returned a NoneType"),
        (lambda dialogues: [None] * len(dialogues), "NoneType as a response"),
    ],
)
def test_a_policy_that_does_not_answer_each_dialogue_is_named(answers, told):
    with pytest.raises(ValueError, match=told):
        evaluate(answers, ENV, ["train"], episodes=3)


# Several questions an episode


class Walk(VerifiedEnv):
    """A route such as "ffrf": each letter is a step, asked for and answered one by one."""

    idle_metrics: ClassVar[dict[str, Metric]] = {"is_turn": False}
    metric_headings: ClassVar[dict[str, str]] = {
        "steps": "per step",
        "steps_per_episode": "mean per route",
        "turns": "at turns",
        "progress": "way done",
    }
    ratios: ClassVar[dict[str, tuple[str, str]]] = {
        "steps": ("is_correct", "attempt"),
        "turns": ("is_correct", "is_turn"),
        "due": ("is_turn", "attempt"),
    }
    outcomes = ("progress",)
    failures = ("wrong",)
    best_reward = 1.0

    def __init__(self, attempts: int = 2, settings: str = "", render_mode: str | None = None) -> None:
        super().__init__(attempts, 64, render_mode)

    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        self.route = "".join(rng.choice(list("fffr"), size=int(rng.integers(2, 9)))) if instance is None else instance
        self.at = 0
        return self.route

    def _question(self) -> str:
        return f"{self.at} of {self.route}"

    def _advance(self) -> bool:
        self.at += 1
        return self.at == len(self.route)

    def judge(self, response: str) -> Verdict:
        due = self.route[self.at]
        right = response == due
        failure = "" if right else "wrong"
        return Verdict(reward=float(right), is_correct=right, failure=failure, metrics={"is_turn": due == "r"})

    def expert_response(self, *, steps: bool = False) -> str:
        return self.route[self.at]

    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        return "?"

    @property
    def cluster(self) -> str:
        return self.route

    def _info(self) -> dict[str, Any]:
        return {**super()._info(), "progress": self.at / len(self.route)}


WALK = "tests/Walk-v0"


@pytest.fixture(autouse=True, scope="module")
def _walk_is_registered():
    gym.register(WALK, entry_point=Walk)
    yield
    del gym.registry[WALK]


def straight_on(dialogues):
    return ["f"] * len(dialogues)


def turns_late(dialogues):
    """Right at the second attempt where a turn is due."""
    return ["r" if len(dialogue) > 1 else "f" for dialogue in dialogues]


def walked(policy, *routes, **settings):
    return evaluate(policy, WALK, {"walks": {"instances": list(routes)}}, **settings)


def test_over_several_questions_ratios_pool_the_attempts_of_all_episodes():
    metrics = walked(straight_on, "ffffffff", "r", "ffr").cells["walks"].metrics
    assert metrics["steps"].mean == (8 + 0 + 2) / (8 + 2 + 4)
    assert metrics["turns"].mean == 0 / 4
    assert metrics["due"].mean == 4 / 14


def test_of_a_ratio_among_all_attempts_there_is_the_mean_over_episodes_too():
    metrics = walked(straight_on, "ffffffff", "r", "ffr").cells["walks"].metrics
    assert metrics["steps_per_episode"].mean == pytest.approx((1 + 0 + 2 / 4) / 3)
    assert metrics["due_per_episode"].mean == pytest.approx((0 + 1 + 2 / 4) / 3)
    assert "turns_per_episode" not in metrics


def test_what_follows_a_broken_off_episode_is_not_attempted_and_not_counted():
    found = [walked(straight_on, route).cells["walks"].metrics for route in ("rffffff", "r")]
    assert found[0]["steps"].mean == found[1]["steps"].mean == 0.0
    assert found[0]["attempts"].mean == found[1]["attempts"].mean == 2.0


def test_outcomes_tell_how_far_an_episode_came():
    metrics = walked(straight_on, "fffr", "ff").cells["walks"].metrics
    assert metrics["progress"].mean == (3 / 4 + 1) / 2
    assert metrics["success"].mean == 0.5


def test_a_second_attempt_at_a_question_counts_among_the_attempts():
    metrics = walked(turns_late, "frf").cells["walks"].metrics
    assert metrics["success"].mean == 1.0
    assert (metrics["steps"].mean, metrics["turns"].mean) == (3 / 4, 1 / 2)


def test_a_share_of_what_never_came_up_is_unknown():
    result = walked(straight_on, "ff", "fff")
    assert isnan(result.cells["walks"].metrics["turns"].mean)
    assert Evaluation.model_validate_json(result.to_json()).to_json() == result.to_json()
    assert "| ? |" in re.sub(" +", " ", result.markdown())


def test_first_failures_are_those_of_the_first_attempt_at_each_question():
    cell = walked(straight_on, "fr", "r", "fff").cells["walks"]
    assert (cell.failures, cell.first_failures) == ({"wrong": 4}, {"wrong": 2})
    cell = walked(turns_late, "rrf").cells["walks"]
    assert (cell.failures, cell.first_failures) == ({"wrong": 2}, {"wrong": 2})


def test_over_several_questions_the_first_attempt_of_an_episode_tells_nothing():
    cell = walked(straight_on, "fr", "rf").cells["walks"]
    assert list(cell.metrics) == [
        "success", "steps", "steps_per_episode", "turns", "due", "due_per_episode", "progress", "reward", "attempts",
    ]  # fmt: skip


def test_over_several_questions_tables_show_the_ratios_and_say_what_they_are_of():
    text = walked(straight_on, "fr", "rf").markdown()
    head = [cell.strip() for cell in text.split("\n\n")[2].splitlines()[0].strip("|").split("|")]
    assert head == [
        "cell", "episodes (clusters)", "success", "per step", "mean per route", "at turns", "way done",
    ]  # fmt: skip
    assert "Of all attempts together, which end where an episode is broken off: per step, at turns." in text


def test_with_one_question_an_episode_nothing_is_said_of_attempts_together():
    result = evaluate(nonsense, ENV, ["train"], episodes=2)
    assert result.setup.ratios == result.episodes[0].counts == result.episodes[0].outcomes == {}
    assert "attempts together" not in result.markdown()
    assert list(result.cells["train"].metrics) == [
        "success", "first_success", "cards_correct", "numbers_correct", "formula_valid", "reward", "attempts",
    ]  # fmt: skip


def test_ratios_of_the_same_route_dealt_often_are_no_surer():
    once = walked(turns_late, *ROUTES).cells["walks"].metrics["steps"]
    often = walked(turns_late, *ROUTES * 5).cells["walks"]
    assert often.clusters == len(ROUTES)
    assert often.metrics["steps"] == pytest.approx(once)


ROUTES = ["ff", "ffr", "rf", "frrf", "ffff", "fffr", "rrr", "frf"]


def test_compare_gives_the_differences_of_ratios():
    before, after = walked(straight_on, *ROUTES), walked(turns_late, *ROUTES)
    shares = [result.cells["walks"].metrics for result in (before, after)]
    difference = compare(before, after).cells["walks"]
    for name in ("steps", "turns", "due"):
        found = difference.metrics[name]
        assert found.mean == shares[1][name].mean - shares[0][name].mean
        assert found.low <= found.mean <= found.high
    assert difference.metrics["turns"] == (0.5, 0.5, 0.5)
    assert difference.improves("turns")
    assert "at turns" in compare(before, after).markdown()


def test_a_policy_differs_from_itself_in_no_ratio():
    result = walked(straight_on, *ROUTES)
    difference = compare(result, result).cells["walks"]
    assert difference.metrics["steps"] == (0.0, 0.0, 0.0)
    assert not difference.improves("steps")


def test_the_log_of_an_episode_tells_its_outcomes_once_at_its_end(tmp_path):
    result = walked(straight_on, "ff", "ffr", log=tmp_path / "log")
    header, *lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert header["setup"]["ratios"] == {name: list(measures) for name, measures in Walk.ratios.items()}
    told = {(line["episode"], line["attempt"]): line.get("outcomes") for line in lines}
    assert {key: outcomes for key, outcomes in told.items() if outcomes} == {
        (0, 2): {"progress": 1.0},
        (1, 4): {"progress": 2 / 3},
    }
    assert len(told) == 6
    assert [episode.counts["steps"] for episode in result.episodes] == [(2, 2), (2, 4)]


def test_a_log_of_several_questions_is_read_back_and_gone_on_with(tmp_path):
    log = tmp_path / "log"
    expected = evaluate(turns_late, WALK, {"drawn": {}}, episodes=12, log=log)
    assert evaluate(Interrupted(at=1), WALK, {"drawn": {}}, episodes=12, log=log) == expected
    log.write_bytes(log.read_bytes()[:-900])
    assert evaluate(turns_late, WALK, {"drawn": {}}, episodes=12, log=log) == expected


def test_logs_and_evaluations_saved_before_there_were_ratios_are_read(tmp_path):
    log = tmp_path / "log"
    result = evaluate(nonsense, ENV, ["train"], episodes=12, log=log)
    header, *lines = log.read_text().splitlines()
    old = json.loads(header)
    del old["setup"]["ratios"]
    log.write_text("\n".join([json.dumps(old), *lines, ""]))
    silent = Interrupted()
    assert evaluate(silent, ENV, ["train"], episodes=12, log=log) == result
    assert silent.batches == 0
    saved = json.loads(result.to_json())
    del saved["setup"]["ratios"]
    for episode in saved["episodes"]:
        del episode["counts"], episode["outcomes"]
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    assert Evaluation.load(tmp_path / "saved.json") == result


# V-IRL

ROUTED = "verienv/VIRL-L-v0"


def test_on_routes_the_expert_takes_every_step_right():
    metrics = evaluate("expert", ROUTED, ["test", "rule_ood"], episodes=10, city="grid-0").cells["rule_ood"].metrics
    for name in ("success", "step_accuracy", "turn_accuracy", "observation_accuracy", "instruction_accuracy"):
        assert metrics[name].mean == 1.0
    assert metrics["progress"].mean == 1.0
    assert 0.5 < metrics["forward_share"].mean < 0.95


def test_on_routes_always_going_forward_is_right_as_often_as_forward_is_due_and_at_no_turn():
    def forward(dialogues):
        return ['{"action": "forward()"}'] * len(dialogues)

    metrics = evaluate(forward, ROUTED, ["train"], episodes=40, city="grid-0").cells["train"].metrics
    assert metrics["step_accuracy"] == metrics["forward_share"]
    assert 0 < metrics["step_accuracy"].mean < 1
    assert (metrics["turn_accuracy"].mean, metrics["success"].mean) == (0.0, 0.0)
    assert metrics["observation_accuracy"].mean == 0.0


def test_tables_of_routes_show_what_is_measured_over_attempts():
    text = evaluate("expert", ROUTED, ["train"], episodes=8, city="grid-0").markdown()
    for heading in ("per step", "mean per route", "at turns", "forward due", "observation", "instruction", "progress"):
        assert heading in text
    assert "1st attempt" not in text
