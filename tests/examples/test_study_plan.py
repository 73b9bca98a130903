"""A study as a file: what is read of it, and what is refused, in one line."""

import dataclasses
import json
from pathlib import Path

import pytest

import study_files
from study import Arguments, chosen
from study_files import STUDIES, names, read_study
from study_plan import Job, arguments_of, before, jobs_of

SMALL = """
title = "A trial"
about = "Whether it runs."
env = "verienv/GeneralPoints-L-v0"
starts = ["tiny-lm", "tiny-lm"]
settings = { attempts = 1 }
trained_on = { cards = 3 }
rates = [1e-4, 1e-3]
seeds = [0, 1]
contrast = ["rl", "sft"]
episodes = 12
kl_questions = 2
max_new_tokens = 24

[options]
updates = 2
save_every = 1
warm_up = 1
schedule = "constant"
probes = 0
log_with = []

[arms.rl]
label = "RL after SFT"
script = "ppo"
rates = [1e-4]
after = "sft"
at = 1
rate_before = 1e-3
options = { advantage = "group", group = 2, episodes = 4, rewards = "binary", max_new_tokens = 24 }

[arms.sft]
label = "SFT"
script = "sft"
options = { batch = 4 }
settings = { rule = { ten = 0.9, rank = 0.1 } }

[cells.matching]
heading = "to match by"
split = "train"
seed = 7

[cells.ood]
heading = "11, 12, 13"
split = "rule_ood"
side = "train"
episodes = 7
"""


@pytest.fixture
def written(tmp_path):
    """Writes a study's file, with some of its text replaced: its path."""

    def write(*replaced):
        text = SMALL
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "trial.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", names())
def test_every_study_of_the_project_can_be_read(name, monkeypatch):
    monkeypatch.setattr(study_files, "found_starts", lambda starts: starts)  # which are built, or on the hub
    study = read_study(name)
    assert list(jobs_of(study))
    assert {"id", "ood"} <= set(study.cells)


def test_an_arm_comes_after_the_one_that_it_goes_on_from(written):
    study = read_study(written())
    arms = [job.arm for job in jobs_of(study)]
    assert arms == ["sft", "sft", "rl"] * 4
    job = Job("tiny-lm", "rl", 1e-4, 1)
    assert before(study, job) == Job("tiny-lm", "sft", 1e-3, 1)
    assert before(study, before(study, job)) is None


def test_a_run_is_called_with_the_arguments_of_study_and_arm(written):
    study = read_study(written())
    sft, _, rl = [arguments_of(study, job, "start", Path("run"), "cpu") for job in list(jobs_of(study))[:3]]
    assert (sft.model, sft.out, sft.env, sft.learning_rate, sft.batch) == ("start", Path("run"), study.env, 1e-4, 4)
    assert sft.settings == ("attempts=1", "cards=3", f"rule={json.dumps({'ten': 0.9, 'rank': 0.1})}")
    assert (rl.attempts, rl.settings, rl.split, rl.rewards) == (1, ("cards=3",), "train", "binary")
    assert (rl.updates, rl.save_every, rl.log_with) == (2, 1, ())


REFUSED = {
    "a field that there is none of": (('about = "Whether', 'abuot = "Whether'), "abuot: Extra inputs"),
    "a field that is missing": (('title = "A trial"', ""), "title: Field required"),
    "no start": (('starts = ["tiny-lm", "tiny-lm"]', "starts = []"), "starts: Tuple should have at least 1"),
    "a rate that is none": (("rates = [1e-4, 1e-3]", "rates = [-1]"), "rates.0: Input should be greater"),
    "a script that there is none of": (('script = "sft"', 'script = "sgd"'), "arms.sft.script: Input should be"),
    "an option that the script has none of": (("batch = 4", "bacth = 4"), "arm 'sft': options has 'bacth'"),
    "an option that is the study's": (("batch = 4", "seed = 4"), "arm 'sft': options has 'seed'"),
    "an option out of its bounds": (("batch = 4", "batch = 0"), "--batch 0: expected an integer"),
    "a setting of a cell that there is none of": (('side = "train"', 'sied = "train"'), "unknown setting 'sied'"),
    "an arm that goes on from none": (('after = "sft"', 'after = "dft"'), "arm 'rl': after = 'dft'"),
    "an arm that goes on from itself": (('after = "sft"', 'after = "rl"'), "arm 'rl': after = 'rl'"),
    "an arm that goes on from nowhere": (("at = 1\n", ""), "arm 'rl': give both"),
    "a contrast of another arm": (('= ["rl", "sft"]', '= ["ppo", "sft"]'), "arm 'ppo' is not among the arms: rl, sft"),
    "no TOML": (("[options]", "[options"), "is no TOML"),
    "starts that are not built": (('["tiny-lm", "tiny-lm"]', '["runs/no-*"]'), "nothing is at runs/no-*; `make"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_it_refuses(fault, written):
    replaced, told = REFUSED[fault]
    with pytest.raises(ValueError, match=r"^[^\n]*$") as found:
        read_study(written(replaced))
    assert told in str(found.value)


def test_a_name_that_there_is_none_of_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"nosuch: expected a study's file, FILE.toml, or one of .*words"):
        read_study("nosuch")


def test_a_file_like_another_has_its_fields_but_for_its_own(written, tmp_path):
    (own := tmp_path / "own.toml").write_text(f'like = "{written()}"\ntitle = "Another"\nseeds = [9]\n')
    one, other = read_study(written()), read_study(own)
    assert (other.title, other.seeds, other.arms, other.cells) == ("Another", (9,), one.arms, one.cells)
    own.write_text(f'like = "{own}"\n')
    with pytest.raises(ValueError, match="is like itself"):
        read_study(own)


def test_a_cell_may_be_one_of_a_json_file(written, tmp_path):
    (tmp_path / "cells.json").write_text('{"some hands": {"split": "test", "instances": ["generalpoints:J-2-3-4:24"]}}')
    study = read_study(written(('split = "rule_ood"', 'file = "cells.json"\ncell = "some hands"')))
    assert study.cells["ood"].settings == {
        "split": "test", "side": "train", "instances": ["generalpoints:J-2-3-4:24"]
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"cells.json has no cell 'none'; it has some hands"):
        read_study(written(('split = "rule_ood"', 'file = "cells.json"\ncell = "none"')))


def test_a_path_with_a_star_is_all_starts_in_the_order_of_their_numbers(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (10, 2, 1):
        Path(f"built-{number}").mkdir()
    study = read_study(written(('["tiny-lm", "tiny-lm"]', '["built-*"]')))
    assert study.starts == ("built-1", "built-2", "built-10")


def test_the_command_line_takes_the_place_of_what_stands_in_the_file(written):
    path = str(written())
    given = Arguments(path, starts=("tiny-lm",), rates=(3e-4,), seeds=(5,), updates=1, episodes=3, temperature=0.0)
    study = chosen(given)
    assert {(job.rate, job.seed) for job in jobs_of(study)} == {(3e-4, 5)}
    assert (study.episodes, study.temperature, study.cells["ood"].episodes) == (3, 0.0, None)
    assert all(arm.options["updates"] == 1 for arm in study.arms.values())
    few = chosen(dataclasses.replace(given, arms=("sft",)))
    assert (list(few.arms), few.contrast) == (["sft"], None)
    with pytest.raises(ValueError, match="--arms rl: it goes on from sft; name that too"):
        chosen(dataclasses.replace(given, arms=("rl",)))
    with pytest.raises(ValueError, match="--arms dft: expected arms of the study: rl, sft"):
        chosen(dataclasses.replace(given, arms=("dft",)))


def test_the_folder_of_studies_is_where_names_are_of():
    assert (STUDIES / "words.toml").exists()
    assert "words" in names()
