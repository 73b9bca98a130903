"""Adapters speak of any task: rows, rewards, tools and messages."""

import base64
import inspect
import io
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.contract.playing import Case, each_case, each_player, each_task, each_wording, expert, script, wrong

from verienv import Episode
from verienv.adapters import openai, trl, verl
from verienv.core.dialogue import parts_of


def arguments(tool: Any, response: str, episode: Episode) -> dict[str, Any]:
    """The arguments with which a tool writes this response: its fields, or the whole of it; "" where it has none."""
    names = list(inspect.signature(tool).parameters)
    if names == ["response"]:
        return {"response": response}
    form = episode.question.wording.answer_format
    try:
        fields = json.loads(response) if form.name == "json" else form.read(response, episode.task.shape) or {}
    except ValueError:
        fields = {}
    return {name: next((fields[field] for field in fields if field.endswith(name)), "") for name in names}


def said(row: dict[str, Any], player: Any) -> str:
    """What a player answers to the question of a row."""
    response: str = player(Episode.of(row))
    return response


@each_wording
@pytest.mark.parametrize("player", [expert, wrong])
def test_trl_rows_are_rewarded_as_their_questions_judge(case: Case, player: Any) -> None:
    rows = list(trl.dataset(case.env_id, n=3, **case.settings))
    completions = [[{"role": "assistant", "content": said(row, player)}] for row in rows]
    columns = {name: [row[name] for row in rows] for name in rows[0] if name not in ("prompt", "images")}
    paid = trl.reward(prompts=[row["prompt"] for row in rows], completions=completions, **columns)
    assert paid == [
        Episode.of(row).question.judge(completion[0]["content"]).reward
        for row, completion in zip(rows, completions, strict=True)
    ]
    assert all(
        (reward == Episode.of(row).question.best_reward) == (player is expert)
        for row, reward in zip(rows, paid, strict=True)
    )


@each_case
def test_a_trl_row_holds_the_pictures_of_its_prompt(case: Case) -> None:
    (row,) = trl.dataset(case.env_id, n=1, **case.settings)
    assert row["prompt"] == Episode.of(row).messages or case.vision  # a table fills missing fields of parts with None
    pictures = row.get("images") or []
    assert len(pictures) == [part["type"] for part in parts_of(row["prompt"][0])].count("image") == case.vision
    for image, picture in zip(pictures, Episode.of(row).pictures, strict=True):
        assert np.array_equal(np.asarray(image), picture)


@each_wording
@pytest.mark.parametrize("unit", [None, "question"])
@each_player
def test_a_tool_calling_model_is_paid_as_the_environment_pays(case: Case, unit: str | None, player: Any) -> None:
    (row,) = case.rows(n=1, unit=unit)
    processor = SimpleNamespace(image_token="<image>", apply_chat_template=lambda *_, **__: "<image>")
    environment, episode = trl.environment(case.task_name, processor=processor)(), Episode.of(row)
    environment.reset(**row)
    call, tool = getattr(environment, case.task.tool.__name__), case.task.tool
    while not episode.is_over:
        given = arguments(tool, player(episode), episode)
        told = call(**given)
        episode.answer(case.task.respell(episode.question, tool(**given)))
        assert environment.get_reward() == episode.score()["reward"]
        parts = parts_of({"content": told})
        assert [{**part, "image": ...} if "image" in part else part for part in parts] == [
            {**part, "image": ...} if part["type"] == "image" else part for part in parts_of(episode.messages[-1])
        ]
        assert [np.asarray(part["image"]).shape for part in parts if "image" in part] == [
            picture.shape for picture in episode.pictures if not episode.feedback
        ]
    assert call(**given) == case.task.tool_over


@each_task
def test_transformers_reads_the_schema_of_the_tool(case: Case) -> None:
    from transformers.utils import get_json_schema

    tool = case.task.tool
    schema = get_json_schema(getattr(trl.environment(case.task_name)(), tool.__name__))["function"]
    assert schema["name"] == tool.__name__
    assert list(schema["parameters"]["properties"]) == list(inspect.signature(tool).parameters)
    assert schema["description"]
    assert all(each["description"] for each in schema["parameters"]["properties"].values())


@each_wording
@pytest.mark.parametrize("player", [expert, wrong])
def test_verl_scores_a_row_as_its_question_judges(case: Case, player: Any) -> None:
    keys = set[tuple[str, ...]]()
    for row in verl.rows(case.env_id, n=3, **case.settings):
        truth = row["reward_model"]["ground_truth"]
        response = said(json.loads(truth), player)
        score = verl.compute_score(row["data_source"], response, truth, row["extra_info"])
        verdict = Episode.of(json.loads(truth)).question.judge(response)
        assert (score["score"], score["acc"]) == (verdict.reward, float(verdict.is_correct))
        keys.add(tuple(score))
        json.dumps({**row, "images": None})
    assert len(keys) == 1


@each_case
def test_a_verl_row_has_a_picture_for_each_mark_in_its_prompt(case: Case) -> None:
    for row in verl.rows(case.env_id, n=2, **case.settings):
        marks = sum(message["content"].count("<image>") for message in row["prompt"])
        assert marks == len(row.get("images", ())) == case.vision


@each_wording
def test_openai_messages_hold_the_dialogue_and_its_pictures(case: Case) -> None:
    (row,) = case.rows(n=1)
    episode = Episode.of(row)
    for response in script(row, wrong)[0]:
        messages = json.loads(json.dumps(openai.messages(episode)))
        assert messages[-1]["role"] == "user"
        assert [message["role"] for message in messages] == [message["role"] for message in episode.messages]
        parts = [part for message in messages for part in parts_of(message)]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        assert texts == [part["text"] for message in episode.messages for part in parts_of(message) if "text" in part]
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        for url, picture in zip(urls, episode.pictures, strict=True):
            file = io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,")))
            assert np.array_equal(np.asarray(Image.open(file)), picture)
        episode.answer(response)
