import json
import re

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from verienv.browsing.app import application
from verienv.browsing.page import view_page
from verienv.pages.guard import Guard

HERE = "http://127.0.0.1:8000"
TOKEN = "a-token"


@pytest.fixture
def stranger(collection):
    guarded = Guard(application(collection), token=TOKEN, port=8000, policy=view_page().policy)
    return TestClient(guarded, base_url=HERE)


@pytest.fixture
def opened(stranger):
    assert stranger.get("/", params={"token": TOKEN}).status_code == 200
    return stranger


@pytest.mark.parametrize("path", ["/", "/rows", "/episode?row=0", "/replay?row=0", "/comparison?before=0&after=1"])
def test_nothing_is_told_without_the_token(path, stranger):
    assert stranger.get(path).status_code == 403


def test_another_page_is_told_nothing(opened):
    assert opened.get("/rows", headers={"Origin": "http://evil.example"}).status_code == 403
    assert opened.get("/rows", headers={"Host": "evil.example"}).status_code == 403


def test_the_page_holds_the_overview_and_no_hostile_word_is_html(opened):
    html = opened.get("/").text
    [data] = re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert "wrong <b>" in [source["policy"] for source in json.loads(data)["overview"]["sources"]]
    assert "wrong <b>" not in html


def test_the_policy_admits_the_scripts_of_the_page_and_of_replays_and_nothing_else(opened):
    policy = opened.get("/rows").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert len(rules["script-src"].split()) == 2
    assert rules["img-src"] == "'self' data:"
    assert (rules["default-src"], rules["connect-src"]) == ("'none'", "'self'")


def test_rows_come_in_pages_filtered_and_sorted(opened):
    told = opened.get("/rows", params={"state": "failed", "sort": "episode", "down": "1", "from": "2", "count": "3"})
    assert told.json()["total"] == 16
    assert [row["episode"] for row in told.json()["rows"]] == [3, 3, 2]
    assert len(opened.get("/rows", params={"count": "999999999"}).json()["rows"]) == 24


def test_pairs_come_in_pages(opened):
    two = {"before": "1", "after": "0"}
    assert opened.get("/comparison", params=two).json()["alone"] == [0, 0]
    told = opened.get("/pairs", params={**two, "change": "neither", "cell": "test", "count": "1"}).json()
    assert len(told["pairs"]) == min(told["total"], 1)


def test_an_episode_its_replay_and_a_run_are_told(opened):
    assert opened.get("/episode?row=0").json()["lines"]
    assert opened.get("/replay?row=0").json()["html"].startswith("<!doctype html>")
    assert opened.get("/run?run=0").json()["curves"]["loss"]


@pytest.mark.parametrize(
    "path",
    ["/rows?from=-1", "/rows?sort=x", "/episode", "/episode?row=99", "/replay?row=99", "/run?run=1", "/pairs?before=0"],
)
def test_a_wrong_request_is_told_in_one_line(path, opened):
    reply = opened.get(path)
    assert reply.status_code == 400
    assert reply.text.count("\n") == 0
