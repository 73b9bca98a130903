"""Any episode can be recorded, and watched as a page or a contact sheet."""

import base64
import io
import re
from functools import lru_cache
from typing import Any

import pytest
from PIL import Image
from tests.contract.playing import Case, each_case, each_player, mending, wrong

from verienv import Episode
from verienv.replay import Replay, contact_sheet, html_page, record


@lru_cache(maxsize=8)
def mended(case: Case) -> Replay:
    """The beginning of an episode in which each first attempt is wrong."""
    return record(case.begun(), mending, most=4)


@each_case
@each_player
def test_a_replay_holds_every_attempt_with_its_verdict(case: Case, player: Any) -> None:
    replay = record(case.begun(), player, most=2)
    episode = case.begun().episode
    for frame in replay.frames:
        assert frame.text == episode.text
        response = player(episode)
        assert (frame.response, frame.verdict) == (response, episode.answer(response))
    assert (replay.over, replay.success) == (episode.is_over, episode.is_success)


@each_case
def test_an_episode_of_a_row_is_recorded_as_that_of_an_environment_is(case: Case) -> None:
    (row,) = case.rows(n=1)
    env = case.begun(seed=row["seed"])
    assert record(Episode.of(row), mending, most=2).frames == record(env, mending, most=2).frames


@each_case
def test_the_page_stands_alone_and_tells_the_episode(case: Case) -> None:
    replay = mended(case)
    page = html_page(replay)
    assert page.startswith("<!doctype html>")
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert replay.instance in page
    assert case.env_id in page


@each_case
def test_the_page_of_a_hostile_response_runs_nothing(case: Case) -> None:
    replay = record(case.begun(attempts=1), lambda episode: "</script><script>alert('HOSTILE')</script>\ud800")
    page = html_page(replay)
    assert "<script>alert" not in page
    assert page.encode()


@each_case
def test_the_page_holds_every_picture_once(case: Case) -> None:
    replay = mended(case)
    shown = {picture for frame in replay.frames for picture in frame.question.pictures}
    assert bool(shown) == case.vision
    page = html_page(replay)
    found = [base64.b64decode(text) for text in re.findall(r"data:image/\w+;base64,([A-Za-z0-9+/=]+)", page)]
    assert len(found) >= len(shown)
    for file in found:
        Image.open(io.BytesIO(file)).verify()


@each_case
def test_the_sheet_is_a_picture_of_at_least_a_tile_an_attempt(case: Case) -> None:
    replay = mended(case)
    sheet = contact_sheet(replay, columns=2)
    assert sheet.mode == "RGB"
    assert min(sheet.size) > 100
    assert len(set(sheet.convert("L").tobytes())) > 1


@each_case
def test_an_episode_that_is_over_cannot_be_recorded(case: Case) -> None:
    env = case.begun(attempts=1)
    record(env, wrong)
    with pytest.raises(RuntimeError, match="over"):
        record(env)


@each_case
def test_a_map_is_drawn_where_the_task_has_one(case: Case) -> None:
    drawn = case.task.map(case.begun().question, size=200)
    assert (drawn is not None) == case.task.has_map
    assert drawn is None or drawn.size == (200, 200)
