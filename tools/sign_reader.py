"""A scripted reader of signs on V-IRL by sight, and the same with the picture blanked: what the picture is worth.

    pip install rapidocr-onnxruntime==1.4.4    # brings OpenCV and a model; best in an environment of its own
    python tools/sign_reader.py [--routes 20] [--out FILE.json]

Both follow the sentences word for word, are told whether streets cross (``junction_hint``), and have one attempt at
each waypoint. The reader looks for the landmark that the sentence names, by an independent OCR in the views where it
should stand, and goes on to the next sentence when it is where it should be. With a blank picture it takes the first
intersection for the one that is meant, and stops at the first waypoint of the last street.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from read_signs import is_below, like, lines_of, plain
from verienv.evaluation.statistics import wilson
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.geometry import POSITIONS, position_phrase, turn

PHRASES = {position_phrase(position): position for position in POSITIONS}
LANDMARK = re.compile(rf"(?:where|destination) (.*) is ({'|'.join(PHRASES)})\.$")
ASIDE = 22.5 + 10.0
"""Degrees from the middle of what a position's word means to a sign: half its width, and signs hang beside doors."""

Picture = NDArray[np.uint8]
Look = Callable[[Picture, str], list[float]]
"""From a view and a name to the directions of its signs, in degrees to the right of the view's middle."""


class Reader:
    """The policy. It keeps count of the sentence that is due, and looks at most once at each view."""

    def __init__(self, text: str, look: Look | None) -> None:
        self._sentences = re.findall(r"^\d+\. (.*)$", text.partition("\nActions: ")[0], re.MULTILINE)
        self._is_absolute = "x is one of north" in text
        self._at, self._walked = 0, False
        self._look = look

    def act(self, text: str, picture: Picture) -> str:
        """The action for a question."""
        crossing = "You are at an intersection." in text.rpartition("\nNow: ")[2]
        if self._walked and self._is_end(self._sentences[self._at], crossing, picture):
            self._at, self._walked = self._at + 1, False
        sentence = self._sentences[self._at]
        if sentence == "Stop.":
            return "stop()"
        if sentence.startswith("Walk"):
            self._walked = True
            return "forward()"
        self._at += 1
        side, compass = re.fullmatch(r"Turn (.*) to face (.*)\.", sentence).groups()  # type: ignore[union-attr]
        return f"turn_direction({compass if self._is_absolute else side})"

    def _is_end(self, sentence: str, crossing: bool, picture: Picture) -> bool:
        landmark = LANDMARK.search(sentence)
        is_last = "your destination" in sentence
        if not crossing and not is_last:
            return False
        if landmark is None or self._look is None:
            return True
        name, position = landmark[1], PHRASES[landmark[2]]
        size = (picture.shape[0] - 4) // 2
        around = POSITIONS.index(position) / 2  # in quarters of a turn
        for quarter in sorted({int(around), int(around + 0.5)}):
            row, column = divmod(quarter % 4, 2)
            view = picture[row * (size + 4) :, column * (size + 4) :][:size, :size]
            if any(abs(turn(90.0 * around, 90.0 * quarter + angle)) <= ASIDE for angle in self._look(view, name)):
                return True
        return False


def looker(ocr: Any) -> Look:
    """A look by OCR: signs whose lines say the name, one below the other or side by side."""

    def look(view: Picture, name: str) -> list[float]:
        lines, wanted, found = lines_of(ocr, view), plain(name), []
        for start, line in enumerate(lines):
            group = [line]
            for other in (None, *lines[start + 1 : start + 7]):
                if other and is_below(group[-1], other):
                    group.append(other)
                if like("".join(plain(each[4]) for each in group), wanted):
                    middle = sum((each[0] + each[2]) / 2 for each in group) / len(group)
                    found.append(float(np.degrees(np.arctan((middle / view.shape[1] - 0.5) * 2))))
                    break
        return found

    return look


def walked(env: VIRLVisionEnv, seed: int, look: Look | None) -> tuple[bool, int, int, float]:
    """Success, correct steps, steps, and the share of the route done."""
    observation, info = env.reset(seed=seed)
    reader = Reader(observation["text"], look)
    over, right, steps = False, 0, 0
    while not over:
        answer = json.dumps({"action": reader.act(observation["text"], observation["image"])})
        observation, _, over, _, info = env.step(answer)
        right, steps = right + info["is_correct"], steps + 1
    return bool(info["is_success"]), right, steps, float(info["progress"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routes", type=int, default=20)
    parser.add_argument("--split", default="test")
    parser.add_argument("--out", type=Path, help="write what came out, as JSON")
    options = parser.parse_args()
    from rapidocr_onnxruntime import RapidOCR

    looks: dict[str, Look | None] = {"reads signs": looker(RapidOCR()), "picture blanked": None}
    results = {}
    for name, look in looks.items():
        env = VIRLVisionEnv(split=options.split, attempts=1, junction_hint=True, history="none")
        ends = [walked(env, seed, look) for seed in range(options.routes)]
        successes, right, steps = (sum(end[part] for end in ends) for part in range(3))
        low, high = wilson(successes, len(ends))
        progress = sum(end[3] for end in ends) / len(ends)
        results[name] = {
            "routes": len(ends), "success": successes, "interval": [low, high], "steps": steps, "correct": right,
            "progress": progress,
        }  # fmt: skip
        share = f"{100 * successes / len(ends):5.1f}% ({100 * low:.1f}..{100 * high:.1f})"
        print(f"{name:16} routes {share}, steps {100 * right / steps:.1f}%, progress {100 * progress:.1f}%", flush=True)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
