"""V-IRL: all that the suite knows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from verienv.core.task import Cells, Measures, Task

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from verienv.core.answer_format import Shape
    from verienv.core.cases import Material
    from verienv.core.question import Question
    from verienv.core.scene import Scene
    from verienv.core.verdict import OwnRewards, Verdict
    from verienv.virl.question import VIRLQuestion
    from verienv.virl.verifier import VIRLRewards

MAP_SIZE = 640
"""Width and height of a replay's maps in px: labels stay legible, a map takes 40 kB."""

MOST_DEFECTS = 20
"""The number of defective routes that ``convert`` names one by one."""


def act(observation: str, instruction: str, action: str) -> str:
    """
    Take an action and be told whether it is correct.

    Args:
        observation: What you see: the landmark, and whether you are at an intersection.
        instruction: The instruction that you follow now.
        action: The action, such as forward(), stop() or turn_direction(x).

    Returns:
        Whether the action is correct, else what is wrong with it and how many attempts are left.
    """
    fields = {"current observation": observation, "current instruction": instruction, "action": action}
    return json.dumps(fields, default=str)


class VIRLTask(Task):
    """Follow a route through a city by instructions."""

    name = "virl"
    title = "V-IRL"
    data_license = ("odbl", "Streets and places: (c) OpenStreetMap contributors, under the Open Database License.")
    environments: ClassVar[Mapping[str, str]] = {
        "verienv/VIRL-L-v0": "verienv.virl.env:VIRLEnv",
        "verienv/VIRL-VL-v0": "verienv.virl.vision_env:VIRLVisionEnv",
    }
    numeric: ClassVar[Mapping[str, str]] = {
        "verienv/VIRL-Discrete-v0": "verienv.numeric.navigation:make",
        "verienv/VIRL-VL-Discrete-v0": "verienv.numeric.navigation:make_vision",
    }
    column = "waypoint"
    fields = ("action", "current observation", "current instruction")
    ability = "navigation"
    unit = "route"
    noun = "route"
    solved = "walked"
    tool = staticmethod(act)
    tool_over = "This walk is over: no further action counts."

    @property
    def question(self) -> type[VIRLQuestion]:
        from verienv.virl.question import VIRLQuestion

        return VIRLQuestion

    @property
    def tables(self) -> Mapping[str, Cells]:
        from verienv.virl.config import RULE_BY_CITY

        return {"rule_by_city": RULE_BY_CITY}

    @property
    def shape(self) -> Shape:
        from verienv.virl.prompts import SHAPE

        return SHAPE

    def measures(self, vision: bool) -> Measures:
        return _measures(vision)

    def next(self, question: Question, verdict: Verdict) -> Question | None:
        """A correct action leads along the expert's path; a wrong one is not executed, but may be mended.

        On a walk every legal action is executed.
        """
        from verienv.virl.verifier import Failure

        own = _own(question)
        executed = verdict.is_correct or (own.walk and verdict.failure == Failure.WRONG_ACTION)
        return own.following(verdict) if executed else super().next(question, verdict)

    def reward_table(self, rewards: Any) -> VIRLRewards | OwnRewards:
        from verienv.virl.verifier import VIRLRewards

        return VIRLRewards.of(rewards)

    def cases(self, *, vision: bool, strict: bool, questions: int, seed: int) -> Material:
        from verienv.virl.cases import material

        if vision:
            raise ValueError(
                "vision=True: expected False for V-IRL, whose verdicts are the same for words and pictures"
            )
        return material(strict, questions, seed)

    def convert(self, source: Path, out: Path, *, defects: str, note: Callable[[str], None]) -> str:
        """Convert the paper's routes. The file is played with the setting ``data``.

        Where panoramas are mapped (gps_pano_mapping.pkl), it says which were taken near the routes, so that the pickle
        is not read again.
        """
        from verienv.virl.paper_data.panoramas import summarize_missing
        from verienv.virl.paper_data.routes import Defects, convert

        report = convert(source, out, defects=cast(Defects, defects))  # it checks the word
        for index, reason in list(report.defects.items())[:MOST_DEFECTS]:
            note(f"route {index} is left out: {reason}")
        if len(report.defects) > MOST_DEFECTS:
            note(f"... and {len(report.defects) - MOST_DEFECTS} more routes are left out")
        missing = summarize_missing(report.missing) if report.missing else "none missing"
        panoramas = f"{report.panoramas} found near the routes, {missing}"
        if report.panoramas is None:
            panoramas = "none (there is no gps_pano_mapping.pkl beside the routes)"
        left_out = f"{len(report.defects)} left out"
        return f"routes: {report.routes} of {report.name} in {out}, {left_out}\npanoramas: {panoramas}"

    def published(self, prompt: str, answer: str, about: Mapping[str, Any]) -> Question | None:
        from verienv.virl.paper_data.sft_rows import published_question

        return published_question(prompt, answer)

    def likeness(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the route's id, and the ``landmarks`` that its instructions name, in order."""
        from verienv.virl.routes.instructions import named_landmarks

        instance = row.get("instance")
        if not isinstance(instance, str) or not instance:
            raise ValueError("it names no instance: the route it is of")
        told = row.get("instructions") or ()
        landmarks = named_landmarks([each for each in told if isinstance(each, str)]) if isinstance(told, list) else ()
        return {"routes": instance, **({"landmarks": " / ".join(landmarks)} if landmarks else {})}

    def help(self, question: Question) -> str:
        from verienv.virl.actions import WORDS

        word = WORDS[_own(question).waypoint.actions][0]
        return (
            f"Type an action such as forward(), or a word of it such as {word}, or a whole answer as asked for; "
            "'give up' for the expert's action, 'q' to quit."
        )

    def typed(self, question: Question, text: str) -> str:
        """An action or a word of one (north, forward, stop) becomes the JSON answer around it, the rest of it true."""
        from verienv.virl.actions import action_space
        from verienv.virl.answers import write_answer

        if "{" in text or "<" in text:
            return text
        waypoint, form = _own(question).waypoint, question.wording.answer_format
        legal = action_space(waypoint.actions)
        words = {action.replace("turn_direction", "").replace("(", "").replace(")", ""): action for action in legal}
        action = words.get(" ".join(text.lower().split()), text)
        return write_answer(waypoint, action=action, answer_format=form)

    def choices(self, question: Question) -> tuple[str, ...]:
        from verienv.virl.actions import action_space

        return action_space(_own(question).waypoint.actions)

    def news(self, question: Question) -> str:
        own = _own(question)
        done = f"{own.steps[-1]}\n" if own.walk and own.steps else ""
        return f"{done}Now: {own.view}"

    def revealed(self, question: Question) -> Iterator[str]:
        yield f"The expert's action here is  {_own(question).waypoint.action}"

    def scene(self, question: Question, solved: bool = False) -> Scene:
        from verienv.core.scene import Scene
        from verienv.virl.routes.route import current_instruction

        own = _own(question)
        route, city, passed = own.route, own.city, own.passed(solved)
        if route is None:
            return Scene(view=own.view, instructions=own.instructions)
        return Scene(
            map=self.map(question, solved, MAP_SIZE),
            map_note=own.walk.whereabouts if own.walk else f"{passed} of {len(route.waypoints)} waypoints lie behind.",
            instructions=route.instructions,
            current=current_instruction(route, passed) if own.walk is None or own.walk.at is not None else None,
            view=own.view,
            truth=own.waypoint.observation if own.vision else "",
            subject=f"{route.city}: {route.start} to {route.destination}" if route.start else route.city,
            attribution=city.attribution if city else "",
        )

    def map(self, question: Question, solved: bool = False, size: int | None = None) -> Image | None:
        from verienv.virl.pictures.map import draw_map

        own = _own(question)
        if own.route is None:
            return None
        sized: dict[str, Any] = {} if size is None else {"size": size}
        if own.walk:
            sized |= {"track": own.walk.track, "agent": own.waypoint}
        return draw_map(own.route, own.city, passed=own.passed(solved), **sized)


@cache
def _measures(vision: bool) -> Measures:
    from verienv.virl.verifier import Failure

    of_walks = {
        "success_in_block": "in the block",
        "spl": "SPL",
        "ndtw": "nDTW",
        "sdtw": "SDTW",
        "cls": "CLS",
        "oracle_success": "oracle",
        "turns_right": "turns right",
        "navigation_error": "error, m",
    }
    return Measures(
        failures=tuple(map(str, Failure)),
        metrics={
            "observation_correct": False,
            "instruction_correct": False,
            "is_turn": False,
            "is_forward": False,
        },
        headings={
            "step_accuracy": "per step",
            "step_accuracy_per_episode": "mean per route",
            "turn_accuracy": "at turns",
            "forward_share": "forward due",
            "observation_accuracy": "recognition" if vision else "observation",
            "instruction_accuracy": "instruction",
            "turn_accuracy_given_instruction": "at turns read right",
            "progress": "progress",
            **of_walks,
        },
        ratios={
            "step_accuracy": ("is_correct", "attempt"),
            "turn_accuracy": ("is_correct", "is_turn"),
            "forward_share": ("is_forward", "attempt"),
            "observation_accuracy": ("observation_correct", "attempt"),
            "instruction_accuracy": ("instruction_correct", "attempt"),
            "turn_accuracy_given_instruction": ("is_correct", "is_turn", "instruction_correct"),
        },
        outcomes=("progress",),
        extras={name: "m" if name == "navigation_error" else "" for name in of_walks},
        headline="step_accuracy",
        fields={"observation_correct": "current observation", "instruction_correct": "current instruction"},
    )


def _own(question: Question) -> VIRLQuestion:
    return cast("VIRLQuestion", question)


VIRL = VIRLTask()
