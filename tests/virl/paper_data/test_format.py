"""The format of the paper's routes: their meaning, and their defects."""

import re
from contextlib import suppress
from typing import Any

import pytest
from tests.virl.paper_data import paper_folders as made

from verienv.virl.paper_data.format import label_of, read_milestone_info, read_route
from verienv.virl.paper_data.route import longest_question
from verienv.virl.prompts import LONGEST_QUESTION
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route
from verienv.virl.world.geometry import POSITIONS, bearing, distance

BOTH = RouteOptions(40.0, "both")


def only(raw: Any, options: RouteOptions = BOTH) -> Route:
    return read_route(raw).route("virl:x:0", "x", options)


def retold(old: str, new: str, **settings: Any) -> dict[str, Any]:
    """An entry whose milestone_info says ``new`` in place of ``old``."""
    raw = made.route(**settings)
    assert old in raw["milestone_info"]
    return made.changed(raw, "milestone_info", to=raw["milestone_info"].replace(old, new, 1))


# What a route means


def test_a_route_is_the_legs_of_its_milestones() -> None:
    route = only(made.route())
    assert route.instructions == (
        "Turn right to face east.",
        "Walk forward to the intersection where Prince St is on your left front.",
        "Turn left to face north.",
        f"Walk forward to the intersection where {made.HOSTILE} is on your right front.",
        "Turn slightly left to face northwest.",
        "Walk forward until your destination MoMA Design Store is on your right.",
        "Stop.",
    )
    assert (route.start, route.destination) == ("Converse", "MoMA Design Store")
    assert route.waypoints[0].location == made.START
    assert route.waypoints[-1].location == made.POINTS[-1]


def test_waypoints_are_evenly_spaced_and_none_is_dropped() -> None:
    stands = [waypoint for waypoint in only(made.route()).waypoints if waypoint.move == "forward"]
    ends = [*(stand.location for stand in stands[1:]), made.POINTS[-1]]
    steps = [distance(stand.location, end) for stand, end in zip(stands, ends, strict=True)]
    assert all(40 <= step < 80 for step in steps)
    total = distance(made.START, made.POINTS[0]) + sum(
        distance(*leg) for leg in zip(made.POINTS, made.POINTS[1:], strict=False)
    )
    assert sum(steps) == pytest.approx(total, rel=1e-4)


def test_a_leg_shorter_than_the_spacing_is_one_step() -> None:
    moves = [waypoint.move for waypoint in only(made.route(), RouteOptions(1000.0, "both")).waypoints]
    assert moves == ["turn", "forward"] * 3 + ["stop"]


def test_only_milestones_but_the_last_are_intersections_with_landmarks() -> None:
    waypoints = only(made.route()).waypoints
    for waypoint in waypoints:
        is_milestone = waypoint.location in made.POINTS[:-1]
        assert waypoint.at_intersection is is_milestone
        assert bool(waypoint.landmark) is (waypoint.location in made.POINTS)
        assert waypoint.streets == ()


def test_after_a_turn_the_landmark_stands_elsewhere() -> None:
    turned = [waypoint for waypoint in only(made.route()).waypoints if waypoint.location == made.POINTS[0]]
    assert [waypoint.landmark_position for waypoint in turned] == ["left front", "right front"]
    assert [waypoint.heading for waypoint in turned] == [89.0, 0.0]


def test_where_the_place_contradicts_the_text_the_text_is_true() -> None:
    raw = retold("Prince St is on your left front", "Prince St is on your right behind")
    milestone = read_route(raw).milestones[0]
    assert milestone.landmark_bearing == pytest.approx(89 + 135)
    assert "Prince St is on your right behind." in [waypoint.observation[:34] for waypoint in only(raw).waypoints]


@pytest.mark.parametrize("position", POSITIONS)
def test_every_position_of_the_text_is_seen_on_arrival(position: str) -> None:
    raw = made.changed(
        retold("is on your left front", f"is on your {position}"),
        "route_results",
        "landmark_list",
        0,
        "geocode",
        to=None,
    )
    arrival = next(waypoint for waypoint in only(raw).waypoints if waypoint.landmark)
    assert arrival.landmark_position == position


def test_a_landmark_in_the_sector_that_the_text_names_stands_where_it_is() -> None:
    first = read_route(made.route()).milestones[0]
    place = made.route()["route_results"]["landmark_list"][0]["geocode"]
    assert first.landmark_bearing == bearing(first.location, tuple(place))


def test_the_heading_told_counts_and_not_the_bearing() -> None:
    raw = retold('"89 (east)"', '"75 (east)"')
    raw = made.changed(
        raw, "milestone_info", to=raw["milestone_info"].replace('"human_heading": "89"', '"human_heading": "75"')
    )
    raw["route_results"]["landmark_list"][0]["geocode"] = None
    assert only(raw).waypoints[1].heading == 75.0


def test_a_heading_truncated_over_the_border_of_two_words_keeps_its_word() -> None:
    raw = made.route(points=((40.7241, -73.99739),), names=("End",), first=300)
    assert '"22 (northeast)"' in raw["milestone_info"]
    assert only(raw).instructions[0] == "Turn right to face northeast."


def test_the_start_is_where_it_was_relocated() -> None:
    raw = made.route()
    del raw["start_place"]["relocated_geocode"]
    assert read_route(made.route()).location == made.START
    assert read_route(raw).location == tuple(raw["start_place"]["geocode"])


@pytest.mark.parametrize("name", [None, "東京駅", 7])
def test_the_name_of_the_start_is_not_needed(name: Any) -> None:
    assert only(made.changed(made.route(), "start_place", "name", to=name)).start == ""


def test_milestone_info_is_read_line_by_line() -> None:
    names = ('"', "}", "{", "',", r"\u0041\n", '": "', '",', 'It\'s "so"', "A, B; {C}", "'; import os; '")
    for name in names:
        blocks = read_milestone_info(made.route(names=(name, None, "End"))["milestone_info"])
        assert blocks[0]["landmarks"].startswith(f"{name} is on your ")
        assert read_route(made.route(names=(name, None, "End"))).milestones[0].landmark == name


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Café Zoë", "Cafe Zoe"),
        ("Joe’s “Pizza” – SoHo", 'Joe\'s "Pizza" - SoHo'),
        ("Smørrebrød & Łódź Straße", "Smorrebrod & Lodz Strasse"),
        ("ＡＢＣ  ① ﬁne…", "ABC 1 fine..."),
    ],
)
def test_names_are_labelled_in_ascii(name: str, label: str) -> None:
    assert label_of(name) == label
    milestone = read_route(made.route(names=(name, None, "End"))).milestones[0]
    assert (milestone.landmark, milestone.landmark_name.split()) == (label, name.split())


def test_a_name_with_unseen_characters_is_read_without_them() -> None:
    milestone = read_route(made.route(names=("\u200ePrince\u00a0St\u200b ", None, "End"))).milestones[0]
    assert (milestone.landmark, milestone.landmark_name) == ("Prince St", "Prince St")


def test_a_route_that_goes_straight_on_has_no_turn() -> None:
    assert "turn" not in {waypoint.move for waypoint in only(made.route(points=POINTS_EAST, first=89)).waypoints}


POINTS_EAST = tuple((40.7230, -73.9980 + 0.0012 * number) for number in (1, 2, 3))


def test_questions_never_grow_beyond_the_longest() -> None:
    far = made.route(names=("End",), points=((40.7880, -73.9980),))
    refused = "the questions on its .* choose a larger spacing"
    lengths = {}
    for spacing in (15.0, 18.0, 19.0, 20.0, 22.0, 25.0, 40.0):
        with suppress(ValueError):
            lengths[spacing] = longest_question(only(far, RouteOptions(spacing, "both")))
    assert lengths
    assert len(lengths) < 7
    assert max(lengths.values()) <= LONGEST_QUESTION
    with pytest.raises(ValueError, match=refused):
        only(far, RouteOptions(15.0, "both"))


def test_a_route_around_half_the_world_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="choose a larger spacing"):
        only(made.route(names=("End",), points=((-40.0, 106.0),)))


# What is wrong with a route

BLOCK = '"intersection_idx": "1"'
DEFECTS = {
    "the route is a list of 1": [1],
    "start_place is missing": made.changed(made.route(), "start_place", to=None),
    "dest_place is 'x'": made.changed(made.route(), "dest_place", to="x"),
    "route_results is missing": made.changed(made.route(), "route_results", to=None),
    "geocode_list is missing": made.changed(made.route(), "route_results", "geocode_list", to=None),
    "geocode 2 is a list of 3": made.changed(made.route(), "route_results", "geocode_list", 1, to=[1, 2, 3]),
    "the latitude of geocode 2 is inf": made.changed(
        made.route(), "route_results", "geocode_list", 1, 0, to=float("inf")
    ),
    "the latitude of geocode 2 is True": made.changed(made.route(), "route_results", "geocode_list", 1, 0, to=True),
    "the longitude of geocode 2 is '7'": made.changed(made.route(), "route_results", "geocode_list", 1, 1, to="7"),
    "landmark_list has 1 entries; 2 are expected": made.changed(
        made.route(), "route_results", "landmark_list", to=[None]
    ),
    "landmark 1 is missing": made.changed(made.route(), "route_results", "landmark_list", 0, to=None),
    "the latitude of the geocode of landmark 1 is 91": made.changed(
        made.route(), "route_results", "landmark_list", 0, "geocode", to=[91, 0]
    ),
    "block 1 tells of 'Prince St', and landmark 1 is named 'Other'": made.changed(
        made.route(), "route_results", "landmark_list", 0, "name", to="Other"
    ),
    "block 1 tells of no landmark": made.changed(
        made.route(names=(None, None, "End")), "route_results", "landmark_list", 0, to=made.place("A", made.START)
    ),
    "the start's geocode is missing": made.changed(
        made.changed(made.route(), "start_place", "relocated_geocode", to=None), "start_place", "geocode", to=None
    ),
    "geocode_list is empty": made.changed(
        made.changed(made.route(), "route_results", to={"geocode_list": []}), "milestone_info", to="\n"
    ),
    "milestone_info has 0 blocks; 3 are expected": made.changed(made.route(), "milestone_info", to=""),
    "milestone_info is missing": made.changed(made.route(), "milestone_info", to=None),
    "milestone_info has the line": retold(BLOCK, BLOCK.replace(":", "=")),
    "a new": retold(BLOCK, f"{BLOCK},\n{BLOCK}"),
    "block 3 of milestone_info is not closed": made.changed(
        made.route(), "milestone_info", to=made.route()["milestone_info"].rstrip()[:-1]
    ),
    "block 1 of milestone_info is numbered '2'": retold(BLOCK, BLOCK.replace("1", "2")),
    "the landmarks of block 1 are 'Prince St'": retold("Prince St is on your left front", "Prince St"),
    "the landmarks of block 1 are 'Prince St is on your up'": retold("your left front", "your up"),
    "the landmarks of block 3 are 'MoMA": retold("The destination MoMA", "MoMA"),
    "the to_next_intersection_heading of block 1 is missing": retold(
        '"to_next_intersection_heading": "89 (east)",', ""
    ),
    "the to_next_intersection_heading of block 1 is '361": retold('"89 (east)"', '"361 (east)"'),
    "the to_next_intersection_heading of block 1 is 'nan": retold('"89 (east)"', '"nan (east)"'),
    "the heading of block 1 is '89 (north)'": retold('"89 (east)"', '"89 (north)"'),
    "leg 1 has the heading 30, and its ends the bearing 90": retold('"89 (east)"', '"30"'),
    "block 2 has the human_heading 12, and the agent looks to 89": retold(
        '"human_heading": "89"', '"human_heading": "12"'
    ),
    "block 1 has the human_heading 0, and the agent looks to 90": made.changed(made.route(), "init_heading", to=90),
    "init_heading is 'north'": made.changed(made.route(), "init_heading", to="north"),
    "start and destination coincide": made.route(names=("End",), points=(made.START,)),
    "cannot be written in ASCII": made.route(names=(None, None, "\u6771\u4eac")),
    "the name '' is unfit": made.changed(
        retold("The destination MoMA Design Store is", "The destination  is"), "dest_place", "name", to=""
    ),
    "the name 'XXXXX": made.route(names=(None, None, "X" * 201)),
    "the name 'YYYYY": made.route(names=(None, None, "Y" * 1_000_000)),
    "printable characters are expected": made.route(names=("A\x00B", None, "End")),
}


@pytest.mark.parametrize("reason", DEFECTS)
def test_a_defect_is_named(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verienv.virl.paper_data.format._transliterated", lambda name: name)  # as without anyascii
    with pytest.raises(ValueError, match=re.escape(reason)) as error:
        read_route(DEFECTS[reason])
    made.one_line(error)
