"""An episode to look at: recorded attempt by attempt, then a page that plays it, or a contact sheet.

from verienv.replay import record

env.reset(seed=3)
film = record(env)  # the expert plays; record(env, respond) lets another
Path("film.html").write_text(film.html(), encoding="utf-8")
film.sheet().save("sheet.png")
"""

from verienv.replay.film import Film, Frame, Scene, Still
from verienv.replay.record import Respond, asked, expert, record

__all__ = ["Film", "Frame", "Respond", "Scene", "Still", "asked", "expert", "record"]
