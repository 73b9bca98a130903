"""Whole episodes in TRL: a tool's replies bring the next question and its views, and every answer is paid."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID
from tests.adapters.tiny import tiny_processor, tokenizer

import verienv
from verienv import Episode
from verienv.adapters.trl import dataset, environment, environments, reward

VIEWS_ID = "verienv/VIRL-VL-v0"
SHORT = {"turns": (1, 1), "spacing": 100.0}
SMALL = {**SHORT, "view_size": 64}
SEEING = SimpleNamespace(image_token="<image>", apply_chat_template=lambda *_, **__: "<image>")


def called(environment, response):
    """The reply to a response, its fields submitted as the arguments of the tool; an unreadable one as its last."""
    try:
        values = list(json.loads(response).values())
    except ValueError:
        values = ["", "", response]
    return (environment.answer if hasattr(environment, "answer") else environment.act)(*values)


@pytest.mark.parametrize("env_id", [ROUTES_ID, VIEWS_ID])
def test_a_route_is_walked_by_the_tool_and_paid_as_a_whole(env_id):
    (row,) = dataset(env_id, n=1, kind="episode", **(SMALL if env_id == VIEWS_ID else SHORT))
    route, episode = environment("virl", processor=SEEING)(), Episode.of(row)
    route.reset(**row)
    while not episode.is_over:
        due = episode.expert()
        reply = called(route, due)
        episode.answer(due)
        pictures = [] if isinstance(reply, str) else [part["image"] for part in reply if part["type"] == "image"]
        assert len(pictures) == (env_id == VIEWS_ID and not episode.is_over)
        for picture, view in zip(pictures, episode.pictures, strict=not episode.is_over):
            assert np.array_equal(np.asarray(picture), view)
        assert (reply if isinstance(reply, str) else reply[-1]["text"]) == (
            "Correct." if episode.is_over else episode.text
        )
    assert route.get_reward() == len(episode.verdicts) > 3
    assert called(route, due) == "This walk is over: no further action counts."


def test_feedback_at_a_waypoint_has_no_picture():
    (row,) = verienv.rows(VIEWS_ID, n=1, **SMALL)
    route = environment("virl", processor=SEEING)()
    route.reset(**row)
    assert called(route, '{"o": "", "i": "", "a": ""}').endswith("Attempt 2 of 2.")


def test_without_a_processor_a_route_by_vision_is_refused_in_one_sentence():
    (row,) = verienv.rows(VIEWS_ID, n=1, **SMALL)
    with pytest.raises(ValueError, match=r"many chat templates drop: say environment\('virl', processor=\.\.\.\)"):
        environment("virl")().reset(**row)
    for one in (
        verienv.rows(VIEWS_ID, n=1, episode="waypoint", **SMALL),
        verienv.rows(VIEWS_ID, n=1, unit="question", **SMALL),
        verienv.rows(ROUTES_ID, n=1, **SHORT),
    ):
        environment("virl")().reset(**one[0])
    environment("generalpoints")().reset(**verienv.rows(VISION_ID, n=1)[0])


TEMPLATES = {"qwen3_vl": True, "qwen3_5_think": True, "gemma4": False, "qwen3": False, "llava_next": False}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_drops_pictures_of_tools_is_refused(name):
    import trl

    processor, template = tiny_processor(), Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja"
    if not template.exists():
        pytest.skip(f"TRL {trl.__version__} has no template {name}")
    processor.chat_template = template.read_text()
    if TEMPLATES[name]:
        assert environment("virl", processor=processor)._shows_pictures
        return
    with pytest.raises(ValueError, match="the chat template of this LlavaProcessor drops pictures in a tool's reply"):
        environments(processor=processor)


def test_a_tokenizer_is_no_processor_of_pictures():
    with pytest.raises(ValueError, match="expected the processor of a vision-language model"):
        environment("virl", processor=tokenizer(None))


def test_environments_are_a_dict_by_the_name_in_the_rows():
    known = environments()
    assert {name: made.__name__ for name, made in known.items()} == {
        "generalpoints": "GeneralPointsEnvironment",
        "virl": "VIRLEnvironment",
    }
    assert list(environments("virl")) == ["virl"]
    for env_id in (ID, ROUTES_ID):
        (row,) = dataset(env_id, n=1, kind="episode")
        known[row.pop("environment")]().reset(**row)
    with pytest.raises(ValueError, match="task='chess'"):
        environments("virl", "chess")


def test_rows_of_episodes_are_whole_and_open_with_their_first_views():
    rows = dataset(VIEWS_ID, n=3, kind="episode", **SMALL)
    assert set(rows["unit"]) == {"route"}
    assert len(set(rows["seed"])) == 3
    for row in rows:
        assert np.array_equal(np.asarray(row["images"][0]), Episode.of(row).pictures[0])
    columns = {name: list(rows[name]) for name in rows.column_names if name not in ("prompt", "images")}
    with pytest.raises(ValueError, match="one completion cannot answer a whole route"):
        reward(prompts=rows["prompt"], completions=["?"] * 3, **columns)


@pytest.mark.parametrize("env_id", [ID, VISION_ID, ROUTES_ID])
def test_unpaired_rows_are_a_right_and_a_wrong_answer_in_turn(env_id):
    rows = dataset(env_id, n=5, kind="unpaired")
    assert list(rows["label"]) == [True, False, True, False, True]
    columns = {name: list(rows[name]) for name in rows.column_names if name not in ("prompt", "completion", "images")}
    assert reward(prompts=rows["prompt"], completions=list(rows["completion"]), **columns) == list(rows["reward"])
    assert [bool(failure) for failure in rows["failure"]] == [False, True, False, True, False]
    asked = [(row["instance"], row.get("step")) for row in rows]
    assert asked[0] == asked[1] != asked[2] == asked[3] != asked[4]
    assert ("images" in rows.column_names) == (env_id == VISION_ID)
