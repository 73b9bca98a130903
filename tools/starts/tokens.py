"""The starts' tokenizer: the phrases of GeneralPoints and whole numbers are single tokens, all else is bytes."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from verienv.core.dialogue import attempt_line
from verienv.generalpoints import FaceRule, Puzzle, write_question

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{% generation %}{{ message['content'] }}<|end|>"
    "{% endgeneration %}"
    "{% else %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ("<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>")
PAD = 0
"""The first of them."""
ANSWER = ('{"cards": ["', '", "', '"], "number": [', ", ", '], "formula": "', '"}')
"""The parts of an expert's answer around ranks, numbers and formula."""
FEEDBACK = (
    "Wrong: the formula is not legal.",
    "Wrong: the formula does not use each card's number exactly once.",
    "Wrong: the equation is false.",
    "Wrong: the formula divides by zero.",
    "Wrong: the formula makes ",
    ", not 24.",
    'Wrong: there is no JSON object with a "formula".',
    "Correct.",
)
ATTEMPTS = tuple(attempt_line(attempt, attempts) for attempts in range(1, 6) for attempt in range(1, attempts + 1))
NUMBERS = tuple(map(str, range(10, 100)))
"""Numbers of one digit are bytes, as ranks and signs are."""


def phrases() -> list[str]:
    """Return the parts of the default question around its target, numbers and ranks."""
    text = write_question(Puzzle(("A", "A", "A"), FaceRule(J=97, Q=98, K=99), target=96))
    before, text = text.split("96", 1)
    found = [before]
    for number in ("97", "98", "99"):
        part, text = text.split(number, 1)
        found.append(part)
    part, after = text.split("A, A, A")
    return [*found, part, after]


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of GeneralPoints, made from this file and the default question alone: always the same."""
    return tokenizer_of([*phrases(), *(f"\n{line}" for line in ATTEMPTS), *ANSWER, *FEEDBACK, *NUMBERS])


def tokenizer_of(whole: Sequence[str]) -> PreTrainedTokenizerFast:
    """Byte-level tokens without merges, and beside them texts that are ``whole`` tokens; any text round-trips."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *alphabet])}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(SPECIAL))
    backend.add_tokens([AddedToken(text, normalized=False) for text in dict.fromkeys(whole)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<|pad|>", eos_token="<|end|>", padding_side="left"
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast
