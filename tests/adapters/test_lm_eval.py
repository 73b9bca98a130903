import json
import re
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID

import verienv
from verienv import Episode
from verienv.adapters import lm_eval
from verienv.adapters.lm_eval import dataset, document, pictures, process_results, stderr_by_cluster

VIEWS_ID = "verienv/VIRL-VL-v0"
WAYPOINT = {"episode": "waypoint"}
IDS = {ID: {}, VISION_ID: {}, ROUTES_ID: WAYPOINT, VIEWS_ID: WAYPOINT | {"view_size": 64}}


def row(env_id, **settings):
    [made] = verienv.rows(env_id, "rule_ood", n=1, seed=3, unit="question", attempts=1, **(IDS[env_id] | settings))
    return made


@pytest.mark.parametrize("env_id", IDS)
def test_a_document_is_plain_and_its_answers_are_judged_as_its_row(env_id):
    asked = row(env_id)
    doc = json.loads(json.dumps(document(asked)))
    for said in (doc["target"], doc["target"].replace("a", "b"), "", "{" * 5000, "\ud800"):
        found, verdict = process_results(doc, [said]), verienv.judge(asked, said)
        assert (found["correct"], found["reward"]) == (verdict.is_correct, verdict.reward)
        assert found["correct_stderr_by_cluster"] == (found["correct"], Episode.of(asked).question.cluster)
    assert process_results(doc, [doc["target"]])["correct"] == 1


@pytest.mark.parametrize("env_id", IDS)
def test_a_picture_is_drawn_for_each_mark_in_the_text(env_id):
    asked = row(env_id)
    doc = document(asked)
    assert doc["text"].count("<image>") == len(pictures(doc)) == len(Episode.of(asked).pictures)
    for picture, drawn in zip(pictures(doc), Episode.of(asked).pictures, strict=True):
        assert np.array_equal(np.asarray(picture), drawn)


def test_a_system_prompt_stands_at_the_head_of_the_text():
    assert document(row(ID, system_prompt="Be brief."))["text"].startswith("Be brief.\n\nMake 24")


@pytest.mark.parametrize(("env_id", "name"), [(VISION_ID, "cards"), (VIEWS_ID, "current observation")])
def test_recognition_is_that_of_the_answer(env_id, name):
    doc = document(row(env_id))
    answer = json.loads(doc["target"])
    unread = json.dumps({**answer, name: ["A", "A", "A", "A"] if name == "cards" else "A tower is ahead."})
    assert process_results(doc, [doc["target"]])["recognition"] == 1
    assert process_results(doc, [unread])["recognition"] == 0
    assert "recognition" not in process_results(document(row(ID)), ["{}"])


@pytest.mark.parametrize("results", [[["no", "more"]], [], [[]], [None], [3]])
def test_results_of_any_shape_are_answers(results):
    assert process_results(document(row(ID)), results)["correct"] == 0


def test_of_several_answers_the_first_one_counts():
    doc = document(row(ID))
    assert process_results(doc, [[doc["target"], "no"]])["correct"] == 1


def test_the_documents_are_one_attempt_each_and_the_models_arguments_are_no_settings():
    found = dataset(ROUTES_ID, {"episode": "waypoint"}, split="rule_ood", n=5, seed=1, model="m", base_url="http://-")
    docs = list(found["test"])
    assert len({doc["id"] for doc in docs}) == len({json.loads(doc["row"])["seed"] for doc in docs}) == 5
    assert all(doc["text"].endswith("Attempt 1 of 1.") for doc in docs)
    assert process_results(docs[0], [docs[0]["target"]])["correct"] == 1


def test_settings_reach_the_environment_and_those_that_a_task_fixes_are_refused():
    [doc] = dataset(ID, n=1, settings={"cards": 5})["test"]
    assert len(json.loads(doc["row"])["cards"]) == 5
    with pytest.raises(ValueError, match="this task fixes attempts"):
        dataset(ID, n=1, settings={"attempts": 5})
    with pytest.raises(ValueError, match="this task fixes episode"):
        dataset(ROUTES_ID, {"episode": "waypoint"}, n=1, settings={"episode": "route"})


def test_exported_rows_are_read_from_a_file(tmp_path):
    exported = [row(ID), row(ROUTES_ID)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in exported))
    assert [doc["id"] for doc in dataset(ID, rows=str(file))["test"]] == [each["id"] for each in exported]


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "there are no rows"), ("no\n", "line 1"), ('{"id": 1}\n', "line 1"), ("[" * 9999, "line 1")],
)
def test_a_file_of_something_else_is_refused_by_name_and_line(tmp_path, text, fault):
    file = tmp_path / "rows.jsonl"
    file.write_text(text)
    with pytest.raises(ValueError, match=rf"rows\.jsonl.*{fault}"):
        dataset(ID, rows=str(file))


def test_rows_of_a_file_open_no_path(tmp_path):
    hostile = {**row(VIEWS_ID), "settings": json.dumps({"panoramas": str(tmp_path), "split": "rule_ood"})}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(hostile))
    with pytest.raises(ValueError, match="trusted"):
        dataset(VIEWS_ID, rows=str(file))


def test_a_standard_error_counts_a_cluster_as_one_trial():
    values = [1.0, 0.0, 1.0, 1.0]
    alone = [(value, str(number)) for number, value in enumerate(values)]
    assert stderr_by_cluster(alone) == pytest.approx(np.std(values, ddof=1) / 2)
    twice = [(value, cluster) for value, cluster in alone for _ in range(2)]
    assert stderr_by_cluster(twice) == pytest.approx(stderr_by_cluster(alone))
    assert stderr_by_cluster([(1.0, "a"), (0.0, "a"), (0.0, "b")]) == pytest.approx(sqrt(2 * 2 * (1 / 3) ** 2) / 3)
    assert isnan(stderr_by_cluster([(1.0, "a"), (0.0, "a")]))


def test_each_task_has_a_file_that_names_functions_of_the_module():
    [folder] = map(Path, lm_eval.__path__)
    names = {file.stem: file.read_text() for file in folder.glob("*.yaml")}
    assert names.keys() == {f"verienv_{task}{sight}" for task in ("generalpoints", "virl") for sight in ("", "_vl")}
    for name, text in names.items():
        assert f"task: {name}\n" in text
        assert any(f"env_id: {env_id}\n" in text for env_id in IDS)
    shared = "".join(file.read_text() for file in folder.glob("_*_yaml"))
    named = re.findall(r"!function verienv\.adapters\.lm_eval\.(\w+)", shared)
    assert {*named} == {"dataset", "pictures", "process_results", "stderr_by_cluster"}
    assert all(callable(getattr(lm_eval, name)) for name in named)
