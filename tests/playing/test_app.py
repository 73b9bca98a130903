import json
import re

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from verienv.pages.guard import Guard
from verienv.playing.app import application, play_page

HERE = "http://127.0.0.1:8000"
TOKEN = "a-token"


@pytest.fixture
def browser(play):
    """Open the page of a session: a client, and the session."""

    def opened(**how):
        session, page = play(**how), play_page()
        client = TestClient(
            Guard(application(session, page), token=TOKEN, port=8000, policy=page.policy), base_url=HERE
        )
        client.headers["Origin"] = HERE
        assert client.get("/", params={"token": TOKEN}).status_code == 200
        return client, session

    return opened


def give(client, text, token=None):
    due = client.get("/due").json()
    return client.post("/answer", json={"token": due["token"] if token is None else token, "text": text})


def test_no_answer_is_taken_before_somebody_says_that_a_person_answers(browser):
    client, session = browser()
    assert give(client, "1+1").status_code == 400
    assert len(session.path.read_text().splitlines()) == 1
    client.post("/begin")
    assert give(client, "1+1").json()["correct"] is False
    assert len(session.path.read_text().splitlines()) == 2


def test_nothing_is_told_or_taken_without_the_token(browser):
    client, session = browser()
    stranger = TestClient(client.app, base_url=HERE, headers={"Origin": HERE})
    for path in ("/", "/due", "/picture/x/0", "/map/x", "/over/x"):
        assert stranger.get(path).status_code == 403
    for path in ("/begin", "/answer"):
        assert stranger.post(path, json={}).status_code == 403
    assert client.post("/begin", headers={"Origin": "http://evil.example"}).status_code == 403
    assert len(session.path.read_text().splitlines()) == 1


def test_the_page_is_told_what_a_policy_is_told_and_no_solution_before_the_end(browser):
    client, session = browser()
    client.post("/begin")
    due = client.get("/due").json()
    assert due["text"] == session.seat.episode.text
    assert not {"solution", "expert", "truth"} & due.keys()
    first = give(client, "1+1").json()
    assert "solution" not in first
    last = give(client, "1+1").json()
    assert (last["over"], last["solved"]) == (True, False)
    assert "solution" in last["solution"][0]
    assert client.get("/due").json()["scores"]["train"]["played"] == 1


def test_an_answer_from_a_page_that_is_behind_is_a_conflict(browser):
    client, _ = browser()
    client.post("/begin")
    token = client.get("/due").json()["token"]
    assert give(client, "1+1", token).status_code == 200
    assert give(client, "1+1", token).status_code == 409


def test_a_picture_is_that_of_the_question_that_is_due_alone(browser):
    client, session = browser(env_id="verienv/GeneralPoints-VL-v0")
    [address] = client.get("/due").json()["pictures"]
    assert client.get(address).content.startswith(b"\x89PNG")
    client.post("/begin")
    give(client, session.seat.episode.expert())
    assert client.get(address).status_code == 404


def test_a_route_offers_its_actions_and_shows_its_map_only_after_the_end(browser):
    client, session = browser(env_id="verienv/VIRL-L-v0", splits=("train",), attempts=1)
    client.post("/begin")
    due = client.get("/due").json()
    assert due["choices"][0] == "forward()"
    assert due["map"] == ""
    assert client.get(f"/map/{due['token']}").status_code == 404
    assert client.get("/over/x").status_code == 404
    told = give(client, "").json()
    assert told["over"]
    assert client.get(told["map"]).content.startswith(b"\x89PNG")
    assert json.loads(session.path.read_text().splitlines()[-1])["response"] == ""


def test_the_page_holds_no_word_as_html(browser):
    client, _ = browser()
    html = client.get("/").text
    assert len(re.findall("</script>", html)) == 2
    assert "default-src 'none'" in client.get("/due").headers["content-security-policy"]
