"""Films: what is recorded, the page, the sheet, and the command that writes them."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from PIL import Image

from verienv.cli.film import checked_film, dealt, save_film
from verienv.core.verdict import Verdict
from verienv.evaluation import evaluate
from verienv.evaluation.cells import verified_env
from verienv.replay import Still, asked, record
from verienv.replay.film import MOST_BYTES, visible
from verienv.replay.record import followed
from verienv.virl.answers import write_answer
from verienv.virl.env import VIRLEnv

ROUTES, WORDS, CARDS = "verienv/VIRL-L-v0", "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
SIDE = 300


class SeenRoutes(VIRLEnv):
    """Routes with a picture at each waypoint: one of a colour of its own."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self._show_pictures((SIDE, SIDE), False)

    def _picture(self):
        return np.full((SIDE, SIDE, 3), (10 * self.passed, 80, 200), np.uint8)


def routes(seed=3, **settings):
    env = verified_env(ROUTES, **settings)
    env.reset(seed=seed)
    return env


def seen_routes(seed=3):
    env = SeenRoutes()
    env.reset(seed=seed)
    return env


def puzzle(env_id=WORDS, **settings):
    env = verified_env(env_id, **settings)
    env.reset(seed=0)
    return env


def saying(*responses):
    """A policy that says these and then what the expert does."""
    left = list(responses)
    return lambda env: left.pop(0) if left else env.expert_response()


class Page(HTMLParser):
    """A page as a reader of HTML meets it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.inside = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        self.inside = self.inside[: len(self.inside) - self.inside[::-1].index(tag) - 1]

    def handle_data(self, data):
        self.texts.append((self.inside[-1] if self.inside else "", data))

    def all(self, tag, **wanted):
        return [attrs for name, attrs in self.tags if name == tag and wanted.items() <= attrs.items()]

    def words(self, tag):
        return [text for inside, text in self.texts if inside == tag]

    @property
    def pictures(self):
        """The pictures in the figures; thumbnails have no id."""
        return [decoded(attrs["src"]) for attrs in self.all("img") if "id" in attrs]


def decoded(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        image.load()
        return image


# What is recorded


@pytest.mark.parametrize("env_id", [ROUTES, WORDS, CARDS])
def test_the_film_of_the_expert_ends_solved_with_the_best_reward_at_each_frame(env_id):
    env = verified_env(env_id)
    env.reset(seed=1)
    film = record(env)
    assert film.success
    assert film.outcome == "solved"
    assert film.env_id == env_id
    assert film.instance == env.instance
    assert {frame.verdict.reward for frame in film.frames} == {env.best_reward}
    assert film.reward == env.best_reward * len(film.frames)


@pytest.mark.parametrize("env_id", [ROUTES, WORDS, CARDS])
def test_what_is_asked_is_the_observations_text_at_every_attempt(env_id):
    env = verified_env(env_id, attempts=3)
    observation, _ = env.reset(seed=1)
    for response in ("", "no {JSON}\n\nat all", env.expert_response()):
        assert asked(env) == observation["text"]
        observation, _, over, _, _ = env.step(response)
        if over:
            break


def test_a_wrong_attempt_and_the_next_share_the_question():
    film = record(routes(), saying("nonsense"))
    first, second, third = film.frames[:3]
    assert [first.title, second.title, third.title] == ["Step 1", "Step 1, attempt 2", "Step 2"]
    assert first.scene is second.scene is not third.scene
    assert "Attempt 2 of 2." in second.text
    assert first.verdict.feedback in second.text
    assert (first.verdict.is_correct, second.verdict.is_correct) == (False, True)


def test_a_film_that_begins_after_a_wrong_attempt_counts_on():
    env = puzzle()
    env.step("nonsense")
    assert record(env).frames[0].title == "Step 1, attempt 2"


def test_an_episode_that_is_lost_is_told_so():
    film = record(puzzle(attempts=2), lambda env: "nonsense")
    assert len(film.frames) == 2
    assert film.outcome == "not solved"


def test_no_more_than_the_asked_for_attempts_are_recorded():
    film = record(routes(), most=3)
    assert len(film.frames) == 3
    assert film.outcome == "unfinished"


@pytest.mark.parametrize("most", [0, -1, True, 2.0])
def test_a_bound_that_is_no_number_of_attempts_is_refused(most):
    with pytest.raises(ValueError, match="most="):
        record(routes(), most=most)


def test_a_policy_that_has_no_more_to_say_ends_the_film():
    left = ["nonsense"]
    film = record(puzzle(), lambda env: left.pop() if left else None)
    assert len(film.frames) == 1
    assert film.outcome == "unfinished"


def test_a_film_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one response"):
        record(puzzle(), lambda env: None)


def test_after_the_end_there_is_nothing_to_record():
    env = puzzle()
    record(env)
    with pytest.raises(ResetNeeded):
        record(env)


@pytest.mark.parametrize("city", ["montevideo", "helsinki"])
def test_the_instruction_that_is_due_is_followed_from_the_first_to_the_last(city):
    env = VIRLEnv(city=city, side="all")
    for seed in range(40):
        env.reset(seed=seed)
        route = env.route
        due = [followed(route, passed) for passed in range(len(route.waypoints))]
        assert due == sorted(due)
        assert set(due) == set(range(len(route.instructions)))
        assert [route.instructions[at] for at in due] == [waypoint.sentence for waypoint in route.waypoints]


def test_the_truth_is_told_beside_a_picture_and_nowhere_else():
    assert record(routes(), most=1).frames[0].scene.truth == ""
    env = seen_routes()
    assert record(env, lambda env: "", most=1).frames[0].scene.truth == env.waypoint.observation
    cards = puzzle(CARDS)
    assert ", ".join(cards.puzzle.ranks) in record(cards).frames[0].scene.truth


def test_settings_are_the_split_and_what_was_chosen_and_of_a_path_the_name_alone(tmp_path):
    film = record(routes(split="rule_ood", attempts=3), most=1)
    assert (film.settings["split"], film.settings["attempts"]) == ("rule_ood", 3)
    env = routes()
    env.config = env.config.model_copy(update={"data": tmp_path / "folder"})
    assert record(env, most=1).settings["data"] == "folder"


def test_a_picture_that_packs_badly_is_packed_harder():
    noise = np.random.default_rng(0).integers(0, 256, (1284, 1284, 3), np.uint8)
    smooth = Still.of(Image.new("RGB", (1284, 1284), "red"))
    assert smooth.size == (1284, 1284)
    assert len(smooth.webp) < MOST_BYTES
    soft = Image.fromarray(noise).resize((300, 300)).resize((1284, 1284))
    assert len(Still.of(soft).webp) < MOST_BYTES


# The page


def test_each_frame_is_in_the_page_once_in_order_with_a_link_to_it():
    film = record(routes(), saying("nonsense"))
    page = Page(film.html())
    names = [f"frame-{number}" for number in range(1, len(film.frames) + 1)]
    assert [attrs["id"] for attrs in page.all("section")] == names
    assert [attrs["href"] for attrs in page.all("a") if attrs["href"].startswith("#frame")] == [
        f"#{name}" for name in names
    ]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_tag_that_is_opened_is_closed():
    page = Page(record(seen_routes(), saying("nonsense")).html())
    assert [tag for tag in page.inside if tag not in ("meta", "img", "input")] == []


def test_pictures_and_maps_are_in_the_page_once_each_and_of_their_size():
    film = record(seen_routes(), saying("nonsense"))
    page = Page(film.html())
    steps = film.frames[-1].scene.number
    assert [image.size for image in page.pictures] == [(SIDE, SIDE), (640, 640)] * steps
    sources = [attrs["src"] for attrs in page.all("img") if "id" in attrs]
    assert len(sources) == len(set(sources))
    repeated = [attrs for attrs in page.all("a") if "data-of" in attrs]
    assert [attrs["data-of"] for attrs in repeated] == ["picture-1", "picture-2"]
    thumbs = [attrs for attrs in page.all("img") if "id" not in attrs]
    assert len(thumbs) == steps
    assert all(max(decoded(attrs["src"]).size) <= 96 for attrs in thumbs)


def test_each_figure_says_what_it_shows():
    page = Page(record(seen_routes(), most=2).html())
    assert [attrs["alt"] for attrs in page.all("img") if "id" in attrs][:2] == [
        "What is seen at step 1.",
        f"The map of the route: 0 of {len(seen_routes().route.waypoints)} waypoints lie behind.",
    ]


def test_the_map_names_whose_data_it_shows():
    assert "Map data: (c) OpenStreetMap contributors, ODbL 1.0." in Page(record(routes(), most=1).html()).words(
        "figcaption"
    )


def test_the_page_loads_nothing():
    page = Page(record(seen_routes(), saying("nonsense")).html())
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

    page = Page(record(puzzle()).html())
    [policy] = [attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        [text] = page.words(tag)
        assert f"{tag}-src 'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" in policy


HOSTILE = [
    "</script><script>alert(1)</script>",
    "</pre></section><img src=x onerror=alert(1)><style>*{display:none}</style><!--",
    '"><a href="https://example.org">x</a>&lt;b&gt;',
    json.dumps({"action": "</code><script>alert(1)</script>", "formula": "<svg onload=alert(1)>"}),
]


@pytest.mark.parametrize("make", [routes, puzzle])
@pytest.mark.parametrize("response", HOSTILE)
def test_markup_in_a_response_is_text(make, response):
    plain, hostile = (Page(record(make(), saying(words), most=2).html()) for words in ("nonsense", response))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert response in hostile.words("pre") or json.dumps(json.loads(response), indent=2) in hostile.words("pre")


def test_markup_in_all_else_that_is_told_is_text_too():
    class Marked(VIRLEnv):
        def judge(self, response):
            evil = "<script>alert(1)</script>"
            return Verdict(reward=0, is_correct=False, failure=evil, feedback=evil, reason=evil, metrics={evil: 1.5})

    env = Marked()
    env.reset(seed=3)
    film = record(env, by="<script>alert(1)</script>")
    page = Page(film.html())
    assert len(page.all("script")) == 1
    assert "<script>alert(1)</script> Attempt 2 of 2." in page.words("p")


def test_what_has_no_shape_is_made_visible():
    page = record(puzzle(), saying("a\x00b\x1b[31m\u202eevil\u2066\r\ud800\x85\u2028"), most=1).html()
    assert "a\u2400b\u241b[31m[U+202E]evil[U+2066]\u240d\ufffd[U+0085][U+2028]" in page
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)
    page.encode()


def test_other_scripts_and_pictures_are_shown_as_they_are():
    words = "tab-free: Привет, 你好, שלום, 🙂 \u00e9\nnext"
    assert visible(words) == words


def test_a_response_of_64_kib_is_shown_whole_and_one_longer_by_its_end():
    long = "x" * 70_000 + "<end>"
    page = record(puzzle(), saying(long), most=1).html()
    [said] = [text for text in Page(page).words("pre") if text.startswith("xxx")]
    assert said == long[-64 * 1024 :]
    assert len(page) < 100_000


def shown_response(response):
    return Page(record(puzzle(), saying(response), most=1).html()).words("pre")[-1]


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
    page = Page(record(env, most=4).html())
    due = [followed(env.route, passed) for passed in range(4)]
    marked = [attrs for attrs in page.all("li") if attrs.get("aria-current") == "step"]
    assert len(marked) == 4
    items = [attrs.get("class", "") for attrs in page.all("li") if attrs.keys() <= {"class", "aria-current"}]
    assert items.count("now") == 4
    assert env.route.instructions[due[0]] in page.words("li")


def test_verdicts_are_told_in_words_signs_and_numbers_not_by_colour_alone():
    page = Page(record(puzzle(), saying("nonsense"), most=2).html())
    badges = [text for text in page.words("span") if text[:1] in "\u2713\u2717"]
    assert badges == ["\u2717 -3"] * 2 + ["\u2713 +5"] * 2
    assert "solved" in page.words("li")


def test_a_film_without_pictures_has_its_words():
    film = record(puzzle())
    page = Page(film.html())
    assert not page.all("img")
    assert film.frames[0].text in page.words("pre")


def test_the_same_episode_gives_the_same_page_and_the_same_sheet():
    one, two = (record(routes(), saying("nonsense"), most=4) for _ in range(2))
    assert one.html() == two.html()
    assert one.sheet().tobytes() == two.sheet().tobytes()


# The sheet


@pytest.mark.parametrize(
    ("frames", "columns", "size"),
    [(5, 4, (4 * 336 + 16, 74 + 2 * 372)), (5, 2, (2 * 336 + 16, 74 + 3 * 372)), (1, 4, (336 + 16, 74 + 372))],
)
def test_the_sheet_has_a_tile_for_each_frame(frames, columns, size):
    assert record(routes(), most=frames).sheet(columns).size == size


@pytest.mark.parametrize("columns", [0, 21, True, 2.0])
def test_columns_that_are_no_number_of_columns_are_refused(columns):
    film = record(puzzle())
    with pytest.raises(ValueError, match="columns="):
        film.sheet(columns)


def test_a_tile_shows_the_picture_in_its_middle():
    sheet = record(seen_routes(), most=2).sheet()
    assert np.allclose(sheet.getpixel((16 + 160, 74 + 160)), (0, 80, 200), atol=6)
    assert np.allclose(sheet.getpixel((16 + 336 + 160, 74 + 160)), (10, 80, 200), atol=6)


@pytest.mark.parametrize("response", ["", "\x00\u202e" * 99, "W" * 65_536, "\n" * 5000, "{" * 5000, HOSTILE[3]])
def test_the_sheet_holds_whatever_is_said(response):
    assert record(puzzle(), saying(response), most=1).sheet().size == (352, 446)


# The command


def written(tmp_path, env, **arguments):
    """The page and the sheet that the command would write."""
    episode = dealt(env, 0, **arguments)
    save_film(episode, tmp_path / "out" / "film.html", tmp_path / "out" / "sheet.png")
    with Image.open(tmp_path / "out" / "sheet.png") as image:
        image.load()
    return episode, Page((tmp_path / "out" / "film.html").read_text(encoding="utf-8"))


def test_the_command_writes_the_experts_film(tmp_path):
    episode, page = written(tmp_path, verified_env(WORDS))
    assert episode.origin == "split train, seed 0"
    assert "the expert" in page.words("b")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["film.html", "sheet.png"]


def test_the_command_deals_the_instance_that_is_asked_for(tmp_path):
    _, page = written(tmp_path, verified_env(WORDS), instance="generalpoints:4-3-2-K:24")
    assert "generalpoints:4-3-2-K:24" in page.words("li")


@pytest.mark.parametrize(("page", "sheet"), [(Path("film.pdf"), None), (None, Path("sheet.jpg"))])
def test_a_name_that_says_another_kind_of_file_is_refused(page, sheet):
    with pytest.raises(ValueError, match="give a name that ends in"):
        checked_film(page, sheet)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The log of a policy that is wrong at first."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"

    def policy(dialogues):
        return ["my <b>guess</b>" if len(dialogue) == 1 else '{"formula": "1"}' for dialogue in dialogues]

    evaluate(policy, CARDS, ("train", "rule_ood"), 3, seed=5, log=path, name="guesser", attempts=2)
    return path


def lines_of(log):
    return [json.loads(line) for line in log.read_text().splitlines()[1:]]


def test_a_log_is_replayed_as_it_was_evaluated(tmp_path, log):
    first = lines_of(log)[0]
    episode, page = written(tmp_path, verified_env(CARDS), responses=log)
    assert episode.origin == "episode 0 of train in log.jsonl"
    assert episode.env.instance == first["instance"]
    assert episode.env.attempts == 2  # the log's settings, not those of the environment that was given
    assert "my <b>guess</b>" in page.words("pre")
    assert "guesser" in page.words("b")
    assert "not solved" in page.words("li")


def test_a_log_is_replayed_with_the_verdicts_and_pictures_of_then(log):
    from verienv.evaluation.cells import Cell

    lines = lines_of(log)
    for instance in {line["instance"] for line in lines}:
        told = [line for line in lines if line["instance"] == instance]
        told = [line for line in told if line["cell"] == told[0]["cell"]]
        episode = dealt(verified_env(CARDS), 0, instance, log)
        cell = Cell(CARDS, {"split": told[0]["cell"], "attempts": 2}, 3, 5)
        assert np.array_equal(episode.env.pictures[0], cell.deal(told[0]["episode"]).pictures[0])
        film = record(episode.env, episode.respond)
        assert [frame.verdict.model_dump(mode="json") for frame in film.frames] == [line["verdict"] for line in told]


def responses_in(tmp_path, *lines):
    path = tmp_path / "responses.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_responses_without_a_setup_are_those_of_the_instance_they_name(tmp_path, capsys):
    one = {"response": "one", "instance": "generalpoints:4-3-2-K:24"}
    other = {"response": "other", "instance": "generalpoints:2-3-4-K:24"}
    file = responses_in(tmp_path, one, one, other)
    episode, page = written(tmp_path, verified_env(WORDS), responses=file)
    assert [text for text in page.words("pre") if text in ("one", "other")] == ["one", "one"]
    assert "unfinished" in page.words("li")
    assert episode.env.instance == one["instance"]
    _, page = written(tmp_path, verified_env(WORDS), responses=file, instance=other["instance"])
    assert "other" in page.words("pre")
    assert capsys.readouterr().err == ""


def test_responses_that_name_no_instance_answer_the_one_that_the_seed_deals(tmp_path, capsys):
    env = verified_env(ROUTES)
    env.reset(seed=0)
    answers = [{"response": write_answer(waypoint, "absolute")} for waypoint in env.route.waypoints]
    _, page = written(tmp_path, env, responses=responses_in(tmp_path, *answers, "", {"response": "too much"}))
    assert "solved" in page.words("li")
    assert "1 more responses were not needed" in capsys.readouterr().err


GOOD = {"response": "x"}
HEADER = '{"setup": {"env_id": "verienv/GeneralPoints-L-v0", "cells": {"a": {}}, "episodes": 1, "seed": 0}}'


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "holds no response"),
        (["not json"], "line 1: no JSON"),
        (["[" * 100_000], "line 1: no JSON"),
        ([GOOD, "[1]"], "line 2: expected a JSON object"),
        ([{"response": 3}], "line 1: expected a JSON object"),
        ([{"response": "x", "instance": 3}], "instance=3 is no string"),
        ([{"response": "x", "instance": "virl:3"}], "virl:3"),
        (['{"setup": {"a": 1}}', GOOD], "no header of an evaluation's log"),
        ([HEADER], "holds no response"),
        ([HEADER, GOOD], "cell=None, episode=None"),
        ([HEADER, GOOD | {"cell": ["a"], "episode": 0}], "is no episode of its setup"),
        ([HEADER, GOOD | {"cell": "a", "episode": 1}], "is no episode of its setup"),
        ([HEADER, GOOD | {"cell": "a", "episode": 0, "instance": "other"}], "where this version deals generalpoints:"),
        ([HEADER.replace("Points-L", "Points-VL"), GOOD], "logs verienv/GeneralPoints-VL-v0, not"),
    ],
    ids=str,
)
def test_a_file_that_tells_no_episode_is_a_mistake_in_one_line(tmp_path, lines, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        dealt(verified_env(WORDS), 0, responses=responses_in(tmp_path, *lines))


def test_an_instance_that_is_not_in_the_file_is_a_mistake_that_names_the_first(tmp_path):
    file = responses_in(tmp_path, GOOD | {"instance": "generalpoints:4-3-2-K:24"})
    with pytest.raises(ValueError, match="the first is of generalpoints:4-3-2-K:24"):
        dealt(verified_env(WORDS), 0, "generalpoints:2-3-4-K:24", file)
