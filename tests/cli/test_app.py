import re
import subprocess
import sys

import pytest
from tests.cli.shared import ENV, ROUTES, VISION, is_one_line_error

COMMANDS = ("envs", "show", "play", "verify", "demos", "evaluate", "convert")


def test_without_arguments_the_commands_are_listed(cli):
    status, out, _ = cli()
    assert status == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", out, re.MULTILINE)


@pytest.mark.parametrize("name", ["GeneralPoints-L", "generalpoints-l-v0", "verienv/GeneralPoints-L-v0"])
def test_an_environment_may_be_named_in_short(cli, name):
    assert cli("show", name)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shw"], "show"),
        (["show"], "ENV_ID"),
        (["show", "GenralPoints-L"], "did you mean verienv/GeneralPoints-L-v0"),
        (["show", ENV, "--seed", "x"], "--seed"),
        (["show", ENV, "--split", "trian"], "train, test, rule_ood"),
        (["show", ENV, "-s", "attempts"], "key=value"),
        (["show", ENV, "-s", "atempts=2"], "did you mean 'attempts'"),
        (["show", ENV, "-s", "rule=nine_lives"], "is not a preset"),
        (["show", ENV, "--image", "hand.png"], "has no picture; leave --image out"),
        (["show", VISION, "--image", "hand.jpg"], "give a name that ends in .png"),
        (["play", ENV, "--image", "hand.png"], "has no picture; leave --image out"),
        (["demos", VISION, "-n", "1"], "--out -: the rows come with pictures"),
        (["demos", VISION, "-n", "1", "--out", "/dev/null"], "give a file's path, e.g. --out demos.jsonl"),
        (["demos", VISION, "-n", "1", "--out", "."], ": is a folder; give the name of a file"),
        (["evaluate", ENV, "--baseline", "expert", "--splits", "visual_by_rule"], "has no visual splits"),
        (["verify", "no/such/file"], "no/such/file: No such file"),
        (["verify", "."], ": is a folder; give the name of a file"),
        (["verify", "-", "--rewards", "none"], "paper, binary, binary_format"),
        (["demos", ENV, "--kind", "other"], "sft, revision, preference"),
        (["demos", ENV, "--kind", "revision", "--wrong-attempts", "5"], "expected 1 to 4"),
        (["demos", ENV, "--out", "."], ": is a folder; give the name of a file"),
        (["evaluate", ENV], "--model NAME_OR_PATH or --baseline"),
        (["evaluate", ENV, "--baseline", "oracle"], "expert or constant"),
        (["evaluate", ENV, "--baseline", "expert", "--splits", "trian"], "train, test, rule_ood"),
        (["show", "no_such_module:mine/Task-v0"], "there is no module 'no_such_module'"),
        (["envs", "--import", "no.such_module"], "there is no module 'no.such_module'"),
        (["convert", ".", "out.json", "--task", "generalpoints"], "GeneralPoints knows no data"),
        (["convert", ".", "out.json", "--task", "chess"], "expected generalpoints or virl"),
        (["evaluate", ENV, "--model", "/no/such/folder"], "there is no folder"),
        (["evaluate", ENV, "--baseline", "expert", "--against", "no/such/file"], "No such file"),
    ],
)
def test_an_error_is_one_line_on_stderr_and_status_2(cli, arguments, told):
    assert is_one_line_error(cli(*arguments), told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", ENV, "--map", "map.png"], "GeneralPoints has no maps; leave --map out"),
        (["show", ROUTES, "--map", "map.jpg"], "give a name that ends in .png"),
        (["show", ROUTES, "--after", "500"], "the expert is done before that"),
        (["play", ENV, "--map", "map.png"], "GeneralPoints has no maps"),
        (["show", ROUTES, "-s", "city=paris"], "expected one of montevideo, astana, helsinki"),
        (["convert", "no/such/folder", "out.json"], "no/such/folder"),
    ],
    ids=str,
)
def test_on_routes_too_a_mistake_is_one_line_that_helps(cli, arguments, told):
    status, out, err = cli(*arguments)
    assert status != 0
    assert told in " ".join(err.split())
    assert out == ""


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_typer_or_rich_one_line_says_what_to_install(module):
    program = f"import sys; sys.modules[{module!r}] = None; from verienv.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "envs"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "verienv[cli]"' in done.stderr


def test_a_reader_that_has_had_enough_ends_the_command_quietly():
    command = f'{sys.executable} -c "from verienv.cli import main; main()" demos {ENV} -n 100000 | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)  # noqa: S602
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_no_help_text_says_a_word_of_the_old_vocabulary(cli):
    for command in ([], *([name] for name in COMMANDS)):
        status, out, _ = cli(*command, "--help")
        assert status == 0
        out = re.sub(r"gp-\W*sight", "", out)  # the name of a model, which a line may break
        assert not re.search(r"\b(film|looks?|sight|seen|unseen|told|dealer|rail|wrapper)\b", out, re.IGNORECASE)
