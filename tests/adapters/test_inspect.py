import base64
import json

import numpy as np
import pytest
from tests.adapters.rows import ID, ROUTES_ID, VISION_ID

import verienv
from verienv import Episode
from verienv.adapters import inspect_ai
from verienv.adapters.inspect_samples import messages, sample, scored
from verienv.virl.world.city_file import save_city
from verienv.virl.world.procedural import procedural_city

VIEWS_ID = "verienv/VIRL-VL-v0"
IDS = {ID: {}, VISION_ID: {}, ROUTES_ID: {"turns": (1, 1)}, VIEWS_ID: {"turns": (1, 1), "view_size": 64}}


def row(env_id, split="test", **settings):
    [made] = verienv.rows(env_id, split, n=1, seed=3, **(IDS[env_id] | settings))
    return made


@pytest.mark.parametrize("env_id", IDS)
def test_a_sample_is_plain_and_plays_the_episode_of_its_row(env_id):
    dealt = row(env_id)
    made = json.loads(json.dumps(sample(dealt)))
    episode = Episode.of(made["metadata"])
    assert made["id"] == dealt["id"]
    assert episode.messages == Episode.of(dealt).messages
    assert made["metadata"]["cluster"] == episode.question.cluster
    assert made["input"] == messages(episode)
    assert "prompt" not in made["metadata"]


@pytest.mark.parametrize("env_id", [VISION_ID, VIEWS_ID])
def test_the_picture_of_a_sample_is_a_data_url_before_its_text(env_id):
    [message] = sample(row(env_id))["input"]
    picture, text = message["content"]
    assert picture["type"] == "image"
    assert base64.b64decode(picture["image"].removeprefix("data:image/png;base64,"), validate=True)[1:4] == b"PNG"
    assert text == {"type": "text", "text": Episode.of(row(env_id)).text}


def test_a_system_prompt_is_a_message_of_its_own():
    asked = sample(row(ID, system_prompt="Be brief."))["input"]
    assert [message["role"] for message in asked] == ["system", "user"]


def answers(kind, dealt):
    """The responses of an episode that is answered in one way."""
    episode, said = Episode.of(dealt), []
    while not episode.is_over:
        wrong = episode.question.wrong("wrong_value" if "cards" in dealt else "wrong_action", np.random.default_rng(0))
        is_late = kind == "then right" and episode.question.attempt > 1
        said.append(episode.expert() if kind == "right" or is_late else wrong if kind != "unreadable" else "{" * 99)
        episode.answer(said[-1])
    return said, episode


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("kind", ["right", "then right", "wrong", "unreadable"])
def test_responses_are_scored_as_their_episode_is(env_id, kind):
    dealt = row(env_id)
    said, episode = answers(kind, dealt)
    metrics, record = scored(sample(dealt)["metadata"], said)
    score = episode.score()
    assert {name: metrics[name] for name in ("success", "reward", "attempts")} == {
        name: score[name] for name in ("success", "reward", "attempts")
    }
    assert record.failures == tuple(verdict.failure for verdict in episode.verdicts)
    assert ("recognition" in metrics) == (env_id in (VISION_ID, VIEWS_ID))
    assert metrics.get("progress") == score.get("progress")


def test_recognition_is_of_the_first_answer_on_cards_and_of_all_on_routes():
    dealt = row(VISION_ID)
    [right], _ = answers("right", dealt)
    unread = json.dumps({**json.loads(right), "cards": ["A", "A", "A", "A"]})
    assert scored(dealt, [unread, right])[0]["recognition"] == 0
    assert scored(dealt, [right])[0]["recognition"] == 1
    dealt = row(VIEWS_ID)
    said, _ = answers("right", dealt)
    assert scored(dealt, said)[0]["recognition"] == 1
    assert scored(dealt, [*said[:1], "{}", *said[2:]])[0]["recognition"] < 1


@pytest.mark.parametrize("env_id", IDS)
def test_an_episode_cut_short_has_the_metrics_of_a_whole_one(env_id):
    dealt = row(env_id)
    said, _ = answers("right", dealt)
    whole, nothing = scored(dealt, said)[0], scored(dealt, [])[0]
    assert nothing.keys() == whole.keys()
    assert (nothing["success"], nothing["reward"]) == (0, Episode.of(dealt).question.judge("").reward)
    if len(said) > 1:
        part = scored(dealt, said[:1])[0]
        assert part.keys() == whole.keys()
        assert part["success"] == 0


def test_responses_behind_the_end_do_not_count():
    dealt = row(ID)
    said, _ = answers("right", dealt)
    assert scored(dealt, [*said, "more"]) == scored(dealt, said)


def test_a_row_of_a_log_opens_no_path_unless_trusted(tmp_path):
    hostile = {**row(VIEWS_ID), "settings": json.dumps({"panoramas": str(tmp_path), "split": "test"})}
    with pytest.raises(ValueError, match="trusted"):
        scored(hostile, ["{}"])


def test_only_settings_that_this_process_was_told_to_trust_open_paths(tmp_path):
    save_city(procedural_city("grid", 0), tmp_path / "mine.json")
    dealt = row(ROUTES_ID, city=str(tmp_path / "mine.json"))
    with pytest.raises(ValueError, match="trusted"):
        sample(dealt)
    trusted = json.loads(json.dumps(sample(dealt, trusted=True)["metadata"]))
    assert scored(trusted, [Episode.of(dealt, trusted=True).expert()])[0]["reward"] > 0
    copied = tmp_path / "another.json"
    copied.write_bytes((tmp_path / "mine.json").read_bytes())
    with pytest.raises(ValueError, match="trusted"):
        scored({**trusted, "settings": trusted["settings"].replace("mine", "another")}, [""])


def test_the_names_are_listed_and_need_inspect_only_when_they_are_used():
    assert dir(inspect_ai) == ["environment", "generalpoints", "play", "samples", "verified", "virl"]
    with pytest.raises(ImportError, match=r'pip install "verienv\[inspect\]"'):
        inspect_ai.play  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        inspect_ai.nothing  # noqa: B018
