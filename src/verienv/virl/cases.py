"""Cases of V-IRL for verifiers: the shipped vectors, answers at random waypoints, hostile text, repeated faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from verienv.core.cases import FLOOD_UNITS, HOSTILE_CODE, AnyCase, Level, Material, noise, plain_fields, read_vectors
from verienv.virl.actions import action_space
from verienv.virl.answers import write_answer, wrong_answer
from verienv.virl.routes.route import ActionSpace, Move, Waypoint
from verienv.virl.verifier import Failure
from verienv.virl.world.geometry import turn_word

VECTORS = "vectors/virl.jsonl"
RULES: tuple[ActionSpace, ...] = ("absolute", "relative")
LANDMARKS = ("Joe's Pizza", "'wichcraft", 'St. Mary\'s; "X"', "No. 9", "{Brace} }{", "Cafe Muller", "The Crown")

CORNER = Waypoint(
    (40.7308, -73.9973), 350.0, "turn", 80.0, "Turn right to face east.", "Joe's Pizza", "Joe's Pizza", 260.0, True
)
"""The waypoint that hostile responses are judged at."""


@dataclass(frozen=True)
class VIRLCase(AnyCase):
    """A response at a waypoint and what is owed.

    Attributes:
        name: unique among the vectors.
        failure: "" for a right answer, else why it is none: a member of ``virl.verifier.Failure``.
        reward: the paper's reward; None where the case does not fix one.
        observed: whether the observation is true; None where the case does not say.
        strict: the setting of the verifier under which the verdict holds; None for both.
        why: the reason, for people.
        level: who owes this verdict.
    """

    name: str
    response: str
    waypoint: Waypoint
    failure: str
    why: str
    reward: float | None = None
    observed: bool | None = None
    strict: bool | None = None
    level: Level = "task"

    @property
    def facts(self) -> Waypoint:
        return self.waypoint

    @property
    def setting(self) -> str:
        """The waypoint in a few words."""
        return f"heading {self.waypoint.heading:g}, {self.waypoint.actions}, {self.waypoint.action} is due"

    def holds(self, strict: bool) -> bool:
        """Whether the verdict holds under these settings."""
        return self.strict in (None, strict)


@lru_cache(maxsize=1)
def load_vectors() -> tuple[VIRLCase, ...]:
    """Every case of ``assets/vectors/virl.jsonl``. Raises ValueError if the file is damaged."""
    return read_vectors(VECTORS, _vector, "tools/build_virl_vectors.py")


def _vector(fields: dict[str, Any]) -> VIRLCase:
    expect = fields["expect"]
    place = fields["waypoint"] | {name: tuple(fields["waypoint"][name]) for name in ("location", "streets")}
    waypoint = Waypoint(**place, actions=fields["actions"])
    group, response, failure = fields["name"].rpartition(" ")[0], fields["response"], expect["failure"]
    return VIRLCase(
        name=fields["name"],
        response=response,
        waypoint=waypoint,
        failure=failure,
        why=fields["why"],
        reward=expect["reward"],
        observed=expect["observation_correct"],
        strict=fields.get("strict"),
        level=fields.get("level", _level(group, response, failure, waypoint)),
    )


_WRONG_TO_ALL = frozenset({"wrong", "outside", "both", "huge", "type", "claims", "flood", "seam"})
"""Groups of vectors whose wrong answers are wrong under any reading."""


def _level(group: str, response: str, failure: str, place: Waypoint) -> Level:
    """Return who owes the verdict: whether it hangs on a reading that verienv chose, such as of upper case."""
    if not failure:
        fields = plain_fields(response, "current observation", "current instruction", "action")
        return "task" if fields.get("action") == place.action else "full"
    is_elsewhere = group.startswith("reading: ") and failure in ("wrong_action", "outside_action_space")
    return "task" if group in _WRONG_TO_ALL or is_elsewhere else "full"


def material(strict: bool, waypoints: int, seed: int) -> Material:
    """Everything, with the answers at ``waypoints`` random waypoints under both rules."""
    cases = [case for case in load_vectors() if case.holds(strict)]
    drawn = list(random_cases(waypoints, seed))
    cases += [*drawn, *other_waypoint_cases(drawn), *hostile_cases(seed)]
    return Material.of(calibration_cases(), cases, drawn, repeated_fault_cases(), repeated_right_cases())


def random_waypoint(rng: np.random.Generator) -> Waypoint:
    """A pose whose move has a word under both rules, with or without a landmark and a crossing."""
    moves: tuple[Move, ...] = ("forward", "turn", "turn", "stop")
    heading, turn_to, landmark_bearing = (float(angle) for angle in rng.uniform(0, 360, size=3))
    while not turn_word(heading, turn_to):
        turn_to = float(rng.uniform(0, 360))
    landmark = ("", *LANDMARKS)[int(rng.integers(len(LANDMARKS) + 1))]
    return Waypoint(
        (40.73, -74.0),
        heading,
        moves[int(rng.integers(len(moves)))],
        turn_to,
        "Follow the street.",
        landmark,
        landmark,
        landmark_bearing,
        bool(rng.integers(2)),
    )


def calibration_cases() -> tuple[list[VIRLCase], list[VIRLCase]]:
    """Return right answers and wrong actions, as plain as can be: they show how a verifier pays."""
    places = {
        CORNER: ("turn_direction(west)", "turn_direction(left)"),
        Waypoint(heading=80.0, sentence="Walk forward."): ("stop()", "stop()"),
        Waypoint(heading=200.0, move="stop", sentence="Stop here."): ("forward()", "turn_direction(left)"),
    }
    right, wrong = [], []
    for place, off in ((replace(where, actions=RULES[i]), offs[i]) for where, offs in places.items() for i in (0, 1)):
        right.append(VIRLCase("plain right", write_answer(place), place, "", "a plain right answer"))
        answer = write_answer(place, action=off)
        wrong.append(VIRLCase("plain wrong", answer, place, "wrong_action", "a plain wrong answer"))
    return right, wrong


def random_cases(waypoints: int, seed: int) -> Iterator[VIRLCase]:
    """Yield the expert's action in several spellings, every other action, and wrong answers, under both rules."""
    rng = np.random.default_rng(seed)
    for _ in range(waypoints):
        drawn = random_waypoint(rng)
        for place in (replace(drawn, actions=actions) for actions in RULES):
            due = place.action
            quoted = due.replace("(", "( '").replace(")", "' )") if place.move == "turn" else due
            for text in dict.fromkeys((due, due.upper(), f" {due}\n", quoted)):
                right = write_answer(place, action=text)
                level: Level = "task" if text == due else "full"
                yield VIRLCase("right", right, place, "", "the action that is due", level=level)
            unseen = write_answer(place, observation="I see the sea.")
            yield VIRLCase("unseen", unseen, place, "", "a right action is paid whatever is observed")
            right = write_answer(place)
            others = [action for action in action_space(place.actions) if action != due]
            for action in others:
                wrong = write_answer(place, action=action)
                yield VIRLCase("wrong", wrong, place, "wrong_action", "a legal action that is not due")
                for calls in (f"{due}; {action}", f"{action}; {due}"):
                    several = write_answer(place, action=calls)
                    yield VIRLCase("several", several, place, "illegal_action", "two calls are no action")
            last = "the last answer counts, and it is"
            wrong = write_answer(place, action=others[0])
            yield VIRLCase("drafts", f"{wrong}\nNo. {right}", place, "", f"{last} right", level="full")
            yield VIRLCase("drafts", f"{right}\nNo. {wrong}", place, "wrong_action", f"{last} wrong", level="full")
            for failure in Failure:
                meant = wrong_answer(place, failure, rng)
                if meant is not None:  # what is unreadable or illegal to verienv may be read by others
                    level = "task" if failure in (Failure.WRONG_ACTION, Failure.OUTSIDE) else "full"
                    yield VIRLCase("meant", meant, place, str(failure), failure.replace("_", " "), level=level)


def other_waypoint_cases(drawn: Iterable[VIRLCase]) -> Iterator[VIRLCase]:
    """The response that is right at a waypoint, given where another move is due or the other rule holds."""
    for case in {case.waypoint: case for case in drawn if case.name == "right" and case.level == "task"}.values():
        place = case.waypoint
        others = {
            "right where one turns elsewhere": replace(place, turn_to=(2 * place.heading - place.turn_to) % 360),
            "right where another move is due": replace(place, move="stop" if place.move != "stop" else "forward"),
            "right where one comes from elsewhere": replace(place, heading=(2 * place.turn_to - place.heading) % 360),
            "right under the other rule": replace(place, actions=RULES[place.actions == "absolute"]),
        }
        for why, other in others.items():
            failure = "" if other.action == place.action else "wrong_action"
            failure = failure if place.action in action_space(other.actions) else "outside_action_space"
            yield replace(case, name="same response", waypoint=other, failure=failure, why=why)
        yield case


def hostile_cases(seed: int) -> Iterator[VIRLCase]:
    """Text that is no right action: code, floods of brackets and quotes, noise."""
    texts = {
        HOSTILE_CODE: "code",
        f"{{'action': {HOSTILE_CODE}}}": "code as a Python literal",
        f"{{'action': 'turn_direction(east)' if {HOSTILE_CODE} else ''}}": "code as a Python literal",
    }
    for action in (
        HOSTILE_CODE,
        f"turn_direction({HOSTILE_CODE})",
        f"turn_direction(east) if {HOSTILE_CODE} else stop()",
        f"stop();{HOSTILE_CODE}",
    ):
        texts[write_answer(CORNER, action=action)] = "code as action"
        texts[write_answer(CORNER, action="stop()", observation=action)] = "code as observation"
    for unit in (
        '{"action":',
        *FLOOD_UNITS,
        "(",
        "forward()",
        "\ud800",
        "\0",
        "é",
        " ",
    ):
        texts[unit * (60_000 // len(unit))] = "a flood"
        texts['{"action": ' + unit * (30_000 // len(unit)) + "}"] = "a flood where the action should be"
        texts['{"action": "' + unit * (30_000 // len(unit)) + '"}'] = "a flood for an action"
        texts['{"action": "stop()", "current observation": "' + unit * (30_000 // len(unit)) + '"}'] = (
            "a flood observed"
        )
    texts['{"a":' * 12_000 + "1" + "}" * 12_000] = "deep nesting"
    texts["\n".join(['{"action": "forward()", "x": "'] * 2000)] = "unfinished drafts"
    pieces = ['{"action": ', '"turn_direction(', "right", "left", ')"', "}", "{", "\\", '"', "'", "\ud800", "\x00", "é"]
    pieces += [";", "stop()", "\n", "[", ","]
    for text in noise(pieces, seed):
        texts[text] = "noise"  # it never holds the word due, which is east
    for text, why in texts.items():
        yield VIRLCase("hostile", text, CORNER, "unreadable", why)


def repeated_fault_cases() -> Iterator[list[VIRLCase]]:
    """Families of one wrong answer with 1, 2, 4, ..., 256 faults of one kind."""
    families: dict[str, Callable[[int], str]] = {
        "calls": lambda count: write_answer(CORNER, action="forward()" + "; forward()" * count),
        "illegal characters": lambda count: write_answer(CORNER, action="forward()" + "#" * count),
        "parentheses never closed": lambda count: write_answer(CORNER, action="forward" + "(" * count),
        "wrong answers": lambda count: "\n".join([write_answer(CORNER, action="forward()")] * count),
        "landmarks that are not there": lambda count: write_answer(
            CORNER, action="forward()", observation="The Moon is near. " * count
        ),
        "sentences without an answer": lambda count: "I do not know. " * count,
    }
    for why, write in families.items():
        level: Level = "total" if why == "illegal characters" else "task"  # some would take those for a comment
        texts = [write(2**power) for power in range(9)]
        yield [
            VIRLCase("piling", text, CORNER, "wrong_action", f"{2**power} {why}", level=level)
            for power, text in enumerate(texts)
        ]


def repeated_right_cases() -> Iterator[list[VIRLCase]]:
    """Families of one right answer, given 1, 2, 4, ..., 256 times, or after so many sentences."""
    right = write_answer(CORNER)
    families = {"times": f"{right}\n", "sentences before the answer": "Let me think. "}
    for why, unit in families.items():
        texts = [unit * 2**power + right for power in range(9)]
        yield [
            VIRLCase("again", text, CORNER, "", f"{2**power} {why}", level="full") for power, text in enumerate(texts)
        ]
