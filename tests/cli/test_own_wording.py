"""Words, answer formats, rewards and cells of one's own, typed on the command line."""

import json
import re
import sys

import pytest
from tests.cli.shared import ENV, INSTANCE, ROUTES, SOLVED, VISION, is_one_line_error, lines_of

from verienv import rows
from verienv.core import registered

OWN = """
TEMPLATE = "Get {target} from {cards}. {rule} {format}"
def ask(slots): return f"Please make {slots['target']} of {slots['cards']}. {slots['format']}"
def say(verdict, told): return "Well done." if verdict.is_correct else "Not so."
def pay(verdict): return 7.0 if verdict.is_correct else -0.5
class Answer:
    instruction = "End with ANSWER: and the formula."
    def read(self, response): return response.rpartition("ANSWER:")[2].strip() if "ANSWER:" in response else None
class Writing(Answer):
    def write(self, fields): return f"ANSWER: {fields['formula']}"
reads, answer = Answer(), Writing()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module in the current folder."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def pairs(**settings):
    return [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]


def test_show_asks_answers_and_pays_in_ones_own_way(cli, own):
    objects = {"prompt": "ask", "answer_format": "answer", "feedback": "say", "rewards": "pay"}
    status, out, err = cli(
        "show", ENV, "--answer", *pairs(**{setting: f"{own}:{name}" for setting, name in objects.items()})
    )
    assert (status, err) == (0, "")
    for told in ("Please make 24 of 7, 9, 4, 9. End with ANSWER:", "\nANSWER: 4*(7-9/9)", "Well done.", "7.0"):
        assert told in out


@pytest.mark.parametrize("given", ["{own}:TEMPLATE", "@template.txt", "Get {{target}} from {{cards}}. {{rule}}\n"])
def test_a_template_is_typed_or_read_from_a_file_or_a_module(cli, own, tmp_path, given):
    (tmp_path / "template.txt").write_text("Get {target} from {cards}.\n{rule}\n")
    assert "Get 24 from 7, 9, 4, 9." in cli("show", ENV, *pairs(prompt=given.format(own=own)))[1]


@pytest.mark.parametrize("form", ["json", "tags", "boxed", "line", "tags+cards+number", "{own}:answer", "{own}:reads"])
def test_in_play_a_bare_formula_is_an_answer_in_every_format(cli, own, form):
    typed = "ANSWER: 7+9\nANSWER: 4*(7-9/9)\nq\n" if form.endswith("reads") else "7+9\n4*(7-9/9)\nq\n"
    status, out, err = cli("play", ENV, "--seed", 0, *pairs(answer_format=form.format(own=own)), typed=typed)
    assert (status, err) == (0, "")
    assert out.endswith("1 of 2 hands solved, total reward 3.\n")


@pytest.mark.parametrize("form", ["tags", "boxed", "line", "tags+observation+instruction"])
def test_in_play_a_word_is_an_action_in_every_format(cli, form):
    _, out, _ = cli("play", ROUTES, "--seed", 0, *pairs(answer_format=form, attempts=1), typed="east\nstop\nq\n")
    assert "this is not the action that the instruction asks for here. Reward" in out
    assert "unreadable" not in out


def test_verify_reads_each_line_in_its_own_format(cli, own, tmp_path):
    said = {"tags": "<answer>4*3+2+10</answer>", "boxed": r"\boxed{4*3+2+10}", "line": "4*3+2+10", "json": SOLVED}
    file = tmp_path / "responses.jsonl"
    lines = [{"instance": INSTANCE, "answer_format": form, "response": text} for form, text in said.items()]
    file.write_text(lines_of(*lines, {"instance": INSTANCE, "response": "ANSWER: 4*3+2+10"}))
    status, out, _ = cli("verify", file, "--answer-format", f"{own}:answer", "--rewards", f"{own}:pay")
    assert status == 0
    assert "\ncorrect                 5  100.0%\n" in out
    assert "\ncards correct           1  100.0%  of 1\n" in out  # where the format has no field for them, not measured
    assert out.endswith("mean reward          7.00\n")


def test_a_line_that_names_an_object_of_ones_own_imports_nothing(cli, own, tmp_path):
    line = {"instance": INSTANCE, "answer_format": f"{own}:answer", "response": "ANSWER: 4*3+2+10"}
    (tmp_path / "responses.jsonl").write_text(lines_of(line))
    status, _, err = cli("verify", "responses.jsonl")
    assert status == 1
    assert f"answer_format='{own}:answer'" in err
    assert own not in sys.modules
    assert cli("verify", "responses.jsonl", "--answer-format", f"{own}:answer")[0] == 0


def test_demonstrations_are_written_in_ones_own_words_and_format(cli, own):
    _, out, _ = cli(
        "demos", ENV, "-n", 2, *pairs(prompt=f"{own}:ask", answer_format=f"{own}:answer", target=36, cards=5)
    )
    for line in out.splitlines():
        row = json.loads(line)
        assert row["prompt"][-1]["content"].startswith("Please make 36 of ")
        assert row["completion"][0]["content"].startswith("ANSWER: ")


CELLS = {
    "J, Q, K = 5, 6, 7": {"split": "train", "rule": {"J": 5, "Q": 6, "K": 7}, "episodes": 3},
    "held out": {"split": "test", "rule": "rank"},
}


def test_evaluate_plays_cells_of_ones_own_from_a_file(cli, tmp_path):
    file, out = tmp_path / "cells.json", tmp_path / "evaluation.json"
    file.write_text(json.dumps(CELLS))
    words = ("evaluate", ENV, "--baseline", "expert", "--episodes", 2, "--splits", file, "--out", out)
    status, _, err = cli(*words, *pairs(target=36, cards=5, answer_format="boxed"))
    assert (status, err) == (0, "")
    cells = json.loads(out.read_text())["setup"]["cells"]
    assert cells["J, Q, K = 5, 6, 7"] == {
        "target": 36, "cards": 5, "answer_format": "boxed", "split": "train", "rule": {"J": 5, "Q": 6, "K": 7},
        "episodes": 3,
    }  # fmt: skip
    assert list(cells) == list(CELLS)


def test_evaluate_says_where_a_setting_makes_splits_the_same(cli):
    words = ("evaluate", ENV, "--baseline", "expert", "--episodes", 1, "--splits")
    _, _, told = cli(*words, "train,rule_ood", *pairs(rule="five", target=36))
    assert told == "-s rule: every split has it, and none its own; for cells that differ: --splits FILE.json\n"
    assert cli(*words, "train", *pairs(rule="five"))[2] == ""
    assert cli(*words, "train,test", *pairs(rule="five"))[2] == ""


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (None, "there is no such file"),
        ("[1]", "expected cells: a JSON object of names"),
        ("{}", "expected cells"),
        ('{"train": 3}', "expected cells"),
        ("{", "is no JSON"),
        ('{"mine": {"rulx": 1}}', "cell 'mine': GeneralPointsConfig: unknown setting 'rulx'"),
        ('{"mine": {"prompt": "os:system"}}', "cell 'mine': GeneralPointsConfig: prompt='os:system'"),
    ],
)
def test_a_file_of_cells_that_is_wrong_is_one_line(cli, tmp_path, held, told):
    if held is not None:
        (tmp_path / "cells.json").write_text(held)
    words = ("evaluate", ENV, "--baseline", "expert", "--splits", tmp_path / "cells.json")
    assert is_one_line_error(cli(*words), told)


def test_nothing_is_written_over_the_files_that_settings_are_read_from(cli, tmp_path):
    (tmp_path / "cells.json").write_text(json.dumps({"one": {"split": "train"}}))
    (tmp_path / "rule.json").write_text('{"J": 5, "Q": 6, "K": 7}')
    words = ("evaluate", ENV, "--baseline", "expert", "--splits", tmp_path / "cells.json")
    rule = pairs(rule=f"@{tmp_path / 'rule.json'}")
    assert is_one_line_error(cli(*words, "--out", tmp_path / "cells.json"), "this is the file of --splits")
    for command in (("demos", ENV, "-n", 1), words):
        refused = cli(*command, *rule, "--out", tmp_path / "rule.json")
        assert is_one_line_error(refused, "this is the file of -s rule")


@pytest.mark.parametrize(
    ("command", "pair"),
    [
        (("show", ENV), "env_id=x"),
        (("play", ENV), "env_id=x"),
        (("demos", ENV), "seed=3"),
        (("demos", ENV), "steps=true"),
        (("evaluate", ENV, "--baseline", "expert"), "log=x"),
    ],
)
def test_an_argument_that_is_no_setting_is_refused_in_one_line(cli, command, pair):
    assert is_one_line_error(cli(*command, "-s", pair), "is no setting of an environment")


MIXED = {
    "mixtures": (ENV, {"rule": '["ten","rank"]', "target": '{"24": 0.9, "36": 0.1}', "cards": "[4, 5]"}),
    "numbers": (ENV, {"numbers": "[1, 12]", "operators": "+*", "solvable": "scored"}),
    "hard": (ENV, {"difficulty": "3"}),
    "few": (ENV, {"solutions": "[1, 2]", "system_prompt": "Be brief.", "think_first": "true"}),
    "large": (ENV, {"largest_card": "19", "large_cards": "force", "rewards": "first_fault"}),
    "vision": (VISION, {"image_size": "96", "answer_format": "tags+cards", "feedback": "none"}),
    "route": (ROUTES, {"turns": "2", "waypoints": "[5, 10]", "answer_format": "line", "rewards": "partial"}),
    "city": (ROUTES, {"city": "grid-7", "feedback": '{"wrong_action": "{action} is wrong."}'}),
}


@pytest.mark.parametrize("name", MIXED)
def test_settings_pass_through_every_command(cli, tmp_path, name):
    env, settings = MIXED[name]
    assert cli("show", env, "--answer", *pairs(**settings))[::2] == (0, "")
    assert cli("play", env, "--seed", 1, *pairs(**settings), typed="1\nq\n")[::2] == (0, "")
    assert cli("demos", env, "-n", 2, *pairs(**settings), "--out", tmp_path / "demos.jsonl")[0] == 0
    played = cli("evaluate", env, "--baseline", "expert", "--episodes", 2, "--splits", "train", *pairs(**settings))
    assert played[::2] == (0, "")
    assert "100" in played[1]
    read = {key: json.loads(value) if value[0] in "[{" or value.isdigit() else value for key, value in settings.items()}
    read |= {"think_first": True} if "think_first" in read else {}
    dealt = rows(f"verienv/{env}-v0", n=2, **read)
    (tmp_path / "rows.jsonl").write_text(lines_of(*({**row, "response": "1"} for row in dealt)))
    status, out, err = cli("verify", tmp_path / "rows.jsonl")
    assert (status, err) == (0, "")
    assert "responses" in out


OBJECTS = {"prompt": "ask", "answer_format": "answer", "feedback": "say", "rewards": "pay"}


@pytest.fixture
def own_log(cli, own):
    """The log of an evaluation in one's own way, whose names mean nothing any more; and the options that give them."""
    given = pairs(**{setting: f"{own}:{name}" for setting, name in OBJECTS.items()})
    before = {kind: dict(known) for kind, known in registered._objects.items()}
    assert (
        cli(
            "evaluate",
            ENV,
            "--baseline",
            "constant",
            "--episodes",
            2,
            "--splits",
            "train",
            "--log",
            "log.jsonl",
            *given,
        )[0]
        == 0
    )
    for kind, known in before.items():
        registered._objects[kind] = known
    return given


def test_a_log_in_ones_own_way_is_replayed_where_its_objects_are_given(cli, own_log):
    status, out, err = cli("show", ENV, "--responses", "log.jsonl", "--replay", "page.html", *own_log)
    assert (status, err) == (0, "")
    assert "Please make" in out


def test_a_log_imports_nothing_and_says_how_to_give_what_it_names(cli, own, own_log):
    told = f"a log imports nothing: if you trust it, give -s prompt={own}:ask of the module that has it"
    assert is_one_line_error(cli("show", ENV, "--responses", "log.jsonl"), told)


@pytest.mark.parametrize("env_id", [ENV, VISION])
@pytest.mark.parametrize("form", ["tags", "boxed", "line", "tags+cards"])
def test_the_expert_baseline_is_right_in_every_format(cli, env_id, form):
    given = pairs(answer_format=form)
    status, out, err = cli("evaluate", env_id, "--baseline", "expert", "--episodes", 2, "--splits", "train", *given)
    assert (status, err) == (0, "")
    assert re.search(r"^ ?train .* 100 ", out, re.MULTILINE)
    assert f"(answer_format={form})." in out


def test_differences_to_a_run_in_another_format_say_what_is_not_compared(cli, tmp_path):
    common = ("--baseline", "expert", "--episodes", 2, "--splits", "train")
    cli("evaluate", ENV, *common, "--out", tmp_path / "json.json")
    out = cli("evaluate", ENV, *common, "--against", tmp_path / "json.json", "-s", "answer_format=tags")[1]
    assert "rule reading (before: json, after: tags)." in " ".join(out.split())
