"""Strategies for hypothesis: waypoints. They shrink towards the plain."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from verienv.virl.cases import LANDMARKS
from verienv.virl.routes.route import Waypoint


@st.composite
def waypoints(draw: DrawFn) -> Waypoint:
    """Waypoints of every move, their turns of 22.6 to 157.4 degrees, with or without a landmark and a crossing."""
    headings = st.integers(0, 3599).map(lambda tenths: tenths / 10)
    heading, turn = draw(headings), draw(st.integers(226, 1574)) * draw(st.sampled_from([1, -1])) / 10
    landmark = draw(st.sampled_from(("", *LANDMARKS)))
    return Waypoint(
        heading=heading,
        move=draw(st.sampled_from(("forward", "turn", "stop"))),
        turn_to=(heading + turn) % 360,
        sentence=draw(st.sampled_from(("Walk forward.", "Turn until Joe's Pizza is on your left.", ""))),
        landmark=landmark,
        landmark_name=landmark,
        landmark_bearing=draw(headings),
        at_intersection=draw(st.booleans()),
        actions=draw(st.sampled_from(("absolute", "relative"))),
    )
