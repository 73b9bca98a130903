"""The page of ``verienv view``, served or written as one file: its parts, put together."""

from __future__ import annotations

from pathlib import Path

from verienv.pages.html import Page
from verienv.replay.page import inline

SCRIPTS = ("parts", "asking", "episodes", "opened", "summaries", "side", "training", "page")
"""The scripts of the page, those first that others use."""


def view_page() -> Page:
    """Return the page, in whose frames replays are shown."""
    script = "\n".join(['"use strict";', *(_own(f"{name}.js") for name in SCRIPTS)])
    html = _own("page.html").replace("<style></style>", f"<style>\n{_own('page.css')}</style>")
    style_of_replays, script_of_replays = inline()
    framed = f"<style>{style_of_replays}</style><script>{script_of_replays}</script>"
    return Page(html.replace("<script></script>", f"<script>\n{script}</script>"), framed)


def _own(name: str) -> str:
    return (Path(__file__).parent / "page_files" / name).read_text(encoding="utf-8")
