"""What files share with splits and with each other."""

import json

import pytest
from tests.demos.published import conversation, hand_prompt, route_answer, route_prompt, table_row

import verienv
from verienv.adapters import verl
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.likeness import dealt_alike
from verienv.testing import DealtSplit, audit_rows

ENV_ID = "verienv/GeneralPoints-L-v0"
ROUTES = "verienv/VIRL-L-v0"


def lines(folder, rows, name="rows.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def shares(found):
    return {(each.other.rsplit("/")[-1], each.key): each.rows for each in found.shared}


def test_rows_of_the_train_side_share_nothing_with_the_test_side(tmp_path):
    file = lines(tmp_path, verienv.rows(ENV_ID, n=50))
    found = audit_rows(file, [DealtSplit(ENV_ID, "test"), DealtSplit(ENV_ID, "rule_ood")])
    assert found.is_clean
    assert set(shares(found).values()) == {0}


def test_rows_of_a_split_share_all_with_it(tmp_path):
    file = lines(tmp_path, verienv.rows(ENV_ID, "test", n=50))
    assert set(shares(audit_rows(file, [DealtSplit(ENV_ID, "test")])).values()) == {50}


def test_of_hands_nothing_is_drawn(tmp_path):
    [cards, numbers] = audit_rows(lines(tmp_path, verienv.rows(ENV_ID, n=1)), [DealtSplit(ENV_ID, "test")]).shared
    assert cards.exact
    assert numbers.exact


def test_what_is_alike_is_what_the_sampler_may_deal():
    dealings = [dealing for dealing, _ in GeneralPointsEnv(split="rule_ood").config.dealings]
    hands = {tuple(sorted(row["cards"])) for row in verienv.rows(ENV_ID, "rule_ood", n=300)}
    numbers = {tuple(sorted(row["values"])) for row in verienv.rows(ENV_ID, "rule_ood", n=300)}
    for row in verienv.rows(ENV_ID, side="all", face_cards="any", n=300):
        question = verienv.Question.from_row(row)
        alike = dealt_alike(question.puzzle, dealings)
        assert ("cards" in alike) >= (tuple(sorted(row["cards"])) in hands)
        assert ("numbers" in alike) >= (question.puzzle.numbers in numbers)


def test_other_cards_of_the_same_numbers_share_the_numbers_alone(tmp_path):
    file = lines(tmp_path, [{"cards": ["4", "3", "2", "K"]}])
    other = lines(tmp_path, [{"cards": ["2", "3", "4", "10"]}], "other.jsonl")
    assert shares(audit_rows(file, [other])) == {("other.jsonl", "cards"): 0, ("other.jsonl", "numbers"): 1}


def test_under_other_rules_the_same_cards_are_other_numbers(tmp_path):
    file = lines(tmp_path, [{"cards": ["4", "3", "2", "K"]}])
    other = lines(tmp_path, [{"cards": ["K", "3", "2", "4"], "rule": "rank"}], "other.jsonl")
    assert shares(audit_rows(file, [other])) == {("other.jsonl", "cards"): 1, ("other.jsonl", "numbers"): 0}


def test_columns_are_those_of_rows_that_do_not_have_them(tmp_path):
    file = lines(tmp_path, [{"cards": ["K", "3", "2", "4"]}])
    other = lines(tmp_path, [{"cards": ["4", "3", "2", "K"], "rule": "rank"}], "other.jsonl")
    assert shares(audit_rows(file, [other], columns={"rule": "rank"}))["other.jsonl", "numbers"] == 1


def test_another_target_shares_nothing(tmp_path):
    file, other = lines(tmp_path, [{"cards": list("4322")}]), [{"cards": list("4322"), "target": 11}]
    assert audit_rows(file, [lines(tmp_path, other, "other.jsonl")]).is_clean


FORMS = {
    "rows": lambda: verienv.rows(ENV_ID, n=1),
    "demonstrations": lambda: list(verienv.demonstrations(ENV_ID, n=1)),
    "verl": lambda: verl.rows(ENV_ID, n=1),
    "conversations": lambda: [conversation(hand_prompt())],
    "tables": lambda: [table_row(hand_prompt())],
    "routes": lambda: verienv.rows(ROUTES, n=1),
    "demonstrations of routes": lambda: list(verienv.demonstrations(ROUTES, n=1)),
    "published routes": lambda: [conversation(route_prompt(), route_answer())],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_any_form_shares_all_with_itself(tmp_path, form):
    file = lines(tmp_path, FORMS[form]())
    found = audit_rows(file, [file])
    assert {each.rows for each in found.shared} == {each.of for each in found.shared} == {1}


def test_routes_are_compared_with_those_that_are_drawn(tmp_path):
    drawn = verienv.rows(ROUTES, "test", n=3, seed=0)
    found = audit_rows(lines(tmp_path, drawn), [DealtSplit(ROUTES, "test", draws=3)])
    assert [(each.key, each.rows, each.exact) for each in found.shared] == [
        ("routes", 3, False),
        ("landmarks", 3, False),
    ]


def test_rows_of_another_task_are_not_counted(tmp_path):
    found = audit_rows(lines(tmp_path, verienv.rows(ROUTES, n=1)), [DealtSplit(ENV_ID, "test")])
    assert found.shared == []


def test_examples_are_the_numbers_of_lines(tmp_path):
    file = lines(tmp_path, [{"cards": list("A234")}, {"cards": list("4322")}, {"cards": list("2234")}])
    [cards, _] = audit_rows(file, [lines(tmp_path, [{"cards": list("2234")}], "other.jsonl")]).shared
    assert cards.examples == [2, 3]


@pytest.mark.parametrize(
    "row",
    [7, {"cards": 7}, {"cards": ["4", "3", "2", "joker"]}, {"waypoint": {}}, {"reward_model": {"ground_truth": "["}}],
    ids=str,
)
def test_a_hostile_row_is_one_line_with_its_number(tmp_path, row):
    file = lines(tmp_path, [{"cards": list("A234")}, row])
    found = audit_rows(file, [DealtSplit(ENV_ID, "test")])
    [fault] = found.faults
    assert fault.startswith(f"{file}, row 2: ")
    assert "\n" not in fault
    assert (found.rows, found.is_clean) == (1, False)
