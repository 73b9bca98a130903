"""A rule-based reader: from an observation's text, and nothing else, to an action. It shares no code with verienv."""

import re

POSITIONS = ["front", "right front", "right", "right behind", "behind", "left behind", "left", "left front"]
TURN_OF = {
    "left front": "slightly left", "left": "left", "left behind": "left",
    "right front": "slightly right", "right": "right", "right behind": "right",
}  # fmt: skip
SENTENCE = re.compile(r"^\d+\. (.*)$", re.MULTILINE)
PLACES = {"front": "in front of you", "behind": "behind you"}
PHRASES = [PLACES.get(position, f"on your {position}") for position in POSITIONS]


def read(text: str) -> str:
    """The action for the question in ``text`` (the default phrasing)."""
    told, _, rest = text.partition("\nActions: ")
    legal, _, rest = rest.partition("\nSteps so far:\n")
    history, _, rest = rest.partition("\nNow: ")
    now = rest.partition("\nAnswer in JSON")[0]
    sentences = SENTENCE.findall(told)
    steps = [] if history == "none" else [line.rsplit(" -> ", 1) for line in history.split("\n")]
    seen = [observation for observation, _ in steps] + [now]
    at = 0
    for (_, action), after in zip(steps, seen[1:], strict=True):
        if action.startswith("turn_direction") or is_end(sentences[at], after):
            at += 1
    sentence = sentences[at]
    if sentence == "Stop.":
        return "stop()"
    if sentence.startswith("Walk"):
        return "forward()"
    return f"turn_direction({turn(sentence, now, is_absolute='north' in legal)})"


def is_end(sentence: str, seen: str) -> bool:
    """Whether a walk ends where this is seen."""
    crossing = "You are at an intersection." in seen
    if sentence == "Walk forward to the next intersection.":
        return crossing
    if destination := re.fullmatch(r"Walk forward until your destination (.*)", sentence):
        return seen.startswith(destination[1])
    landmark = re.fullmatch(r"Walk forward to the intersection where (.*)", sentence)
    assert landmark, sentence
    return crossing and seen.startswith(landmark[1])


def turn(sentence: str, now: str, *, is_absolute: bool) -> str:
    """The word of a turn, from the sentence where it tells it, else by way of the streets that are seen."""
    streets = re.findall(r"([a-z]+(?: [a-z]+)?) \(([a-z]+)\)", now.rpartition("Streets lead ")[2])
    streets = [(position, compass) for position, compass in streets if position != "behind"]
    if both := re.fullmatch(r"Turn (.*) to face (.*)\.", sentence):
        return both[2] if is_absolute else both[1]
    if absolute := re.fullmatch(r"Turn to face (.*)\.", sentence):
        fitting = [street for street in streets if street[1] == absolute[1]]
    elif landmark := re.fullmatch(rf"Turn until (.*) is ({'|'.join(PHRASES)})\.", sentence):
        phrase = now.removeprefix(f"{landmark[1]} is ").partition(".")[0]
        eighths = PHRASES.index(phrase) - PHRASES.index(landmark[2])
        fitting = [
            street for street in streets if street[0] != "front" and (POSITIONS.index(street[0]) - eighths + 1) % 8 <= 2
        ]
    else:
        side = sentence.removeprefix("Turn ").removesuffix(".")
        fitting = [street for street in streets if TURN_OF.get(street[0]) == side]
    assert len(fitting) == 1, (sentence, now)
    return fitting[0][1] if is_absolute else TURN_OF[fitting[0][0]]
