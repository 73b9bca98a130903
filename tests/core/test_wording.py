"""Questions in one's own words: what a template, a function and a system prompt may say, and where it is told."""

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verienv
from verienv.core.dialogue import parts_of
from verienv.core.question import Question
from verienv.core.wording import LONGEST_PROMPT, LONGEST_TEMPLATE, MOST_USES, PLAIN, THINK_FIRST, Slots, check_template

CARDS, PICTURES = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
ROUTES, STREETS = "verienv/VIRL-L-v0", "verienv/VIRL-VL-v0"
SMALL: dict[str, dict[str, Any]] = {PICTURES: {"image_size": 96}, STREETS: {"view_size": 64}}
OF_HANDS = "Make {target} from {cards}, where {rule}."
OF_ROUTES = "{instructions}\n{history}\n{view}\nYou may: {actions}"
TEMPLATES = {CARDS: OF_HANDS, PICTURES: OF_HANDS, ROUTES: OF_ROUTES, STREETS: OF_ROUTES}
SLOTS = Slots(("cards", "target"), ("format", "attempts"))

each_env = pytest.mark.parametrize("env_id", TEMPLATES)


def make(env_id: str, **rest: Any) -> Any:
    return gym.make(env_id, **SMALL.get(env_id, {}), **rest).unwrapped


def text_of(env_id: str, **rest: Any) -> str:
    """The first words of an episode."""
    found: str = make(env_id, **rest).reset(seed=0)[0]["text"]
    return found


def test_a_template_is_filled_and_followed_by_the_attempts() -> None:
    text = text_of(CARDS, prompt="{{so}}: " + OF_HANDS)
    assert text == "{so}: Make 24 from 7, 9, 4, 9, where J = 10, Q = 10, K = 10.\nAttempt 1 of 5."


def test_a_template_may_tell_the_attempts_in_its_own_place() -> None:
    text = text_of(CARDS, prompt="{attempts} " + OF_HANDS)
    assert text.startswith("Attempt 1 of 5. Make 24")
    assert text.count("Attempt") == 1


def test_a_function_may_tell_the_attempts_in_its_own_place() -> None:
    assert text_of(CARDS, prompt=lambda slots: "{attempts}: {cards}?".format(**slots)) == "Attempt 1 of 5.: 7, 9, 4, 9?"


def test_later_attempts_are_told_behind_the_feedback() -> None:
    env = make(CARDS, prompt="{attempts} " + OF_HANDS)
    env.reset(seed=0)
    text = env.step("")[0]["text"]
    assert text.startswith("Attempt 1 of 5. ")
    assert text.endswith(".\nAttempt 2 of 5.")


@each_env
def test_the_format_is_asked_for_where_the_template_says(env_id: str) -> None:
    asked = "Write the formula as <answer>...</answer>." if "General" in env_id else "Write the action as <answer>"
    text = text_of(env_id, prompt="{format}\n" + TEMPLATES[env_id], answer_format="tags")
    assert text.startswith(asked)
    assert asked not in text_of(env_id, prompt=TEMPLATES[env_id], answer_format="tags")


@pytest.mark.parametrize(
    ("slot", "shown"),
    [
        ("{cards.real}", "{cards.real}"),
        ("{cards[0]}", "{cards[0]}"),
        ("{cards.__class__.__mro__}", "is no slot"),
        ("{cards!r}", "{cards!r}"),
        ("{cards:>9}", "{cards:>9}"),
        ("{cards:{target}}", "{cards:{target}}"),
        ("{0}", "{0}"),
        ("{}", "{}"),
        ("{ cards }", "{ cards }"),
        ("{", "Single '{'"),
        ("}", "Single '}'"),
        ("{cards", "expected '}'"),
    ],
)
def test_what_is_no_plain_name_is_refused_with_the_text(slot: str, shown: str) -> None:
    with pytest.raises(ValueError, match=r"prompt='") as caught:
        gym.make(CARDS, prompt="{cards} {rule} {target} " + slot)
    assert shown in str(caught.value)
    assert "\n" not in str(caught.value)


@each_env
def test_an_unknown_slot_is_an_error_that_lists_all(env_id: str) -> None:
    needed = "{rule}, {target}" if "General" in env_id else "{instructions}, {actions}, {view}"
    with pytest.raises(
        ValueError, match=r"unknown slot \{waypoint\}; it must name .*, and may name .*\{format\}"
    ) as told:
        make(env_id, prompt=TEMPLATES[env_id] + "{waypoint}")
    assert needed in str(told.value)


@each_env
def test_a_missing_slot_is_an_error_that_lists_all(env_id: str) -> None:
    with pytest.raises(ValueError, match=r"the slot .* is missing; it must name .*, and may name .*\{format\}"):
        make(env_id, prompt="Answer! {format}")


def test_with_pictures_a_template_need_not_name_the_cards_and_shows_none() -> None:
    assert "the cards in the picture" in text_of(PICTURES, prompt=OF_HANDS)
    assert text_of(PICTURES, prompt="{rule}: {target}").startswith("J = 10, Q = 10, K = 10: 24\n")


@pytest.mark.parametrize("env_id", [PICTURES, STREETS])
def test_no_slot_tells_what_the_picture_shows(env_id: str) -> None:
    met: list[dict[str, str]] = []
    env = make(env_id, prompt=lambda slots: met.append(slots) or "?")
    env.reset(seed=3)
    shown = env.question.puzzle.ranks if "General" in env_id else [env.waypoint.observation]
    (slots,) = met
    facts = ", ".join(shown)
    assert not [name for name, text in slots.items() if facts in text]


def test_plain_numbers_need_no_rule() -> None:
    assert text_of(CARDS, numbers=(1, 9), prompt="{cards} {target}").endswith(" 24\nAttempt 1 of 5.")


@pytest.mark.parametrize("setting", ["prompt", "system_prompt"])
@pytest.mark.parametrize("odd", ["\N{LATIN SMALL LETTER E WITH ACUTE}", "\t", "\r", "\0", "\x7f", "\ud800"])
def test_what_is_not_printable_is_refused_with_its_place(setting: str, odd: str) -> None:
    with pytest.raises(ValueError, match=rf"{setting}=.*at character 3 is not printable ASCII"):
        gym.make(CARDS, **{setting: f"abc{odd} {OF_HANDS}"})


@pytest.mark.parametrize("setting", ["prompt", "system_prompt"])
def test_a_text_has_a_bound(setting: str) -> None:
    most = OF_HANDS + "x" * (LONGEST_TEMPLATE - len(OF_HANDS))
    gym.make(CARDS, **{setting: most})
    with pytest.raises(ValueError, match=rf"{setting}.*: {LONGEST_TEMPLATE + 1} characters; expected at most"):
        gym.make(CARDS, **{setting: most + "x"})


def test_a_slot_is_named_a_few_times_at_most() -> None:
    gym.make(CARDS, prompt="{cards}" * MOST_USES + "{rule}{target}")
    with pytest.raises(ValueError, match=rf"\{{cards\}} more than {MOST_USES} times"):
        gym.make(CARDS, prompt="{cards}" * (MOST_USES + 1) + "{rule}{target}")


def test_a_text_without_a_slot_is_no_prompt() -> None:
    with pytest.raises(ValueError, match=r"prompt='Make 24.': expected default, diverse, .*a template with slots, or"):
        gym.make(CARDS, prompt="Make 24.")


@given(st.text(alphabet="{}ab[].!: cards\n", max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_text_is_a_template_or_a_value_error(text: str) -> None:
    try:
        template = check_template(text, SLOTS)
    except ValueError:
        return
    filled = template.fill(dict.fromkeys(("cards", "target", "format", "attempts"), "#"))
    assert filled == text.format(cards="#", target="#", format="#", attempts="#")


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "returned None; expected a text"),
        (b"What?", "returned b'What\\?'; expected a text"),
        ("na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve", "at character 2 is not printable ASCII"),
        ("x" * (LONGEST_PROMPT + 1), f"{LONGEST_PROMPT + 1} characters; expected at most {LONGEST_PROMPT}"),
    ],
    ids=["None", "bytes", "odd", "long"],
)
@each_env
def test_what_a_function_may_not_return_is_a_value_error(env_id: str, returned: Any, told: str) -> None:
    env = make(env_id, prompt=lambda slots: returned)
    with pytest.raises(ValueError, match=told):
        env.reset(seed=0)


@each_env
@pytest.mark.parametrize("kind", ["template", "function"])
def test_the_longest_wording_fits_the_observation_at_every_attempt(env_id: str, kind: str) -> None:
    """Every slot as often as it may be named, in a template of full length, to the longest lines of feedback."""
    of_hands = "General" in env_id
    every = "{cards}{rule}{target}{count}{operators}" if of_hands else "{instructions}{actions}{history}{view}"
    template = (every + "{attempts}{format}") * MOST_USES
    template += "x" * (LONGEST_TEMPLATE - len(template))
    chosen: Any = template if kind == "template" else lambda slots: "x" * LONGEST_PROMPT
    long = {"system_prompt": "s" * LONGEST_TEMPLATE, "feedback": lambda verdict, told: "f" * 10**6, "think_first": True}
    shape = "tags+cards+number" if of_hands else "tags+observation+instruction"
    grown: dict[str, Any] = {"cards": 5, "target": 999} if of_hands else {"turns": 6 if env_id == ROUTES else 1}
    env = make(env_id, prompt=chosen, attempts=3, answer_format=shape, **long, **grown)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    over, step = False, 0
    while not over:
        observation, _, over, *_ = env.step(env.expert_response() if step % 3 == 2 else "")
        assert observation in env.observation_space
        step += 1


def test_a_route_of_the_longest_question_fits() -> None:
    env = make(
        ROUTES, prompt="{instructions}{history}{view}{actions}" * MOST_USES, system_prompt="s" * LONGEST_TEMPLATE
    )
    env.reset(seed=0)
    longest = env.longest_question
    question = env.question.but(steps=("x" * (longest - len(env.question.prompt) // MOST_USES - 200),))
    episode = verienv.Episode(question)
    assert len(episode.text) > 3 * longest
    assert {"text": episode.text} in env.observation_space


@each_env
def test_a_system_prompt_is_told_everywhere(env_id: str) -> None:
    own = {**SMALL.get(env_id, {}), "system_prompt": "Be brief."}
    (row,) = verienv.rows(env_id, n=1, **own)
    env = gym.make(env_id, **own).unwrapped
    observation, info = env.reset(seed=row["seed"])
    episode = verienv.Episode.of(row)
    for messages in (row["prompt"], info["messages"], episode.messages, env.messages):  # type: ignore[attr-defined]
        assert [message["role"] for message in messages] == ["system", "user"]
        assert parts_of(messages[0])[0]["text"] == "Be brief."
    assert observation["text"] == episode.text
    assert observation["text"] == f"Be brief.\n\n{parts_of(row['prompt'][1])[-1]['text']}"


@pytest.mark.parametrize("env_id", [ROUTES, STREETS])
def test_each_new_question_of_a_route_has_the_system_prompt_again(env_id: str) -> None:
    env = make(env_id, system_prompt="Be brief.", turns=1)
    env.reset(seed=0)
    over = False
    while not over:
        observation, _, over, _, info = env.step(env.expert_response())
        assert observation["text"].startswith("Be brief.\n\n")
        assert [message["role"] for message in info["messages"]][:2] == ["system", "user"]


@each_env
def test_an_empty_system_prompt_is_none(env_id: str) -> None:
    env = make(env_id, system_prompt="")
    env.reset(seed=0)
    assert [message["role"] for message in env.messages] == ["user"]
    assert env.question.wording is PLAIN


@each_env
def test_think_first_the_question_asks_to_think_first(env_id: str) -> None:
    for own in ({}, {"prompt": "diverse"}, {"prompt": TEMPLATES[env_id]}, {"prompt": lambda slots: "What now?"}):
        assert text_of(env_id, think_first=True, **own).count(THINK_FIRST) == 1
        assert THINK_FIRST not in text_of(env_id, **own)


@pytest.mark.parametrize("answer_format", ["json", "tags", "boxed", "line", "tags+cards+number"])
@pytest.mark.parametrize("tags", [("<think>", "</think>"), None])
def test_demonstrations_hold_the_derivation_in_every_format(answer_format: str, tags: Any) -> None:
    own = {"answer_format": answer_format, "reasoning_tags": tags}
    with_steps = list(verienv.demonstrations(CARDS, n=4, steps=True, **own))
    for row, plain in zip(with_steps, verienv.demonstrations(CARDS, n=4, **own), strict=True):
        long, short = (each["completion"][0]["content"] for each in (row, plain))
        assert long.endswith(short)
        assert long.removesuffix(short).count(" = ") == 3
        assert row["reward"] == 5.0
        assert THINK_FIRST not in row["prompt"][0]["content"]  # ``steps`` of demonstrations are the expert's


@pytest.mark.parametrize("answer_format", ["tags", "boxed", "line"])
def test_an_answer_in_reasoning_is_none_in_every_format(answer_format: str) -> None:
    env = make(CARDS, answer_format=answer_format, reasoning_tags=("[THINK]", "[/THINK]"))
    env.reset(seed=0)
    right = env.expert_response()
    assert env.judge(f"[THINK]It could be 1+1.[/THINK]\n{right}").is_correct
    assert not env.judge(f"[THINK]{right}").is_correct
    assert not env.judge(f"[THINK]\n{right}\n[/THINK]").is_correct


@each_env
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_a_question_asks_the_same(env_id: str, copied: Any, seed: int) -> None:
    env = make(env_id, prompt="diverse")
    question: Question = env.deal(np.random.default_rng(seed)).but(
        **({"table": None} if "General" in env_id else {"draw": None, "sampler": None, "route": None})
    )
    again = copied(question)
    assert again == question
    assert again.prompt == question.prompt
    assert again.wording is PLAIN
    assert again.wording.answer_format is PLAIN.answer_format


def test_a_question_made_by_hand_refuses_a_wording_that_does_not_suit() -> None:
    from verienv.core.formats import parse_format
    from verienv.core.template import Template
    from verienv.core.wording import Wording
    from verienv.generalpoints import Puzzle
    from verienv.generalpoints.question import GeneralPointsQuestion

    puzzle = Puzzle(("4", "3", "2", "K"))
    for wording, told in (
        (Wording(Template("{view}")), r"unknown slot \{view\}"),
        (Wording(answer_format=parse_format("tags+observation")), r"\+cards, \+number"),
    ):
        with pytest.raises(ValueError, match=told):
            GeneralPointsQuestion.of(puzzle, wording=wording)
    assert GeneralPointsQuestion.of(puzzle, wording=Wording(Template("Cards?"))).prompt == "Cards?"


@pytest.mark.parametrize(
    ("answer_format", "tags"),
    [("tags", ("<answer>", "</answer>")), ("json", ("{", "}")), ("boxed", ("\\boxed", "}"))],
)
def test_reasoning_tags_that_would_hide_every_answer_are_refused(answer_format: str, tags: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="would be reasoning; give other tags, or None"):
        gym.make("verienv/GeneralPoints-L-v0", answer_format=answer_format, reasoning_tags=tags)
