"""Stages of a study: what they are made of, that each is made once, and how a policy explores."""

import json

import pytest
from tests.examples.test_study_plan import SMALL

import study_stages
from study_exploring import alike, episodes, explored, pass_at, share_found
from study_files import read_study
from study_plan import arguments_of, jobs_of, stages_of
from verienv.arithmetic.expression import parse_formula
from verienv.arithmetic.solver import solutions
from verienv.generalpoints import Puzzle, write_answer
from verienv.preferences import Label

STAGED = """
[stages.pairs]
script = "pairs"
options = { questions = 16, samples = 4, max_new_tokens = 48, batch = 16 }

[stages.flip]
script = "judge"
needs = ["pairs"]
options = { folder = "{stages}/pairs", simulated = ["flip:0.25"] }

[stages.chosen]
script = "chosen"
needs = ["pairs", "flip"]
options = { folder = "{stages}/pairs", labels = ["{stages}/flip.jsonl"] }

[stages.people]
script = "human"
needs = ["pairs"]

[arms.chosen]
label = "SFT on chosen answers"
script = "sft"
needs = ["chosen"]
options = { data = "{stages}/chosen.jsonl", batch = 2 }
"""


def staged(folder, *more, text=STAGED):
    path = folder / "staged.toml"
    path.write_text(SMALL.replace('["tiny-lm", "tiny-lm"]', '["tiny-lm"]') + text + "".join(more))
    return read_study(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    study = staged(folder)
    for name in ("pairs", "flip", "chosen"):
        study_stages.make_stage(study, folder, "tiny-lm", name, "cpu")
    return folder, study


def test_stages_leave_labels_of_the_pairs_and_demonstrations_of_the_better_ones(made):
    folder, _ = made
    stages = stages_of(folder, "tiny-lm")
    record = json.loads((stages / "pairs.json").read_text())
    pairs = [json.loads(line) for line in (stages / "pairs/pairs.jsonl").read_text().splitlines()]
    labels = [json.loads(line) for line in (stages / "flip.jsonl").read_text().splitlines()]
    chosen = [json.loads(line) for line in (stages / "chosen.jsonl").read_text().splitlines()]
    assert record["pairs"] == len(pairs) == len(labels) > 0
    assert len(chosen) == sum(label["choice"] != "tie" for label in labels)
    by_id = {pair["pair"]: pair for pair in pairs}
    better = {by_id[label["pair"]][label["choice"]] for label in labels if label["choice"] in ("a", "b")}
    assert {row["completion"][0]["content"] for row in chosen} == better


def test_a_stage_that_was_made_of_other_options_is_not_taken_for_another(made):
    folder, study = made
    study_stages.demand_same(study, folder)
    options = {**study.stages["flip"].options, "simulated": ["myopic"]}
    flip = study.stages["flip"].model_copy(update={"options": options})
    other = study.model_copy(update={"stages": {**study.stages, "flip": flip}})
    with pytest.raises(ValueError, match=r"'flip' was made with other options \(simulated\); choose another --out"):
        study_stages.demand_same(other, folder)


def test_an_arm_is_given_the_paths_of_its_stages(made):
    folder, study = made
    [job] = [job for job in jobs_of(study) if job.arm == "chosen"][:1]
    given = arguments_of(study, job, job.start, folder / "runs" / job.name, "cpu")
    assert given.data == stages_of(folder, "tiny-lm") / "chosen.jsonl"


def test_only_the_stages_that_arms_need_are_made(made):
    _, study = made
    assert list(study_stages.needed(study)) == ["pairs", "flip", "chosen"]


def test_an_arm_of_labels_by_people_is_missing_until_there_are_some(tmp_path):
    more = '[arms.people]\nlabel = "people"\nscript = "sft"\nneeds = ["people"]\n'
    study = staged(tmp_path, more)
    assert study_stages.missing(study, tmp_path) == {"people": "no person has labelled its pairs"}
    path = study_stages.labels_of(tmp_path, "tiny-lm", "people")
    path.parent.mkdir(parents=True)
    path.write_text(Label(pair="p", annotator="ann", kind="human", choice="a").model_dump_json() + "\n")
    assert study_stages.missing(study, tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('needs = ["chosen"]', 'needs = ["chosne"]', "arm 'chosen': needs 'chosne'; expected stages: pairs, flip"),
        ('needs = ["pairs", "flip"]', 'needs = ["chosen"]', "stages need each other in a circle: chosen, chosen"),
        ("samples = 4", "sample = 4", "stage 'pairs': options has 'sample'; expected arguments of pairs.py"),
        ("samples = 4", "samples = 0", "--samples 0: expected an integer from 1"),
    ],
)
def test_a_stage_that_cannot_be_made_is_refused_in_one_line(tmp_path, old, new, told):
    with pytest.raises(ValueError, match=told):
        staged(tmp_path, text=STAGED.replace(old, new))


def fail(script, arguments):
    print("trying", arguments)
    raise ValueError(f"{script} cannot do {arguments}")


def test_a_process_of_its_own_tells_how_it_failed(tmp_path):
    with pytest.raises(ValueError, match="script cannot do 3"):
        study_stages.apart("script", 3, fail, tmp_path / "told.txt")
    assert (tmp_path / "told.txt").read_text() == "trying 3\n"


def test_pass_at_k_is_the_chance_of_a_right_answer_among_k_drawn_ones():
    assert [pass_at(k, 0) for k in (1, 4, 16)] == [0, 0, 0]
    assert pass_at(1, 4) == 0.25
    assert pass_at(2, 1, samples=4) == 0.5
    assert pass_at(16, 1) == 1


@pytest.mark.parametrize("cards", [("4", "3", "2", "K"), ("A", "5", "5", "5"), ("2", "2", "6", "10")])
def test_a_solution_counts_once_however_it_is_written(cards):
    puzzle = Puzzle(cards)
    known = solutions(puzzle.values, 24)
    assert len({alike(one) for one in known}) == len(known)
    spelled = [write_answer(puzzle, text) for one in known for text in (one.minimal(), one.full())]
    assert share_found(puzzle, spelled) == 1
    assert share_found(puzzle, spelled[:2]) == 1 / len(known)
    assert share_found(puzzle, []) == 0


def test_commuting_and_regrouping_make_no_other_solution():
    texts = ("(3+2)*4+10-6", "10-6+4*(2+3)", "10+(4*(3+2)-6)")
    assert len({alike(parse_formula(text).expression) for text in texts}) == 1
    assert alike(parse_formula("3*4*2").expression) != alike(parse_formula("3*(4+2)").expression)


def test_a_policy_that_repairs_is_told_from_one_that_does_not(made):
    _, study = made
    study = study.model_copy(update={"explored": 4, "settings": {"attempts": 1}})
    cell = next(iter(study.cells))

    def right_at_last(dialogues):
        return [expert(one) if len(one) > 1 else "no" for one in dialogues]

    def expert(messages):
        return next(answer for text, answer in answers.items() if text in messages[0]["content"])

    answers = {one.question.prompt: one.question.expert() for one in episodes(study, cell, 3)}
    found = explored(study, right_at_last, cell)
    assert found["repaired"] == [1.0] * 4
    assert found["pass_16"] == [0.0] * 4
    assert len(found["clusters"]) == 4
    always = explored(study, lambda dialogues: [expert(one) for one in dialogues], cell)
    assert (always["pass_1"], always["repaired"]) == ([1.0] * 4, [None] * 4)
    assert all(0 < share <= 1 for share in always["solutions"])
