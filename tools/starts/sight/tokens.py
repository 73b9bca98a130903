"""The tokenizer of starts that see: that of those in words, with the place of a picture and the phrase beside it."""

from __future__ import annotations

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from starts.tokens import make_tokenizer

IMAGE = "<image>"
"""The place of a picture in a chat template's text; a processor writes a token for each of its parts."""
SEEING_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{% else %}<|{{ message['role'] }}|>{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
PHRASE = ".\nThe cards are in the picture"
"""What a question by sight says in place of the cards."""


def make_seeing_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer; the tokens of the one in words keep their ids."""
    tokenizer = make_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE]})
    tokenizer.add_tokens([AddedToken(PHRASE, normalized=False)])
    return tokenizer
