"""Several attempts at a question in TRL, each submitted with a tool. Import them from ``verienv.adapters.trl``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from verienv.adapters.tasks import Row
from verienv.core.dialogue import attempt_line
from verienv.core.verdict import Verdict
from verienv.generalpoints.question import PuzzleRow
from verienv.virl.question import WaypointRow
from verienv.virl.verifier import ACTION, INSTRUCTION, OBSERVATION


class _Attempts:
    """The attempts at the question of a row; ``tool`` is what messages call the tool."""

    def __init__(self, read: Callable[[Mapping[str, Any]], Row], tool: str) -> None:
        self._read, self._tool = read, tool
        self._row: Row | None = None
        self._verdicts: list[Verdict] = []

    def begin(self, row: Mapping[str, Any]) -> None:
        self._row, self._verdicts = self._read(row), []

    def submit(self, fields: Mapping[str, Any], over: str) -> str:
        """Judge an answer; what is said to it, ``over`` if it comes too late to count."""
        row = self._begun(f"{self._tool}()")
        if self._is_over(row):
            return over
        verdict = row.judge(json.dumps(fields, default=str))
        self._verdicts.append(verdict)
        if self._is_over(row):
            return verdict.feedback
        return f"{verdict.feedback}\n{attempt_line(len(self._verdicts) + 1, row.attempts)}"

    def reward(self) -> float:
        row = self._begun("get_reward()")
        return self._verdicts[-1].reward if self._verdicts else row.judge("").reward

    def _begun(self, call: str) -> Row:
        if self._row is None:
            raise RuntimeError(f"call reset(**row) before {call}")
        return self._row

    def _is_over(self, row: Row) -> bool:
        answered = len(self._verdicts)
        return answered > 0 and (self._verdicts[-1].is_correct or answered >= row.attempts)


class Environment:
    """Several attempts at a puzzle with feedback between them, for ``GRPOTrainer(environment_factory=Environment)``.

    TRL resets one object for each rollout with the row of ``dataset``, offers ``answer`` to the policy as a tool, and
    asks ``get_reward`` at the end. With pictures, TRL 1.16 needs a processor that makes one tensor of them, as those of
    the Qwen-VL models do: on a list of arrays, as PIL image processors make, it fails after the first answer.
    """

    def __init__(self) -> None:
        self._attempts = _Attempts(PuzzleRow.read, "answer")

    def reset(self, **row: Any) -> str:
        """Begin with the puzzle of ``row``.

        Returns:
            A line for the prompt.

        Raises:
            ValueError: if a column is missing or wrong.
        """
        self._attempts.begin(row)
        return "\nSubmit each answer with the tool `answer`."

    def answer(self, cards: list[str], number: list[int], formula: str) -> str:
        """
        Submit an answer and be told whether it is correct.

        Args:
            cards: The cards, such as A, 10 or K.
            number: The number that each card counts.
            formula: The arithmetic expression that makes the target.

        Returns:
            Whether the answer is correct, else what is wrong with it and how many attempts are left.
        """
        fields = {"cards": cards, "number": number, "formula": formula}
        return self._attempts.submit(fields, over="The puzzle is over: no further answer counts.")

    def get_reward(self) -> float:
        """The reward of the last answer that counted; without any, that of an unreadable one."""
        return self._attempts.reward()


class NavigationEnvironment:
    """Several attempts at a waypoint with feedback between them, in place of ``Environment`` for rows of V-IRL.

    An episode is one waypoint, all that its row knows of: after a correct action it is over.
    """

    def __init__(self) -> None:
        self._attempts = _Attempts(WaypointRow.read, "act")

    def reset(self, **row: Any) -> str:
        """Begin with the waypoint of ``row``.

        Returns:
            A line for the prompt.

        Raises:
            ValueError: if a column is missing or wrong.
        """
        self._attempts.begin(row)
        return "\nSubmit each answer with the tool `act`."

    def act(self, observation: str, instruction: str, action: str) -> str:
        """
        Take an action and be told whether it is correct.

        Args:
            observation: What you see: the landmark, and whether you are at an intersection.
            instruction: The instruction that you follow now.
            action: The action, such as forward(), stop() or turn_direction(x).

        Returns:
            Whether the action is correct, else what is wrong with it and how many attempts are left.
        """
        fields = {OBSERVATION: observation, INSTRUCTION: instruction, ACTION: action}
        return self._attempts.submit(fields, over="This waypoint is over: no further action counts.")

    def get_reward(self) -> float:
        """The reward of the last action that counted; without any, that of an unreadable answer."""
        return self._attempts.reward()
