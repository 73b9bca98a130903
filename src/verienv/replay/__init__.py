"""Replays: an episode recorded attempt by attempt, then a page that plays it, or a contact sheet.

from verienv.replay import contact_sheet, html_page, record

env.reset(seed=3)
replay = record(env)  # the expert plays; record(env, respond) lets another
Path("replay.html").write_text(html_page(replay), encoding="utf-8")
contact_sheet(replay).save("sheet.png")
"""

from verienv.replay.page import html_page
from verienv.replay.recording import Respond, expert, record, shown_settings
from verienv.replay.replay import Frame, Picture, Replay, ShownQuestion
from verienv.replay.sheet import contact_sheet

__all__ = [
    "Frame",
    "Picture",
    "Replay",
    "Respond",
    "ShownQuestion",
    "contact_sheet",
    "expert",
    "html_page",
    "record",
    "shown_settings",
]
