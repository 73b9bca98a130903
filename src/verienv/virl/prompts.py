"""The question in words: one short default and a collection of other phrasings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from verienv.core.answer_format import JSON, AnswerFormat, Part, Shape
from verienv.core.feedback import Kinds
from verienv.core.wording import Slots
from verienv.virl.actions import WORDS
from verienv.virl.routes.route import ActionSpace, Waypoint
from verienv.virl.world.geometry import compass_word, position_word, wrap_angle

_JSON = '{"current observation": "...", "current instruction": "...", "action": "..."}'

ACTION, OBSERVATION, INSTRUCTION = "action", "current observation", "current instruction"
"""The fields of an answer."""

SHAPE = Shape(
    key=Part(ACTION, "the action"),
    others=(
        Part(OBSERVATION, "the current observation", "observation"),
        Part(INSTRUCTION, "the current instruction", "instruction"),
    ),
    json=f"Answer in JSON: {_JSON}",
    templates=frozenset({_JSON}),
)
"""The parts of an answer."""

SLOTS = Slots(("instructions", "actions", "view"), ("history", "attempts", "format"))
"""The slots of templates."""


KINDS: Kinds = {
    "unreadable": ("actions",),
    "illegal_action": ("actions",),
    "outside_action_space": ("action", "actions"),
    "wrong_action": ("action", "actions"),
}
"""The kinds of failure, each with the slots that its line of feedback may name."""


class Phrasing(NamedTuple):
    """A phrasing: the text around the request for an answer, and that request where the answer is JSON."""

    text: str
    json: str


DEFAULT = Phrasing(
    "Follow the instructions through the city, one action at a time.\n"
    "Instructions:\n{instructions}\n"
    "Actions: forward() takes one step; turn_direction(x) turns you on the spot, x is one of {words}; stop() ends the "
    "walk at the destination.\n"
    "Steps so far:\n{history}\n"
    "Now: {view}\n{format}",
    SHAPE.json,
)

DIVERSE = (
    Phrasing(
        "You walk through a city by directions.\n\nDirections:\n{instructions}\n\nWhat has happened:\n{history}\n\n"
        "What you see now: {view}\n\nYou may call forward(), stop(), or turn_direction(x) with x from: {words}. "
        "{format}",
        f"Reply with one JSON object: {_JSON}",
    ),
    Phrasing(
        "{view}\n\nThat is your view at this moment. Your way so far:\n{history}\n\nThe route:\n{instructions}\n\n"
        "Choose the next action.\n- forward(): go on\n- turn_direction(x): face another way, x in {words}\n"
        "- stop(): you have arrived\n\n{format}",
        f"Write JSON only: {_JSON}",
    ),
    Phrasing(
        "Task: navigation.\nLegal actions:\n1. turn_direction(x), where x is {words}\n2. forward()\n3. stop()\n\nRoute "
        "description:\n{instructions}\n\nLog of observations and actions:\n{history}\n\nCurrent observation: {view}\n\n"
        "{format}",
        f"Say what you observe, which instruction you are following, and your action, in this form:\n{_JSON}",
    ),
    Phrasing(
        "A guide has written down how to reach a place:\n{instructions}\n\nYou have done this much of it:\n{history}\n"
        "\nYou look around. {view}\n\nWhat do you do next? Use exactly one of forward(), stop() and turn_direction(x); "
        "x can be {words}. {format}",
        "Think first if you like, and end with a JSON object that has the fields current observation, current "
        "instruction and action.",
    ),
    Phrasing(
        "{format}\n"
        "Only these actions exist: forward(); stop(); turn_direction(x) for x in [{words}].\n\nInstructions to "
        "follow in order:\n{instructions}\n\nObservation -> action, so far:\n{history}\n\nObservation now: {view}",
        f"Answer format: {_JSON}",
    ),
    Phrasing(
        "You steer an agent on foot. It moves on with forward(), turns with turn_direction(x) (x: {words}), and "
        "finishes with stop().\n\n[Instructions]\n{instructions}\n\n[Steps]\n{history}\n\n[View]\n"
        "{view}\n\n[Output]\n{format}",
        _JSON,
    ),
    Phrasing(
        "Which step comes next? Instructions:\n{instructions}\nSeen and done before:\n{history}\nSeen now: {view}\nThe "
        "action must be forward(), stop() or turn_direction(x) with x among {words}. {format}",
        'It is checked by a program, which reads a JSON object with the keys "current observation", "current '
        'instruction" and "action".',
    ),
    Phrasing(
        "Walk, turn, arrive.\n{instructions}\n\n{history}\n\n>> {view}\n\nturn_direction(x): {words}. forward(): a "
        "step. stop(): the end.\n{format}",
        _JSON,
    ),
)

PHRASINGS = (DEFAULT, *DIVERSE)

NOTHING_YET = "none"


def write_question(
    instructions: str,
    history: Sequence[str],
    view: str,
    actions: ActionSpace = "absolute",
    phrasing: int = 0,
    answer_format: AnswerFormat = JSON,
) -> str:
    """The question at a waypoint, as printable ASCII.

    Args:
        instructions: the numbered sentences (``numbered``).
        history: a line for each step so far (``step_line``).
        view: the view now (``view``).
        actions: the action space that the question names.
        phrasing: 0 for the default, 1 to 8 for the others.
        answer_format: the format that the answer is asked for in.
    """
    template = _template(phrasing, actions, "" if answer_format is JSON else answer_format.instruction(SHAPE))
    return template.format(instructions=instructions, history=history_text(history), view=view)


def history_text(history: Sequence[str]) -> str:
    """The lines of the history as one text."""
    return "\n".join(history) if history else NOTHING_YET


@lru_cache(maxsize=8)
def actions_text(actions: ActionSpace) -> str:
    """The actions of a space, for a slot."""
    return f"forward(), turn_direction(x) with x one of {', '.join(WORDS[actions])}, and stop()"


@lru_cache(maxsize=1024)
def number_lines(sentences: tuple[str, ...]) -> str:
    """The sentences on lines of their own, counted from 1."""
    return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))


def step_line(waypoint: Waypoint, action: str | None = None) -> str:
    """Return the line of the history for a waypoint: its true observation and the action taken, else the expert's."""
    return f"{waypoint.observation} -> {action or waypoint.action}"


NOWHERE = " (no street lies ahead: you stay where you are)"
"""The end of a line of the history whose forward() led nowhere."""


def actions_left(count: int) -> str:
    """Return the part of the view that tells how many actions a walk has left."""
    left = f"{count} actions are left" if count > 1 else "This is the last action"
    return f"{left}; each is carried out, and stop() ends the walk."


History = Literal["oracle", "own", "none"]
"""The kinds of further lines in the history: the truth, the policy's own words, or none."""

LONGEST_WORDS = 80
"""Characters of the policy's own words that a line of the history holds."""


def own_step_line(observation: Any, action: str) -> str:
    """Return a line of the history in the policy's own words, with the action that led on."""
    words = "".join(letter for letter in observation if " " <= letter <= "~") if isinstance(observation, str) else ""
    return f"{' '.join(words.split())[:LONGEST_WORDS] or '(nothing said)'} -> {action}"


PICTURE = (
    "the picture shows four views: in front of you (upper left), on your right (upper right), behind you (lower left) "
    "and on your left (lower right). The landmark is the nearest place, if its sign is at most 30 m away."
)
"""The part of the question that stands in place of the view, where that is in a picture."""


def view(waypoint: Waypoint, streets: bool = False) -> str:
    """Return the view at a waypoint in words, with ``streets`` also the directions of the streets."""
    ways = describe_streets(waypoint) if streets else ""
    return f"{waypoint.observation} {ways}" if ways else waypoint.observation


def describe_streets(waypoint: Waypoint) -> str:
    """Return the directions of the streets at a waypoint, clockwise from ahead; "" where they are not known."""
    if not waypoint.streets:
        return ""
    heading = waypoint.heading
    ways = sorted(waypoint.streets, key=lambda street: wrap_angle(street - heading + 22.5))
    text = ", ".join(f"{position_word(heading, street)} ({compass_word(street)})" for street in ways)
    return f"Streets lead {text}."


@lru_cache(maxsize=64)
def _template(phrasing: int, actions: ActionSpace, instruction: str) -> str:
    """The phrasing with its words and the request for an answer filled in, for ``str.format``."""
    text, json = PHRASINGS[phrasing]
    asked = (instruction or json).replace("{", "{{").replace("}", "}}")
    return text.replace("{format}", asked).replace("{words}", ", ".join(WORDS[actions]))


LONGEST_QUESTION = 16_384
"""No question is longer: routes whose questions would be are refused."""
