"""Flawed verifiers of V-IRL, one class of fault each."""

# ruff: noqa: S307

from __future__ import annotations

import json
import math
import random
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from tests.testing.broken import by_action
from tests.testing.mutations.suite import Mutations, Verifier

from verienv.core.response import read_answer
from verienv.testing import Kind
from verienv.virl.actions import read_action
from verienv.virl.routes.route import Waypoint
from verienv.virl.verifier import action_failure, verify
from verienv.virl.world.geometry import COMPASS, compass_word, turn

VIRL = Mutations("virl")
ACCEPT, REJECT = Kind.FALSE_ACCEPT, Kind.FALSE_REJECT
OTHER_SPELLING = "plain actions have none of it"
WHICH_COUNTS = "which of several answers counts is a choice, as long as one does"


def right(response: str, waypoint: Waypoint) -> float:
    return verify(response, waypoint, rewards="binary").reward


def word_of(action: str) -> str:
    """The direction of a turn; "" of any other action."""
    return (read_action(action) or "").removesuffix(")").partition("turn_direction(")[2]


def relative(judge: Callable[[str, float], bool]) -> Verifier:
    """A verifier that is right but for turns under the relative rule: of the word and the signed degrees."""

    def reward(action: str, place: Waypoint) -> bool:
        if place.actions == "absolute" or place.move != "turn":
            return not action_failure(action, place)
        return action_failure(action, place) in ("", "wrong_action") and judge(
            word_of(action), turn(place.heading, place.turn_to)
        )

    return by_action(reward)


action_of = lambda kind, **rest: VIRL.decision(by_action, kind, **rest)  # noqa: E731
turn_of = lambda kind, **rest: VIRL.decision(relative, kind, **rest)  # noqa: E731
verifier, maker = VIRL.verifier, VIRL.maker

# Turns.


@action_of(ACCEPT)
def no_modulo(action: str, place: Waypoint) -> bool:
    """Relative directions without modulo 360: from 350 to 20 degrees is left."""
    if place.actions == "absolute" or place.move != "turn":
        return not action_failure(action, place)
    angle = place.turn_to - place.heading
    return word_of(action) == f"{'slightly ' if abs(angle) <= 67.5 else ''}{'right' if angle > 0 else 'left'}"


@turn_of(ACCEPT)
def left_for_right(word: str, angle: float) -> bool:
    """Left and right are exchanged."""
    return word == f"{'slightly ' if abs(angle) <= 67.5 else ''}{'left' if angle > 0 else 'right'}"


@turn_of(ACCEPT)
def either_side(word: str, angle: float) -> bool:
    """Left and right are both paid."""
    return word.startswith("slightly ") == (abs(angle) <= 67.5) and bool(word)


@turn_of(ACCEPT)
def slightly_ignored(word: str, angle: float) -> bool:
    """Slightly left is left."""
    return word.endswith("right" if angle > 0 else "left")


@turn_of(ACCEPT)
def slight_below_45(word: str, angle: float) -> bool:
    """A turn is slight up to 45 degrees only."""
    return word == f"{'slightly ' if abs(angle) <= 45 else ''}{'right' if angle > 0 else 'left'}"


@turn_of(ACCEPT)
def back_is_left(word: str, angle: float) -> bool:
    """Exactly back counts as left."""
    return word == f"{'slightly ' if abs(angle) <= 67.5 else ''}{'right' if 0 < angle < 180 else 'left'}"


@turn_of(ACCEPT)
def back_is_either(word: str, angle: float) -> bool:
    """Nearly back counts as left and as right."""
    side = "right" if angle > 0 else "left"
    return word == f"{'slightly ' if abs(angle) <= 67.5 else ''}{side}" or (
        abs(angle) > 135 and word in ("left", "right")
    )


@action_of(ACCEPT)
def any_direction(action: str, place: Waypoint) -> bool:
    """Where a turn is due, any turn is paid."""
    return not action_failure(action, place) or (place.move == "turn" and bool(word_of(action)))


@action_of(ACCEPT)
def neighbouring_direction(action: str, place: Waypoint) -> bool:
    """The next word of the compass is near enough."""
    if place.actions == "relative" or place.move != "turn":
        return not action_failure(action, place)
    return word_of(action) in (compass_word(place.turn_to + step) for step in (-45, 0, 45))


@action_of(ACCEPT)
def compass_cut(action: str, place: Waypoint) -> bool:
    """The word of the compass is cut down, not rounded to the nearest."""
    if place.actions == "relative" or place.move != "turn":
        return not action_failure(action, place)
    return word_of(action) == COMPASS[int(place.turn_to // 45) % 8]


@action_of(ACCEPT)
def where_one_looks(action: str, place: Waypoint) -> bool:
    """The heading before the turn is compared, not the one after it."""
    return not action_failure(action, replace(place, turn_to=place.heading) if place.actions == "absolute" else place)


@action_of(ACCEPT)
def where_the_landmark_is(action: str, place: Waypoint) -> bool:
    """The landmark's bearing is taken for the heading to turn to."""
    due = replace(place, actions="absolute", turn_to=place.landmark_bearing)
    return not action_failure(action, due if place.actions == "absolute" else place)


# The rule.


@action_of(ACCEPT)
def either_rule(action: str, place: Waypoint) -> bool:
    """The other rule's words are paid too."""
    return not all(action_failure(action, replace(place, actions=rule)) for rule in ("absolute", "relative"))


@action_of(ACCEPT)
def always_absolute(action: str, place: Waypoint) -> bool:
    """The heading is read, not the rule: words of the compass always."""
    return not action_failure(action, replace(place, actions="absolute"))


@action_of(ACCEPT)
def always_relative(action: str, place: Waypoint) -> bool:
    """Left and right always."""
    return not action_failure(action, replace(place, actions="relative"))


# Moves.


@action_of(ACCEPT)
def forward_always_paid(action: str, place: Waypoint) -> bool:
    """forward() is never wrong."""
    return not action_failure(action, place) or read_action(action) == "forward()"


@action_of(ACCEPT)
def stop_always_paid(action: str, place: Waypoint) -> bool:
    """stop() is never wrong."""
    return not action_failure(action, place) or read_action(action) == "stop()"


@action_of(REJECT)
def stop_never_paid(action: str, place: Waypoint) -> bool:
    """The end of the route is no waypoint."""
    return not action_failure(action, place) and place.move != "stop"


@action_of(ACCEPT)
def stop_is_forward(action: str, place: Waypoint) -> bool:
    """Where to stop, forward() is expected."""
    return not action_failure(action, replace(place, move="forward") if place.move == "stop" else place)


@action_of(REJECT)
def instruction_obeyed(action: str, place: Waypoint) -> bool:
    """The action is read off the sentence, not the waypoint."""
    meant = word_of(action) if word_of(action) else (read_action(action) or "(").partition("(")[0]
    return meant in place.sentence.lower() and not action_failure(action, place)


# What is read.


@verifier(Kind.NO_DIFFERENCE)
def observation_paid(response: str, waypoint: Waypoint) -> float:
    """A true observation is paid like a right action."""
    verdict = verify(response, waypoint)
    return float(verdict.is_correct or verdict.metrics["observation_correct"])


@verifier(REJECT)
def observation_required(response: str, waypoint: Waypoint) -> float:
    """A right action is paid beside a true observation only."""
    verdict = verify(response, waypoint)
    return float(verdict.is_correct and verdict.metrics["observation_correct"])


@action_of(ACCEPT)
def first_call_counts(action: str, place: Waypoint) -> bool:
    """Of several calls the first counts."""
    return not action_failure(action.partition(";")[0], place)


@action_of(ACCEPT)
def last_call_counts(action: str, place: Waypoint) -> bool:
    """Of several calls the last counts."""
    return not action_failure(action.rpartition(";")[2], place)


@action_of(ACCEPT)
def call_found_in_the_field(action: str, place: Waypoint) -> bool:
    """The action must stand somewhere in the field."""
    return place.action in action or not action_failure(action, place)


@action_of(ACCEPT)
def beginning_of_a_word(action: str, place: Waypoint) -> bool:
    """The beginning decides: north is paid where northeast is written."""
    return not action_failure(action, place) or action.startswith(place.action.removesuffix(")"))


@verifier(ACCEPT)
def action_anywhere(response: str, waypoint: Waypoint) -> bool:
    """The action must stand somewhere in the response."""
    return waypoint.action in response


@action_of(REJECT, house=OTHER_SPELLING)
def compared_as_written(action: str, place: Waypoint) -> bool:
    """Case, white space and quotes must be the expert's."""
    return action == place.action


@action_of(ACCEPT, house="look-alikes are right to some")
def unicode_normalised(action: str, place: Waypoint) -> bool:
    """NFKC turns full-width signs into ASCII."""
    return not action_failure(unicodedata.normalize("NFKC", action), place)


@action_of(ACCEPT, house="a word alone is right to some")
def word_alone(action: str, place: Waypoint) -> bool:
    """East is paid for turn_direction(east)."""
    return not action_failure(action, place) or not action_failure(f"turn_direction({action})", place)


@verifier(REJECT, house=WHICH_COUNTS)
def first_object_counts(response: str, waypoint: Waypoint) -> float:
    """The first object is judged, not the last."""
    end = response.find("}\n")
    return right(response[: end + 1] if end >= 0 else response, waypoint)


@verifier(ACCEPT)
def any_object_counts(response: str, waypoint: Waypoint) -> float:
    """A list of guesses is paid if one of them is right."""
    return max(right(part, waypoint) for part in [response, *response.split("\n")[:500]])


@verifier(Kind.CODE)
def action_evaluated(response: str, waypoint: Waypoint) -> float:
    """eval calls the action."""
    action = (read_answer(response, "action") or {}).get("action")
    try:
        eval(str(action)[:300], {"forward": str, "stop": str, "turn_direction": str})
    except Exception:
        return right(response, waypoint)
    return right(response, waypoint)


# States, caches and changes.


@maker(ACCEPT)
def cached_by_response() -> Verifier:
    """lru_cache by the response alone."""
    seen: dict[str, float] = {}
    return lambda response, waypoint: seen.setdefault(response, right(response, waypoint))


@maker(ACCEPT)
def cached_by_response_and_place() -> Verifier:
    """A cache by response and location, which forgets heading, move and rule."""
    seen: dict[tuple[str, tuple[float, float]], float] = {}
    return lambda response, waypoint: seen.setdefault((response, waypoint.location), right(response, waypoint))


@maker(ACCEPT)
def cached_without_the_rule() -> Verifier:
    """A cache that forgets the rule."""
    seen: dict[tuple[str, Waypoint], float] = {}

    def reward(response: str, waypoint: Waypoint) -> float:
        return seen.setdefault((response, replace(waypoint, actions="absolute")), right(response, waypoint))

    return reward


@maker(REJECT)
def cached_without_the_move() -> Verifier:
    """A cache of the action that is due by heading, which forgets where one turns to."""
    seen: dict[tuple[float, str, str], str] = {}

    def due(action: str, place: Waypoint) -> bool:
        return read_action(action) == seen.setdefault((place.heading, place.actions, place.move), place.action)

    return by_action(due)


@maker(Kind.NON_DETERMINISM)
def position_remembered() -> Verifier:
    """A right forward() earns less after another."""
    last = [""]

    def reward(response: str, waypoint: Waypoint) -> float:
        before, last[0] = last[0], waypoint.move
        return right(response, waypoint) * (0.9 if before == waypoint.move else 1.0)

    return reward


@maker(Kind.NON_DETERMINISM)
def noise_added() -> Verifier:
    """A little noise is added to break ties."""
    rng = random.Random(0)
    return lambda response, waypoint: right(response, waypoint) + rng.random() / 1000


@maker(Kind.NON_DETERMINISM)
def budget_of_steps() -> Verifier:
    """After a thousand calls a step earns less."""
    calls = count()
    return lambda response, waypoint: right(response, waypoint) * (1.0 if next(calls) < 1000 else 0.9)


@verifier(Kind.CHANGED)
def moves_the_agent(response: str, waypoint: Waypoint) -> float:
    """After a right action the waypoint's heading is the new one."""
    reward = right(response, waypoint)
    if reward:
        object.__setattr__(waypoint, "heading", waypoint.turn_to + 1)
    return reward


@verifier(Kind.CHANGED)
def sets_the_rule(response: str, waypoint: Waypoint) -> float:
    """The waypoint's rule is set to the verifier's own."""
    reward = right(response, waypoint)
    waypoint.__dict__["actions"] = "absolute"
    return reward


# What comes back.


@verifier(Kind.EXCEPTION)
def raises_on_a_list(response: str, waypoint: Waypoint) -> float:
    """An action that is no string has no lower()."""
    answer = read_answer(response, "action")
    return 0.0 if answer is None or not answer["action"].lower() else right(response, waypoint)


@verifier(Kind.EXCEPTION)
def raises_on_text(response: str, waypoint: Waypoint) -> float:
    """What is no JSON raises."""
    json.loads(response)
    return right(response, waypoint)


@verifier(Kind.EXCEPTION)
def raises_on_surrogates(response: str, waypoint: Waypoint) -> float:
    """A lone surrogate cannot be encoded."""
    return right(response, waypoint) if response.encode() else 0.0


@verifier(Kind.EXCEPTION)
def raises_on_an_unknown_word(response: str, waypoint: Waypoint) -> float:
    """A direction that is no word of the compass is a ValueError."""
    action = (read_answer(response, "action") or {}).get("action")
    word = re.fullmatch(r"turn_direction\(([a-z]+)\)", action if isinstance(action, str) else "")
    if word and waypoint.actions == "absolute":
        COMPASS.index(word[1])
    return right(response, waypoint)


@verifier(Kind.NOT_FINITE)
def returns_nan(response: str, waypoint: Waypoint) -> float:
    """NaN where the action is not in the list."""
    return math.nan if verify(response, waypoint).failure == "illegal_action" else right(response, waypoint)


@verifier(Kind.NOT_FINITE)
def returns_none(response: str, waypoint: Waypoint) -> float | None:
    """Nothing where nothing is read."""
    return None if read_answer(response, "action") is None else right(response, waypoint)


@verifier(Kind.UNBOUNDED)
def penalty_for_every_call(response: str, waypoint: Waypoint) -> float:
    """Every call in a wrong response costs."""
    return right(response, waypoint) or -float(response.count("()"))


@verifier(Kind.UNBOUNDED)
def double_credit(response: str, waypoint: Waypoint) -> float:
    """A right action is paid as often as it is given."""
    return right(response, waypoint) * max(1, response.count('"action"'))


@verifier(Kind.SLOW, settings={"time_limit": 0.02})
def exponential_expression(response: str, waypoint: Waypoint) -> float:
    """A regular expression backtracks without bound."""
    re.search(r"(?:[a-z_]+\(?\)?)+;$", response[-400:])
    return right(response, waypoint)


@verifier(Kind.SLOW, settings={"time_limit": 0.01})
def sleeps(response: str, waypoint: Waypoint) -> float:
    """It waits for another machine."""
    time.sleep(0.03)
    return right(response, waypoint)
