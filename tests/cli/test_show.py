import numpy as np
from PIL import Image
from tests.cli.shared import ENV, ROUTES, VISION, dealt, pixels


def test_show_prints_the_question_and_no_answer(cli):
    status, out, _ = cli("show", ENV, "--split", "rule_ood", "--seed", "3")
    assert status == 0
    assert "K = 13" in out
    assert "Attempt 1 of 5." in out
    assert "verdict" not in out


def test_show_reads_settings_as_json_or_text(cli):
    _, out, _ = cli("show", ENV, "-s", "attempts=2", "-s", 'rule={"J": 5, "Q": 6, "K": 7}', "--setting", "suits=red")
    assert "J = 5, Q = 6, K = 7" in out
    assert "Attempt 1 of 2." in out


def test_show_writes_the_picture(cli, tmp_path):
    file = tmp_path / "new" / "hand.png"
    status, out, _ = cli("show", VISION, "--seed", "4", "-s", "visual=scattered", "--image", file)
    assert status == 0
    assert out.rstrip().splitlines()[-1] == f"[the picture: {file}]"
    assert np.array_equal(pixels(file), dealt(4, visual="scattered").pictures[0])
    assert [path.name for path in file.parent.iterdir()] == ["hand.png"]


def test_show_says_how_to_see_the_picture_and_does_not_tell_the_cards(cli):
    _, out, _ = cli("show", VISION, "--seed", "4")
    assert out.rstrip().splitlines()[-1] == "[the picture: add --image FILE.png and open that file]"
    assert "J, 3, 10, 8" not in out
    assert "picture" not in cli("show", ENV)[1]


def test_show_draws_the_map_of_a_route_and_tells_where_the_expert_has_come(cli, tmp_path):
    status, out, _ = cli("show", ROUTES, "--seed", "3", "--after", "2", "--map", tmp_path / "map.png")
    assert status == 0
    assert f"[the map: {tmp_path / 'map.png'}]" in out
    assert "Steps so far:\nnone" not in out
    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.size == (1000, 1000)
