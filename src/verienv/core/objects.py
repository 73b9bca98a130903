"""Finding objects in a text: one pass, aware of strings and comments, that remembers which of them hold a key.

Inside an object, strings hide the braces in them; a quote opens a string only where JSON could have one: after an
opening bracket, a separator or white space, the closing quote before a separator, a closing bracket, a comment or the
next key. Any other quote (an apostrophe, quotation marks in prose, an unfinished draft) hides nothing. Comments hide
braces too, but only in objects that are closed: what an object that never ends seems to comment out may be the answer.
A brace escaped as ``\\{`` is a brace.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

from verienv.core.loose_json import CALLS, NEXT_KEY, STRING, unescape

MAX_CANDIDATES = 32
MAX_NESTING = 8

# Possessive repeats, bounded lookaheads and the stepping over of every escaped character keep the pass linear. A group
# is repeated within an atomic one: Python before 3.11.5 loses matches of a possessive repeat of a group (gh-106052).
_OUTSIDE = re.compile(r"\\.|\{", re.DOTALL)
_GAP = r"(?>(?:\s*+(?:/\*[^*]{0,256}+\*/|(?://|\#)[^\n]{0,256}+\n)){0,4})\s*+"
_OBJECT = r"(?>(?:\s|\\[nrt])*)\\{0,2}\{"
_OPEN, _CLOSE = "[\"'`“”„‘’‚«]", "[\"'`“”‘’»]"


class Found(NamedTuple):
    """A balanced object: where it starts and ends, and whether a string of arguments in it may hold the answer."""

    at: int
    """The place by which the last is told: the closing brace, or the key of the arguments."""
    start: int
    end: int
    is_call: bool


class _Opened:
    """An object that is not closed yet."""

    __slots__ = ("arguments_at", "comments", "has_key", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.has_key = False
        self.arguments_at = -1
        self.comments: list[int] = []


def find_objects(text: str, key: str) -> list[Found]:
    """The last balanced objects that hold ``key`` among their own fields, or arguments as a string; the last first.

    An object counts as holding the key where a person would say so, whether it can be read or not. No character lies in
    more than MAX_NESTING of the at most MAX_CANDIDATES objects.
    """
    pattern = _inside(key)
    comments = set[int]()
    found, opened = _scan(text, key, pattern, comments, None)
    if any(one.comments for one in opened):
        found, _ = _scan(text, key, pattern, set(), comments)
    return sorted(found, reverse=True)


@lru_cache(maxsize=64)
def _inside(key: str) -> re.Pattern[str]:
    """Return the pattern of the next token in an object, and of all that may stand before it."""
    word = re.escape(key).replace("_", r"\\?_")  # Markdown escapes it
    tokens = {
        "key": rf"""\\?{_OPEN}{word}\\?{_CLOSE} (?={_GAP}[:：="'“‘«\d(-])""",
        "arguments": rf"""{_OPEN}(?:{"|".join(CALLS)}){_CLOSE} (?={_GAP}[:：]{_GAP}["'“]{_OBJECT})""",
        "escaped": rf"""{_OPEN}(?=\w{{0,64}}+\\[ux])(?>(?:\\?\w){{1,256}}){_CLOSE} (?={_GAP}[:：])""",
        "bare": rf"""(?<!\w){word} (?=[\\"'`“”„‘’‚«»*]{{0,3}}+{_GAP}[:：=])""",
        "comment": r"""(?<=[\s,{}\[\]"'“”‘’»`]) (?://|\#|/\*)""",
        "opening": r"""\\?\{""",
        "closing": r"""\\?\}""",
    }
    string = rf"""(?:(?<=[{{\[(,:\s，：])|(?<=\*/)) (?:{STRING})
                  (?=\s*+(?:[,:}}\])，：]|\\[}}\]]|//|/\*|\#|{NEXT_KEY}))"""
    named = "|".join(f"(?P<{name}>{token})" for name, token in tokens.items())
    return re.compile(
        rf"""
        (?>(?: [^\w{{}}\\/\#"'`“”„‘’‚«]++
          | (?!{word})\w++
          | (?!{tokens["key"]}|{tokens["arguments"]}|{tokens["escaped"]}) {string}
          | \\[^{{}}]
          | (?!{"|".join(tokens.values())}) .
        )*)
        (?:{named})
        """,
        re.VERBOSE | re.DOTALL,
    )


def _scan(
    text: str, key: str, pattern: re.Pattern[str], comments: set[int], hiding: set[int] | None
) -> tuple[deque[Found], deque[_Opened]]:
    """Return the objects found, in the order of their closing braces, and those never closed.

    The places of comments in objects that are closed are added to ``comments``. Those at the places ``hiding`` hide
    what is in them; None for all.
    """
    found: deque[Found] = deque(maxlen=MAX_CANDIDATES)
    opened: deque[_Opened] = deque(maxlen=MAX_NESTING)
    end, blocks_end = 0, True
    while mark := pattern.match(text, end) if opened else _OUTSIDE.search(text, end):
        end = mark.end()
        kind = mark.lastgroup
        if not opened:
            if text[end - 1] == "{":
                opened.append(_Opened(mark.start()))
        elif kind == "opening":
            opened.append(_Opened(mark.start(kind)))
        elif kind == "closing":
            last = opened.pop()
            comments.update(last.comments)
            if last.has_key:
                found.append(Found(end, last.start, end, False))
            elif last.arguments_at >= 0:
                found.append(Found(last.arguments_at, last.start, end, True))
        elif kind == "key" or kind == "bare":
            opened[-1].has_key = True
        elif kind == "arguments":
            opened[-1].arguments_at = mark.start(kind)
        elif kind == "escaped":
            opened[-1].has_key |= unescape(mark["escaped"][1:-1]) == key
        elif kind == "comment" and (hiding is None or mark.start(kind) in hiding):
            if mark[kind] != "/*":
                close = text.find("\n", end)
                close = len(text) if close < 0 else close
            elif blocks_end:
                close = text.find("*/", end) + 2
                blocks_end = close > 1
                close = close if blocks_end else end
            else:
                close = end
            opened[-1].comments.append(mark.start(kind))
            end = close
    return found, opened
