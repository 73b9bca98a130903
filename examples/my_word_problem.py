"""Word problems, a second task of your own: question, chain, answer. ``import my_word_problem`` registers it.

Answers are judged by ``verienv.answers``: "7", "7.0", "14/2", "$\\boxed{7}$" and "7 km" are one answer. Its
settings are those of a worded task: ``prompt``, ``answer_format``, ``feedback`` and their like.
"""

import re
from dataclasses import dataclass

from pydantic import Field

import verienv
from verienv.answers import Answer
from verienv.core.answer_format import Part, Shape
from verienv.core.sides import Side, on_side
from verienv.core.task import Measures
from verienv.core.worded_config import WordedConfig
from verienv.core.wording import Slots

TEMPLATES = (
    ("{} boxes hold {} cups each; {} cups break. How many cups are whole?", "cups", -1),
    ("For {} hours a train runs {} km an hour, then {} km more. How far does it run?", "km", 1),
)
INSTANCE = re.compile(r"word_problem:([01]):([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})")
FEEDBACK = {"unreadable": "Wrong: there is no answer with a number.", "wrong_number": "Wrong: another number."}
SHAPE = Shape(Part("answer", "the number"), json='Answer in JSON: {"answer": "..."}', templates={'{"answer": "..."}'})


@dataclass(frozen=True, kw_only=True)
class WordProblem(verienv.Question):
    story: tuple[int, int, int, int]  # which template, and its three numbers
    slots = Slots(("story",), ("format",))  # of prompts: what they must name, and what they may

    @property
    def instance(self):
        return "word_problem:" + ":".join(map(str, self.story))

    @property
    def number(self):
        which, a, b, c = self.story
        return a * b + TEMPLATES[which][2] * c

    @property
    def prompt(self):
        story, asked = (
            TEMPLATES[self.story[0]][0].format(*self.story[1:]),
            self.wording.answer_format.instruction(SHAPE),
        )
        return self.wording.write(lambda: {"story": story, "format": asked}, lambda: f"{story}\n{asked}")

    def judge(self, response):
        fields = self.wording.answer_format.read(response, SHAPE) or {}
        judged = Answer(self.number, units=(TEMPLATES[self.story[0]][1],)).judge(fields.get("answer"))
        failure = "unreadable" if judged.read is None else "" if judged.is_correct else "wrong_number"
        told = {"failure": failure, "feedback": FEEDBACK.get(failure, "Correct."), "answer": fields}
        return self.worded(verienv.Verdict(reward=float(not failure), is_correct=not failure, **told))

    def write(self, number):
        return self.wording.answer_format.write({"answer": str(number)}, SHAPE)

    def expert(self, *, steps=False):
        _, a, b, c = self.story
        chain = f"{a} * {b} = {a * b}\n{a * b} {'-' if self.number < a * b else '+'} {c} = {self.number}\n"
        return (chain if steps else "") + self.write(self.number)

    def wrong(self, failure, rng):
        return self.write(self.number + int(rng.integers(1, 9))) if failure == "wrong_number" else "It depends."


class WordProblemConfig(WordedConfig):
    splits = {"train": {"side": "train"}, "test": {"side": "test"}}
    shape, kinds = SHAPE, dict.fromkeys(FEEDBACK, ())  # of answers; of failures, with the slots of their feedback
    slots = property(lambda self: WordProblem.slots)
    side: Side = "train"
    attempts: int = Field(default=3, ge=1, le=64)


class WordProblemTask(verienv.Task):
    name, title, noun, column, fields = "word_problem", "Word problems", "problem", "story", ()
    environments = {"mine/WordProblem-v0": f"{__name__}:WordProblemEnv"}
    question = WordProblem

    def measures(self, vision):
        return Measures(failures=tuple(FEEDBACK))


class WordProblemEnv(verienv.VerifiedEnv):
    """A story with three numbers from 2 to 20, two operations, and one number as its answer."""

    task, settings = WordProblemTask(), WordProblemConfig

    def deal(self, rng, instance=None):
        story = self.draw(rng) if instance is None else self.read(instance)
        return WordProblem(story=story, attempts=self.config.attempts, wording=self.wording)

    def draw(self, rng):
        while True:
            facts = (int(rng.integers(len(TEMPLATES))), *rng.integers(2, 21, size=3).tolist())
            if on_side([f"word_problem:{sorted(facts[1:])}"], self.config.side) and facts[1] * facts[2] > facts[3]:
                return facts

    def read(self, instance):
        found = INSTANCE.fullmatch(str(instance))
        if not found:
            raise ValueError(f"instance={instance!r}: expected one such as 'word_problem:0:12:3:5'")
        return tuple(map(int, found.groups()))


verienv.register_task(WordProblemEnv.task)
