import base64
import json
import re
from dataclasses import fields

import pytest
from tests.replay.episodes import HOSTILE, SIDE, Page, decoded, picture_routes, puzzle, routes, saying

from verienv.core.episode import Episode
from verienv.core.verdict import Verdict
from verienv.replay import html_page, record
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes.route import current_instruction


def test_each_frame_is_in_the_page_once_in_order_with_a_link_to_it():
    replay = record(routes(), saying("nonsense"))
    page = Page(html_page(replay))
    names = [f"frame-{number}" for number in range(1, len(replay.frames) + 1)]
    assert [attrs["id"] for attrs in page.all("section")] == names
    assert [attrs["href"] for attrs in page.all("a") if attrs["href"].startswith("#frame")] == [
        f"#{name}" for name in names
    ]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_tag_that_is_opened_is_closed():
    page = Page(html_page(record(picture_routes(), saying("nonsense"))))
    assert [tag for tag in page.inside if tag not in ("meta", "img", "input")] == []


def test_pictures_and_maps_are_in_the_page_once_each_and_of_their_size():
    replay = record(picture_routes(), saying("nonsense"))
    page = Page(html_page(replay))
    steps = replay.frames[-1].question.number
    assert [image.size for image in page.pictures] == [(SIDE, SIDE), (640, 640)] * steps
    sources = [attrs["src"] for attrs in page.all("img") if "id" in attrs]
    assert len(sources) == len(set(sources))
    repeated = [attrs for attrs in page.all("a") if "data-of" in attrs]
    assert [attrs["data-of"] for attrs in repeated] == ["picture-1", "picture-2"]
    thumbs = [attrs for attrs in page.all("img") if "id" not in attrs]
    assert len(thumbs) == steps
    assert all(max(decoded(attrs["src"]).size) <= 96 for attrs in thumbs)


def test_each_figure_says_what_it_shows():
    page = Page(html_page(record(picture_routes(), most=2)))
    assert [attrs["alt"] for attrs in page.all("img") if "id" in attrs][:2] == [
        "The picture at step 1.",
        f"The map of the route: 0 of {len(picture_routes().route.waypoints)} waypoints lie behind.",
    ]


def test_the_map_names_whose_data_it_shows():
    assert "Map data: (c) OpenStreetMap contributors, ODbL 1.0." in Page(html_page(record(routes(), most=1))).words(
        "figcaption"
    )


def test_the_page_loads_nothing():
    page = Page(html_page(record(picture_routes(), saying("nonsense"))))
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        assert attrs.get("src", "data:image/webp").startswith("data:image/webp")
        assert attrs.get("href", "#").startswith("#")
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:|//[a-z]", "".join(page.words("style")))
    assert not re.search(r"fetch|import|https?:|innerHTML|eval", "".join(page.words("script")))


def test_the_pages_policy_admits_its_own_script_and_style_alone():
    from hashlib import sha256

    page = Page(html_page(record(puzzle())))
    [policy] = [attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        [text] = page.words(tag)
        assert f"{tag}-src 'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" in policy


@pytest.mark.parametrize("make", [routes, puzzle])
@pytest.mark.parametrize("response", HOSTILE)
def test_markup_in_a_response_is_text(make, response):
    plain, hostile = (Page(html_page(record(make(), saying(words), most=2))) for words in ("nonsense", response))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert response in hostile.words("pre") or json.dumps(json.loads(response), indent=2) in hostile.words("pre")


def test_markup_in_all_else_that_is_told_is_text_too():
    evil = "<script>alert(1)</script>"

    class Marked(VIRLQuestion):
        def judge(self, response):
            return Verdict(reward=0, is_correct=False, failure=evil, feedback=evil, reason=evil, metrics={evil: 1.5})

    question = routes().question
    episode = Episode(Marked(**{each.name: getattr(question, each.name) for each in fields(question)}))
    replay = record(episode, by=evil)
    page = Page(html_page(replay))
    assert len(page.all("script")) == 1
    assert "<script>alert(1)</script> Attempt 2 of 2." in page.words("p")


def test_what_has_no_shape_is_made_visible():
    page = html_page(record(puzzle(), saying("a\x00b\x1b[31m\u202eevil\u2066\r\ud800\x85\u2028"), most=1))
    assert "a\u2400b\u241b[31m[U+202E]evil[U+2066]\u240d\ufffd[U+0085][U+2028]" in page
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)
    page.encode()


def test_a_response_of_64_kib_is_shown_whole_and_one_longer_by_its_end():
    long = "x" * 70_000 + "<end>"
    page = html_page(record(puzzle(), saying(long), most=1))
    [said] = [text for text in Page(page).words("pre") if text.startswith("xxx")]
    assert said == long[-64 * 1024 :]
    assert len(page) < 100_000


def shown_response(response):
    return Page(html_page(record(puzzle(), saying(response), most=1))).words("pre")[-1]


def test_a_response_in_json_is_indented():
    assert shown_response('{"formula": "1+1", "number":[1]}') == json.dumps({"formula": "1+1", "number": [1]}, indent=2)
    assert shown_response('{"formula": "\u4f60"}') == '{\n  "formula": "\u4f60"\n}'


@pytest.mark.parametrize(
    "response",
    [
        '{"formula": "1", "formula": "2"}',
        '{"formula": 1.50}',
        '{"formula": 1e999}',
        r'{"formula": "\u0041"}',
        "{'formula': '1'}",
        '{"formula": ' + "[" * 1500 + "]" * 1500 + "}",
        "[1]",
        '{"formula"',
    ],
    ids=lambda response: response[:20],
)
def test_json_that_indenting_would_change_is_shown_as_it_was_said(response):
    assert shown_response(response) == response


def test_the_sentence_that_is_due_is_marked():
    env = routes()
    page = Page(html_page(record(env, most=4)))
    due = [current_instruction(env.route, passed) for passed in range(4)]
    marked = [attrs for attrs in page.all("li") if attrs.get("aria-current") == "step"]
    assert len(marked) == 4
    items = [attrs.get("class", "") for attrs in page.all("li") if attrs.keys() <= {"class", "aria-current"}]
    assert items.count("now") == 4
    assert env.route.instructions[due[0]] in page.words("li")


def test_verdicts_are_told_in_words_signs_and_numbers_not_by_colour_alone():
    page = Page(html_page(record(puzzle(), saying("nonsense"), most=2)))
    badges = [text for text in page.words("span") if text[:1] in "\u2713\u2717"]
    assert badges == ["\u2717 -3"] * 2 + ["\u2713 +5"] * 2
    assert "solved" in page.words("li")


def test_a_replay_without_pictures_has_its_words():
    replay = record(puzzle())
    page = Page(html_page(replay))
    assert not page.all("img")
    assert replay.frames[0].text in page.words("pre")
