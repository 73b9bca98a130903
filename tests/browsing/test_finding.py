import pytest

from verienv.browsing.finding import find


def test_a_folder_is_gone_through_for_logs_results_and_runs(logs):
    kinds = {found.name: found.kind for found in find([logs])}
    assert kinds == {
        "expert.jsonl": "log",
        "wrong.jsonl": "log",
        "saved/results.json": "results",
        "runs/ppo": "run",
    }


def test_a_place_that_is_named_twice_is_found_once(logs):
    assert len(find([logs, logs / "expert.jsonl", logs / "saved"])) == 4


def test_links_within_a_folder_are_not_followed(logs, tmp_path):
    (tmp_path / "link.jsonl").symlink_to(logs / "expert.jsonl")
    (tmp_path / "folder").symlink_to(logs)
    with pytest.raises(ValueError, match="holds no log of an evaluation"):
        find([tmp_path])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "is neither an evaluation's log"),
        ("", "is neither"),
        ('{"setup": 1}\n', "is neither"),
        ("\x1f\x8b", "is"),
    ],
)
def test_another_file_is_refused_in_one_line(text, told, tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        find([path])


def test_a_path_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match="there is no such file or folder"):
        find([tmp_path / "gone"])
