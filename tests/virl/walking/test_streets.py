"""Moves in a small made city: two streets that cross, and one that ends in nothing."""

import pytest

from verienv.virl.walking.streets import Stand, Streets, ahead, turned, turnings
from verienv.virl.world.city import City, Street
from verienv.virl.world.geometry import from_local, turn

HOME = (60.17, 24.94)


def at(east, north):
    return from_local(HOME, east, north)


def line(ends, *metres):
    return Street(ends, "", "", "residential", tuple(at(*each) for each in metres))


CROSS = City(
    name="cross",
    title="Cross",
    attribution="",
    nodes=(at(0, 0), at(0, 100), at(100, 0), at(0, -100), at(-100, 0)),
    streets=(
        line((0, 1), (0, 0), (0, 100)),
        line((0, 2), (0, 0), (100, 0)),
        line((3, 0), (0, -100), (0, 0)),
        line((0, 4), (0, 0), (-100, 0)),
    ),
    places=(),
)
NORTH, EAST, SOUTH, WEST = range(4)


def walked(streets, stand, *actions):
    for action in actions:
        stand = streets.after(stand, action)
    return stand


def where(stand):
    return stand.street, round(stand.along), round(stand.heading) % 360


def test_a_street_is_walked_in_even_strides_to_its_end():
    streets, stand = Streets(CROSS, (), 30.0, "absolute"), Stand(SOUTH, 0.0, 0.0, 0, 0, 0.0)
    found = [stand.along]
    while found[-1] != CROSS.streets[SOUTH].length:
        stand = streets.after(stand, "forward()")
        found.append(stand.along)
    assert found == pytest.approx([0.0, 100 / 3, 200 / 3, 100.0], rel=1e-3)


def test_forward_at_a_crossing_leads_straight_on():
    streets = Streets(CROSS, (), 100.0, "absolute")
    over = walked(streets, Stand(SOUTH, 0.0, 0.0, 0, 0, 0.0), "forward()", "forward()")
    assert where(over) == (NORTH, 100, 0)


def test_forward_towards_nothing_stays():
    streets = Streets(CROSS, (), 100.0, "absolute")
    end = Stand(NORTH, 0.0, CROSS.streets[NORTH].length, 1, 1, 0.0)
    assert streets.after(end, "forward()") == end
    aside = streets.after(end, "turn_direction(east)")
    assert aside.heading == 90.0
    assert streets.after(aside, "forward()") == aside


def test_a_turn_faces_the_street_that_lies_that_way():
    for actions, word, street in (("absolute", "east", EAST), ("relative", "right", EAST), ("relative", "left", WEST)):
        streets = Streets(CROSS, (), 100.0, actions)
        crossing = Stand(SOUTH, 0.0, CROSS.streets[SOUTH].length, 1, 1, 0.0)
        assert walked(streets, crossing, f"turn_direction({word})", "forward()").street == street


def test_one_turns_round_in_the_middle_of_a_street_and_back():
    streets = Streets(CROSS, (), 30.0, "relative")
    stand = walked(streets, Stand(SOUTH, 0.0, 0.0, 0, 0, 0.0), "forward()")
    back = walked(streets, stand, "turn_direction(right)")
    assert where(back) == (SOUTH, 33, 180)
    assert walked(streets, back, "turn_direction(right)", "forward()").along == pytest.approx(200 / 3, rel=1e-3)
    assert walked(streets, back, "forward()").along == 0.0


def test_a_stop_ends_a_stride():
    streets = Streets(CROSS, [(SOUTH, 40.0)], 100.0, "absolute")
    assert walked(streets, Stand(SOUTH, 0.0, 0.0, 0, 0, 0.0), "forward()").along == 40.0
    assert streets.stop(SOUTH, 40.0, True) == CROSS.streets[SOUTH].length
    assert streets.stop(SOUTH, 40.0, False) == 0.0


def test_of_two_streets_of_one_word_a_second_turn_faces_the_other():
    streets = [350.0, 12.0, 180.0]
    first = turned(90.0, "north", streets, "absolute")
    second = turned(first, "north", streets, "absolute")
    assert {first, second} == {350.0, 12.0}
    assert turned(second, "north", streets, "absolute") == first


def test_a_turn_by_a_word_changes_the_heading_by_what_it_says():
    assert turned(10.0, "slightly left", [200.0], "relative") == 325.0
    assert turned(10.0, "left", [300.0, 260.0], "relative") == 300.0 - 0.0
    assert turn(10.0, turned(10.0, "right", [190.0], "relative")) == 180.0


def test_forward_takes_the_nearest_street_ahead():
    assert ahead(0.0, [20.0, 350.0, 180.0]) == 1
    assert ahead(0.0, [23.0, 180.0]) is None
    assert ahead(0.0, []) is None


@pytest.mark.parametrize("actions", ["absolute", "relative"])
def test_turnings_lead_where_they_say(actions):
    streets = Streets(CROSS, (), 100.0, actions)
    crossing = Stand(SOUTH, 0.0, CROSS.streets[SOUTH].length, 1, 1, 33.0)
    ways = streets.ways(crossing.place)
    for way, words in zip(ways, turnings(CROSS, crossing.place, 33.0, actions), strict=True):
        assert words is not None
        end = walked(streets, crossing, *(f"turn_direction({word})" for word in words), "forward()")
        assert (end.street, end.along) == (way.street, way.end)
