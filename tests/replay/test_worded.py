"""Replays of episodes whose questions are worded and answered in the user's own way."""

import pytest
from tests.replay.episodes import CARDS, ROUTES, WORDS, Page, puzzle, routes, saying

from verienv.core.make import make_env
from verienv.replay import contact_sheet, html_page, record

EVIL = "<script>alert(1)</script>"
SYSTEM = f"You play cards. {EVIL}"


@pytest.mark.parametrize(
    ("form", "response"),
    [
        ("tags", "I try <ANSWER>1+1</ANSWER>"),
        ("boxed", r"So \boxed{1+1}"),
        ("line", "So:\n1+1"),
        ("tags+cards", "<cards>1, 1</cards> <answer>1+1</answer>"),
    ],
)
def test_the_gist_is_the_formula_as_it_was_read_in_the_format_of_the_question(form, response):
    [frame] = record(puzzle(answer_format=form), saying(response), most=1).frames
    assert frame.gist == "1+1"
    assert frame.response == response


@pytest.mark.parametrize("form", ["tags", "boxed+observation", "line"])
def test_the_gist_of_a_route_is_the_action_in_every_format(form):
    [frame] = record(routes(answer_format=form), most=1).frames
    assert frame.gist == frame.verdict.answer["action"]


def test_an_answer_in_a_format_of_ones_own_is_read_by_it():
    class Mine:
        instruction = "End with a colon and the formula."

        def read(self, response):
            return response.rpartition(":")[2].strip()

    replay = record(puzzle(answer_format=Mine()), saying("My answer: 1+1"), most=1)
    assert replay.frames[0].gist == "1+1"
    assert "answer_format=Mine" in replay.choices


@pytest.mark.parametrize("setting", ["prompt", "feedback", "rewards"])
def test_a_function_of_ones_own_need_not_be_registered_for_a_replay(setting):
    def mine(*given):
        return 1.0 if setting == "rewards" else "Say something."

    assert f"{setting}=mine" in record(puzzle(**{setting: mine}), saying("x"), most=1).choices


@pytest.mark.parametrize("make", [puzzle, routes])
def test_the_page_shows_the_system_prompt_apart_from_the_question(make):
    page = Page(html_page(record(make(system_prompt="You are brief."), most=1)))
    assert "You are brief." in page.words("pre")
    assert [text for text in page.words("pre") if "You are brief." in text] == ["You are brief."]
    assert "System" in page.words("h3")


def test_the_text_of_a_frame_is_the_observation_with_its_system_prompt():
    env = puzzle(system_prompt="You are brief.")
    [frame] = record(env, most=1).frames
    assert frame.text.startswith("You are brief.\n\n")
    assert frame.dialogue == frame.text.removeprefix("You are brief.\n\n")


def test_the_page_marks_the_answer_in_what_was_said():
    page = Page(html_page(record(puzzle(answer_format="tags"), saying("No 1+1 but <answer>1+1</answer>"), most=1)))
    assert page.words("mark") == ["1+1"]
    assert "No 1+1 but <answer>" in page.words("pre")


def test_the_page_shows_tags_as_they_were_written_and_runs_none_of_them():
    env = make_env(
        WORDS,
        answer_format="tags",
        system_prompt=SYSTEM,
        prompt=f"{{cards}} {{rule}} {{target}} {{attempts}} {EVIL} {{format}}",
        feedback={"wrong": f"No. {EVIL}"},
    )
    env.reset(seed=0)
    replay = record(env, saying(f"{EVIL}<answer>{EVIL}</answer>"), by=EVIL, most=2)
    text = html_page(replay)
    assert EVIL not in text
    assert Page(text).words("mark")[0] == EVIL
    assert replay.frames[0].gist == EVIL


def test_attempts_told_within_the_prompt_are_told_once():
    env = puzzle(prompt="{attempts} {cards} {rule} {target} {format}")
    [frame] = record(env, most=1).frames
    assert frame.text.count("Attempt 1 of 5.") == 1


def test_a_long_template_is_shown_by_its_beginning_among_the_settings():
    replay = record(puzzle(prompt="{cards} {rule} {target} {format}" + "\nand so on" * 400), most=1)
    [choice] = [choice for choice in replay.choices if choice.startswith("prompt=")]
    assert len(choice) == 80
    assert choice.endswith("...")


@pytest.mark.parametrize("env_id", [WORDS, CARDS, ROUTES])
def test_a_sheet_of_a_worded_episode_has_the_tile_of_each_attempt(env_id):
    env = make_env(env_id, answer_format="boxed", system_prompt=SYSTEM, think_first=True)
    env.reset(seed=0)
    sheet = contact_sheet(record(env, saying("x"), most=2))
    assert sheet.size[0] > 2 * 320
