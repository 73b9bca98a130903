"""Reasoning tags: what a policy thinks aloud between them is no answer."""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from itertools import takewhile

REASONING_TAGS = ("<think>", "</think>")
"""The opening and the closing tag by default."""

LONGEST_TAG = 64
"""Characters."""


def parse_reasoning_tags(tags: object) -> tuple[str, ...]:
    """Read a pair of tags; None and what is empty are (), no tags at all.

    Raises:
        ValueError: what is accepted.
    """
    if tags is REASONING_TAGS:  # by far the most frequent
        return REASONING_TAGS
    if tags is None or (isinstance(tags, (str, tuple, list)) and not tags):
        return ()
    if isinstance(tags, (tuple, list)) and len(tags) == 2:
        opening, closing = tags
        if isinstance(opening, str) and isinstance(closing, str) and _are_tags(opening, closing):
            return opening, closing
    raise ValueError(
        f'expected an opening and a closing tag, such as ("<think>", "</think>"), each of at most {LONGEST_TAG} signs '
        "and not the same but for case and white space; or None for none"
    )


def after_reasoning(text: str, tags: tuple[str, ...]) -> str:
    """Return the part of ``text`` that is no reasoning: all behind the last closing tag, "" while one stays open.

    Case and white space within a tag are free. Tags are no brackets: a closing tag ends all that were opened, since
    policies write one of their own behind a template's. They count wherever they stand, also inside strings, as for
    what serves policies. A closing tag alone ends reasoning that a template began.
    """
    if not tags or (tags is REASONING_TAGS and "<" not in text):  # the most frequent case first
        return text
    hint, pattern = _patterns(tags)
    if hint not in text:
        return text
    found = deque(pattern.finditer(text), maxlen=1)
    if not found:
        return text
    return "" if found[0].lastgroup == "opening" else text[found[0].end() :]


def is_open(text: str, at: int, tags: tuple[str, ...]) -> bool:
    """Whether reasoning goes on at a place in ``text``: the last tag that begins before it is an opening one."""
    before = takewhile(lambda tag: tag.start() < at, _patterns(tags)[1].finditer(text)) if tags else ()
    found = deque(before, maxlen=1)
    return bool(found) and found[0].lastgroup == "opening"


@lru_cache(maxsize=64)
def _patterns(tags: tuple[str, ...]) -> tuple[str, re.Pattern[str]]:
    """Return a sign without which a text holds no tag, "" if there is none, and the pattern of both tags."""
    named = sorted(zip(tags, ("opening", "closing"), strict=True), key=lambda pair: -len(pair[0]))
    firsts = {tag.lstrip()[0] for tag in tags}
    hint = firsts.pop() if len(firsts) == 1 else ""
    pattern = "|".join(f"(?P<{name}>{_spaced(tag)})" for tag, name in named)
    return "" if hint.isalpha() else hint, re.compile(pattern, re.IGNORECASE)


def _spaced(tag: str) -> str:
    """Return the pattern of a tag, with white space free between its words and signs."""
    return r"\s*+".join(map(re.escape, re.findall(r"\w+|[^\w\s]", tag)))


@lru_cache(maxsize=64)
def _are_tags(opening: str, closing: str) -> bool:
    if not all(tag.strip() and len(tag) <= LONGEST_TAG for tag in (opening, closing)):
        return False
    one, other = ("".join(tag.split()).casefold() for tag in (opening, closing))
    return one != other
