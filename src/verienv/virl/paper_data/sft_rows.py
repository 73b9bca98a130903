"""Questions of the paper's demonstrations of V-IRL (``SFT_data/virl-l/data.json`` of arXiv 2501.17161).

A row is a waypoint: instructions, action space, and the observations and actions up to here, the newest observation
last; the answer holds the expert's action. Where the agent looks is not said, so headings here are made up: such that
the action is the one that is due, and the landmark stands where the observation has it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from verienv.core.shown import shown
from verienv.core.wording import kept_prompt
from verienv.virl.actions import WORDS, read_action
from verienv.virl.paper_data.format import ascii_of
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes.route import ActionSpace, Waypoint
from verienv.virl.verifier import field_of, verify
from verienv.virl.world.geometry import COMPASS, POSITIONS

_INSTRUCTIONS, _ACTIONS, _HISTORY, _OUTPUT = (
    "[Instruction]\n",
    "[Action space]\n",
    "[Observations and actions sequence]\n",
    "[Output]\n",
)
_STEP = re.compile(r"([OA])_([0-9]{1,4}):(.*)")
_SENTENCE = re.compile(r"[0-9]{1,3}\. (.*)")
_TURNED = {"left": -90.0, "right": 90.0, "slightly left": -45.0, "slightly right": 45.0}
_CROSSING = "you observe an intersection"
_PICTURE = "you observe an image"
_IS_ON_YOUR = " is on your "


def published_question(prompt: str, answer: str) -> VIRLQuestion | None:
    """Return the question of a row, None for a prompt of another form. Errors as ``Task.published``'s."""
    parts = [_between(prompt, *marks) for marks in ((_INSTRUCTIONS, "\n["), (_ACTIONS, "\n["), (_HISTORY, _OUTPUT))]
    if not all(parts) or _OUTPUT not in prompt:
        return None
    told, space, history = parts
    actions: ActionSpace = "absolute" if "northwest" in space else "relative"
    sentences = [found[1] if (found := _SENTENCE.fullmatch(line)) else line for line in _lines(told)]
    observed, taken = _steps(history)
    said = verify(answer, Waypoint(actions=actions)).answer
    due = read_action(said.get("action"))
    if due is None:
        raise ValueError(f"its answer's action is {shown(said.get('action'))}; expected a call such as forward()")
    seen = observed[-1]
    vision = seen.lower().startswith(_PICTURE)
    view = _text(said, "current observation") if vision else seen
    crossing = _CROSSING in seen.lower() or _CROSSING in view.lower()
    landmark, bearing = _landmark(view)
    waypoint = Waypoint(
        **_move(due, actions),
        sentence=ascii_of(_text(said, "current instruction")),
        landmark=ascii_of(landmark),
        landmark_bearing=bearing,
        at_intersection=crossing,
        actions=actions,
    )
    digest = sha256("\n".join(sentences).encode()).hexdigest()[:16]
    return VIRLQuestion(
        waypoint=waypoint,
        vision=vision,
        attempts=1,
        instructions=tuple(map(ascii_of, sentences)),
        steps=tuple([ascii_of(f"{here} -> {act}") for here, act in zip(observed, taken, strict=False)]),
        route_id=f"virl:published-{digest}",
        step=len(observed) - 1,
        wording=kept_prompt(ascii_of(prompt)),
    )


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0].strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _text(fields: Any, name: str) -> str:
    value = field_of(fields, name)
    return value if isinstance(value, str) else ""


def _steps(history: str) -> tuple[list[str], list[str]]:
    """Return the observations and the actions so far, one fewer: that of the newest observation is due."""
    read: dict[str, list[str]] = {"O": [], "A": []}
    for line in _lines(history):
        found = _STEP.fullmatch(line)
        if found is None or int(found[2]) != len(read[found[1]]) + 1:
            raise ValueError(f"its sequence has the line {shown(line)}; expected O_1, A_1, O_2, A_2 and so on")
        read[found[1]].append(found[3].strip())
    observed, taken = read["O"], [action for action in read["A"] if action]
    if len(taken) + 1 != len(observed):
        raise ValueError(f"its sequence has {len(observed)} observations and {len(taken)} actions; expected one fewer")
    return observed, taken


def _landmark(view: str) -> tuple[str, float]:
    """Return a landmark's name and the direction in which it stands from heading 0; "" where none is near."""
    text = view.strip()
    at = text.lower().rfind(_CROSSING)
    text = (text[:at] if at >= 0 else text).strip(" ;.,")
    name, found, position = text.rpartition(_IS_ON_YOUR)
    if not found or position not in POSITIONS:
        return "", 0.0
    return name, 45.0 * POSITIONS.index(position)


def _move(due: str, actions: ActionSpace) -> dict[str, Any]:
    if due in ("forward()", "stop()"):
        return {"move": due[:-2]}
    word = due.partition("(")[2][:-1]
    if word not in WORDS[actions]:
        raise ValueError(f"its answer's action {due} is none of its action space: {', '.join(WORDS[actions])}")
    to = 45.0 * COMPASS.index(word) if actions == "absolute" else _TURNED[word]
    return {"move": "turn", "turn_to": to}
