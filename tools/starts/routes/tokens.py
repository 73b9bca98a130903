"""The tokens of routes: the phrases of question and answer, the words of directions, and the words of made-up names."""

from __future__ import annotations

from transformers import PreTrainedTokenizerFast

from starts.tokens import ATTEMPTS, tokenizer_of
from verienv.virl.prompts import NOTHING_YET, write_question
from verienv.virl.routes.instructions import STOP
from verienv.virl.world.geometry import COMPASS, POSITIONS, TURNS, position_phrase
from verienv.virl.world.procedural_names import ADJECTIVES, CHAINS, FAMILIES, NOUNS, PATTERNS, QUARTERS, TREES

SENTENCES = (
    "Walk forward to the intersection where ",
    "Walk forward until your destination ",
    "Walk forward to the next intersection.",
    STOP,
    "Turn ",
    " to face ",
    ".",
)
"""The parts of sentences around names, positions and words of directions."""
VIEW = (
    *(f"is {position_phrase(position)}." for position in POSITIONS),
    " You are at an intersection.",
    "No landmark is near.",
)
ACTIONS = ("forward()", "stop()", "turn_direction(", ")", " -> ", ", ", "\n")
ANSWER = ('{"current observation": "', '", "current instruction": "', '", "action": "', '"}')
"""The parts of an expert's answer around view, sentence and action."""


def question_parts() -> list[str]:
    """Return the parts of the default question around sentences, words of directions, history and view."""
    text = write_question("<instructions>", ["<history>"], "<view>").replace(", ".join(COMPASS), "<words>")
    parts = []
    for slot in ("<instructions>", "<words>", "<history>", "<view>"):
        part, text = text.split(slot, 1)
        parts.append(part)
    return [f"{parts[0]}1. ", *parts[1:], text, NOTHING_YET, *(f"\n{number}. " for number in range(2, 10))]


def name_words() -> list[str]:
    """Return the words of which the names of places are made, each with the space behind it, sorted.

    In question and answer a name is always followed by "is", so that each word is one token wherever it stands.
    """
    patterns = [word for kind in PATTERNS.values() for pattern in kind for word in pattern.split() if "{" not in word]
    chains = [word for name, _ in CHAINS for word in name.split()]
    return sorted({f"{word} " for word in (*ADJECTIVES, *NOUNS, *FAMILIES, *QUARTERS, *TREES, *patterns, *chains)})


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of routes, always the same. Any text round-trips."""
    attempts = [f"\n{line}" for line in ATTEMPTS]
    whole = [*question_parts(), *SENTENCES, *VIEW, *ACTIONS, *ANSWER, *COMPASS, *TURNS, *attempts, *name_words()]
    return tokenizer_of([text for text in whole if len(text) > 1])
