"""A page of HTML whose own script and style are the only ones that run."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_DATA = '<script type="application/json" id="data"></script>'


class Page:
    """A page with one inline ``<script>`` and ``<style>`` or several, and a place for data.

    Args:
        html: the page, of one's own and trusted. Data goes where it says
            ``<script type="application/json" id="data"></script>``.
        framed: a page of one's own like those that are shown in frames of this one: its scripts and styles are
            admitted too, and pictures that a page holds itself (``data:``).

    Attributes:
        policy: its Content-Security-Policy: the inline scripts and styles by their hashes, pictures and requests of its
            own server, and nothing else.

    Raises:
        ValueError: if there is no place for data, or more than one.
    """

    def __init__(self, html: str, framed: str = "") -> None:
        if html.count(_DATA) != 1:
            raise ValueError(f"the page has {html.count(_DATA)} places for data; it needs one {_DATA}")
        self._html = html
        inline = _INLINE.findall(html) + _INLINE.findall(framed)
        allowed = {kind: " ".join(_hash(text) for name, text in inline if name == kind) for kind in _KINDS}
        sources = {f"{kind}-src": found or "'none'" for kind, found in allowed.items()}
        pictures = "'self' data:" if framed else "'self'"
        rules = {"default-src": "'none'", **sources, "img-src": pictures, "connect-src": "'self'"}
        rules |= dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'")
        self.policy = "; ".join(f"{name} {value}" for name, value in rules.items())

    @classmethod
    def read(cls, path: str | Path) -> Page:
        """Read a page from a file in UTF-8."""
        return cls(Path(path).read_text("utf-8"))

    def holding(self, data: Any) -> str:
        """Return the page with data, which its script reads as JSON; no text in it can end the element or begin one."""
        return self._html.replace(_DATA, _DATA.replace("></", f">{embedded(data)}</"))

    def alone(self, data: Any) -> str:
        """Return the page with data as a file of its own, which asks no server: its policy stands in it.

        Raises:
            ValueError: if the page has no ``<meta charset="utf-8">``, behind which that goes.
        """
        if self._html.count(_CHARSET) != 1:
            raise ValueError(f"the page needs one {_CHARSET}")
        rules = self.policy.replace("connect-src 'self'", "connect-src 'none'").replace("'self' data:", "data:")
        rules = rules.removesuffix("; frame-ancestors 'none'")  # which no element can say
        return self.holding(data).replace(
            _CHARSET, f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{rules}">', 1
        )


_KINDS = ("script", "style")
_CHARSET = '<meta charset="utf-8">'


def embedded(data: Any) -> str:
    """Return JSON that is inert within HTML: of ``<``, ``>`` and ``&`` only their escapes are there; all is ASCII."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
