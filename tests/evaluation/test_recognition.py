import json
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from zlib import crc32

import gymnasium as gym
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from verienv.evaluation import Evaluation, compare, evaluate, recognition_figure
from verienv.evaluation.cells import episode_seed
from verienv.evaluation.tables import percent
from verienv.generalpoints import VISUAL_BY_RULE

VL, WORDS = "verienv/GeneralPoints-VL-v0", "verienv/GeneralPoints-L-v0"
SPLITS, EPISODES = ("train", "rule_visual_ood"), 30


def dealt(split, episode):
    """The environment of an evaluation with seed 0, dealt without it."""
    env = gym.make(VL, split=split).unwrapped
    env.reset(seed=episode_seed(0, episode))
    return env


def what_is_asked(picture, text):
    """The picture, and the rule."""
    return sha256(picture.tobytes()).hexdigest(), text.splitlines()[1]


class Player:
    """Knows the episodes by their pictures, and answers each as ``plan`` (its number, its instance) says.

    The plan names one answer for each attempt: "solve", "fail" (reads right) or "misread" (one card, the formula
    right). The last one is repeated.
    """

    def __init__(self, plan, splits=SPLITS, episodes=EPISODES):
        self.known = {}
        for split in splits:
            for episode in range(episodes):
                env = dealt(split, episode)
                text = env.messages[0]["content"][-1]["text"]
                answers = plan(episode, env.instance), json.loads(env.expert_response())
                self.known[what_is_asked(env.pictures[0], text)] = answers

    def __call__(self, dialogues):
        return [self.answer(dialogue) for dialogue in dialogues]

    def answer(self, dialogue):
        image, text = dialogue[0]["content"]
        plan, answer = self.known[what_is_asked(image["image"], text["text"])]
        attempt = len(dialogue) // 2
        return answered(answer, plan[min(attempt, len(plan) - 1)])


def answered(expert, how):
    if how == "misread":
        first, *others = expert["cards"]
        expert = {**expert, "cards": ["2" if first != "2" else "3", *others]}
    elif how == "fail":
        expert = {**expert, "formula": "-".join(map(str, expert["number"]))}  # at most 13 - 1 - 1 - 1
    return json.dumps(expert)


def by_hash(episode, instance):
    return [("solve", "fail", "misread", "misread")[crc32(instance.encode()) % 4]]


@pytest.fixture(scope="module")
def mixed():
    return evaluate(Player(by_hash), VL, SPLITS, EPISODES, attempts=2, name="mixed")


def ends(cell):
    return tuple(getattr(cell.recognition, end).mean for end in ("read_solved", "read_failed", "misread"))


def planned(*plan, attempts=3):
    return evaluate(Player(lambda *_: plan, ["train"], 8), VL, ["train"], 8, attempts=attempts).cells["train"]


def test_a_policy_is_given_the_pictures_of_the_environment():
    asked = []

    def policy(dialogues):
        asked.extend(dialogues)
        return ["I cannot see."] * len(dialogues)

    evaluate(policy, VL, ["train"], 3, attempts=2, batch_size=3, image_size=(120, 200))
    assert len(asked) == 6
    for number, dialogue in enumerate(asked):
        env = gym.make(VL, split="train", image_size=(120, 200)).unwrapped
        env.reset(seed=episode_seed(0, number % 3))
        image = dialogue[0]["content"][0]["image"]
        assert isinstance(image, Image.Image)
        assert (image.mode, image.size) == ("RGB", (200, 120))
        assert np.array_equal(np.asarray(image), env.pictures[0])


def test_a_policy_that_paints_over_its_picture_is_given_it_whole_again():
    asked = []

    def policy(dialogues):
        image = dialogues[0][0]["content"][0].pop("image")
        asked.append(image.tobytes())
        image.paste("black", (0, 0, *image.size))
        return ["?"]

    evaluate(policy, VL, ["train"], 1, attempts=2)
    assert asked == [dealt("train", 0).pictures[0].tobytes()] * 2


def test_dialogues_in_words_are_the_messages_as_ever():
    asked = []

    def policy(dialogues):
        asked.extend(dialogues)
        return ["?"] * len(dialogues)

    evaluate(policy, WORDS, ["train"], 1, attempts=1)
    env = gym.make(WORDS, split="train", attempts=1).unwrapped
    env.reset(seed=episode_seed(0, 0))
    assert asked == [env.messages]


@pytest.mark.parametrize("split", SPLITS)
def test_the_joint_shares_are_exactly_what_the_policy_did(mixed, split):
    counts = Counter(by_hash(number, dealt(split, number).instance)[0] for number in range(EPISODES))
    assert min(counts[how] for how in ("solve", "fail", "misread")) > 0
    assert ends(mixed.cells[split]) == tuple(counts[how] / EPISODES for how in ("solve", "fail", "misread"))


def test_the_joint_shares_add_up_to_one(mixed):
    for cell in mixed.cells.values():
        assert sum(ends(cell)) == pytest.approx(1)
        assert cell.recognition.read.mean == pytest.approx(1 - cell.recognition.misread.mean)


def test_read_and_solved_is_success_with_its_interval(mixed):
    for cell in mixed.cells.values():
        assert cell.recognition.read_solved == cell.metrics["success"]


def test_the_interval_of_what_was_read_mirrors_that_of_what_was_misread(mixed):
    for cell in mixed.cells.values():
        read, misread = cell.recognition.read, cell.recognition.misread
        assert read.low < read.mean < read.high
        assert (read.low, read.high) == pytest.approx((1 - misread.high, 1 - misread.low))


def test_the_expert_reads_and_solves_everything():
    result = evaluate("expert", VL, VISUAL_BY_RULE, 6)
    assert {ends(cell) for cell in result.cells.values()} == {(1.0, 0.0, 0.0)}


def test_a_right_formula_does_not_save_a_misread_hand():
    cell = planned("misread")
    assert ends(cell) == (0.0, 0.0, 1.0)
    assert cell.metrics["formula_valid"].mean == 1.0


def test_who_reads_right_and_fails_is_no_misreader():
    assert ends(planned("fail")) == (0.0, 1.0, 0.0)


def test_the_last_attempt_decides():
    assert ends(planned("misread", "solve")) == (1.0, 0.0, 0.0)
    assert ends(planned("misread", "misread", "fail")) == (0.0, 1.0, 0.0)
    assert ends(planned("fail", "fail", "misread")) == (0.0, 0.0, 1.0)
    assert planned("misread", "solve").metrics["cards_correct"].mean == 0.0


def test_an_answer_that_cannot_be_read_counts_as_misread():
    cell = evaluate(lambda dialogues: ["?"] * len(dialogues), VL, ["train"], 4).cells["train"]
    assert ends(cell) == (0.0, 0.0, 1.0)


def test_one_cluster_leaves_the_joint_shares_nearly_unknown():
    expert = {"cards": ["A", "4", "J", "Q"], "number": [1, 4, 10, 10], "formula": "10+10+4*1"}
    answers = [answered(expert, how) for how in ("solve", "misread", "misread")]
    cells = {"one problem": {"instances": ["generalpoints:A-4-J-Q:24"] * 3, "side": "all", "attempts": 1}}
    result = evaluate(lambda dialogues: answers, VL, cells)
    ends_row = result.markdown().split("last attempt")[1].splitlines()[2]
    assert [part.strip() for part in ends_row.split("|")[2:5]] == [
        "33.3 (0.0..99.7)", "0.0 (0.0..97.5)", "66.7 (0.3..100)",
    ]  # fmt: skip


def test_an_interrupted_log_goes_on_to_the_same_joint_table(tmp_path, mixed):
    player, asked = Player(by_hash), []

    def interrupted(dialogues):
        asked.append(len(dialogues))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return player(dialogues)

    arguments = {"attempts": 2, "batch_size": 8, "log": tmp_path / "log", "name": "mixed"}
    with pytest.raises(KeyboardInterrupt):
        evaluate(interrupted, VL, SPLITS, EPISODES, **arguments)
    assert len((tmp_path / "log").read_text().splitlines()) > 1
    assert evaluate(player, VL, SPLITS, EPISODES, **arguments) == mixed


def test_a_saved_evaluation_with_pictures_comes_back_whole(tmp_path, mixed):
    mixed.save(tmp_path / "result.json")
    assert Evaluation.load(tmp_path / "result.json") == mixed


def test_an_evaluation_saved_before_recognition_loads_and_compares(tmp_path):
    now = evaluate("constant", WORDS, ["train"], 10)
    old = json.loads(now.to_json())
    del old["setup"]["recognition"], old["cells"]["train"]["recognition"]
    for episode in old["episodes"]:
        del episode["last"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    loaded = Evaluation.load(tmp_path / "old.json")
    assert loaded.markdown() == now.markdown()
    assert compare(loaded, now).cells["train"].metrics["success"].mean == 0.0


def test_an_evaluation_in_words_has_no_joint_table():
    result = evaluate("constant", WORDS, ["train"], 4)
    assert result.cells["train"].recognition is None
    for text in (result.markdown(), result.table(100)):
        assert "misread" not in text
        assert "last attempt" not in text


@pytest.mark.parametrize("drawn", [Evaluation.markdown, lambda result: result.table(200)])
def test_tables_of_tasks_with_pictures_show_the_joint_shares_with_their_intervals(mixed, drawn):
    text = drawn(mixed)
    assert "last attempt" in text
    for cell in mixed.cells.values():
        for end in ("read_solved", "read_failed", "misread"):
            for part in percent(getattr(cell.recognition, end)).split(" "):
                assert part in text


def test_the_number_of_cards_read_is_kept_but_is_no_share_to_tabulate(mixed):
    expert = evaluate("expert", VL, SPLITS, EPISODES)
    assert expert.cells["train"].metrics["cards_read"].mean == 4.0
    for result in (expert, compare(mixed, expert)):
        head = result.markdown().split("| train")[0]
        assert head.count(" recognition |") == 1  # that all four were read right
        assert "cards" not in head
        assert "cards_read" in result.cells["train"].metrics
        assert "400" not in result.markdown()


def test_recognition_has_one_name_and_tables_say_of_which_attempt_it_is(mixed):
    told = mixed.table(200)
    assert "Recognition is of the first attempt, misread of the last." in told
    assert "rule reading" in told
    assert "cards read" not in told


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved."""
    held, savefig = [], Figure.savefig

    def saved(figure, *arguments, **named):
        savefig(figure, *arguments, **named)
        held.append(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    return held


def test_the_figure_is_a_png_of_the_size_of_a_page(tmp_path, mixed):
    recognition_figure({"mixed": mixed}, tmp_path / "new" / "figure.png")
    with Image.open(tmp_path / "new" / "figure.png") as image:
        assert image.format == "PNG"
        assert 1000 < image.width < 1600
        assert 400 < image.height < 1000
        assert len(image.convert("RGB").getcolors(2**20)) > 50
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["figure.png"]


@pytest.mark.parametrize(("name", "head"), [("figure", b"\x89PNG"), ("figure.pdf", b"%PDF"), ("figure.svg", b"<?xml")])
def test_the_ending_tells_the_figures_format(tmp_path, mixed, name, head):
    recognition_figure({"mixed": mixed}, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(head)


def test_bars_and_points_stand_where_the_shares_are(tmp_path, mixed, figures):
    expert = evaluate("expert", VL, SPLITS, EPISODES)
    recognition_figure({"mixed": mixed, "expert": expert}, tmp_path / "figure.png")
    left, right = figures[0].axes
    cells = [result.cells[split] for split in SPLITS for result in (mixed, expert)]
    widths = [bar.get_width() for bar in right.patches]
    assert widths == pytest.approx([100 * share for cell in cells for share in ends(cell)])
    marked = [line for line in left.lines if line.get_marker() in ("o", "s")]
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in marked]
    assert points == [(100 * cell.recognition.read.mean, 100 * cell.metrics["success"].mean) for cell in cells]
    assert [label.get_text() for label in right.get_yticklabels()] == ["mixed", "expert"] * 2


@pytest.mark.parametrize(
    "names", [["one"], ["one", *(f"a rather long name of the checkpoint that counts as number {n}" for n in "23")]]
)
def test_no_words_of_the_figure_overlap_and_legends_stand_outside(tmp_path, mixed, figures, names):
    recognition_figure(dict.fromkeys(names, mixed), tmp_path / "figure.png")
    figure = figures[0]
    legends = [axis.get_legend().get_window_extent() for axis in figure.axes]
    for axis in figure.axes:
        assert not any(axis.get_window_extent().overlaps(legend) for legend in legends)
        assert not axis.xaxis.label.get_window_extent().overlaps(axis.get_legend().get_window_extent())
    right = figure.axes[1]
    words = [each.get_window_extent() for each in (*right.texts, *right.get_yticklabels(), right.title)]
    for number, one in enumerate(words):
        assert not any(one.overlaps(other) for other in words[:number])
    assert not any(figure.axes[0].get_window_extent().overlaps(one) for one in words)
    assert all(figure.bbox.x0 <= one.x0 and one.x1 <= figure.bbox.x1 for one in [*words, *legends])


def test_names_with_dollar_signs_are_no_formulas(tmp_path, figures):
    result = evaluate("expert", VL, {"$c_{1$": {}}, 2)
    recognition_figure({"$a_{1$": result, "b": result}, tmp_path / "figure.png")
    right = figures[0].axes[1]
    assert right.get_yticklabels()[0].get_text() == "$a_{1$"
    assert right.texts[0].get_text() == "$c_{1$"


def test_cells_are_drawn_as_chosen_and_an_evaluation_without_one_has_no_bar_there(tmp_path, mixed, figures):
    part = evaluate("expert", VL, ["train"], 4)
    recognition_figure({"mixed": mixed, "part": part}, tmp_path / "a.png", cells=["rule_visual_ood", "train"])
    assert [label.get_text() for label in figures[0].axes[1].get_yticklabels()] == ["mixed", "mixed", "part"]


def test_a_failed_figure_leaves_the_earlier_file(tmp_path, mixed, monkeypatch):
    (tmp_path / "figure.png").write_bytes(b"earlier")

    def full(figure, part, **_):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match="No space left"):
        recognition_figure({"mixed": mixed}, tmp_path / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert (tmp_path / "figure.png").read_bytes() == b"earlier"


def test_without_matplotlib_the_figure_says_what_to_install(tmp_path, mixed, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'needs matplotlib: pip install "verienv\[figures\]"'):
        recognition_figure({"mixed": mixed}, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_matplotlib_is_loaded_for_the_figure_alone_and_pyplot_never(tmp_path):
    code = (
        "import sys\nfrom verienv.evaluation import evaluate, recognition_figure\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"result = evaluate('expert', {VL!r}, ['train'], 1)\n"
        "recognition_figure({'expert': result}, sys.argv[1])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path / "a.png")], check=True)


@pytest.mark.parametrize(
    ("names", "arguments", "told"),
    [
        ([], {}, "evaluations is empty"),
        (["one"], {"cells": []}, "cells is empty"),
        (["one"], {"cells": ["tset"]}, "there is no cell 'tset'; cells: train, rule_visual_ood"),
        (list("abcdefgh"), {}, "8 evaluations cannot be told apart"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_named(tmp_path, mixed, names, arguments, told):
    with pytest.raises(ValueError, match=told):
        recognition_figure(dict.fromkeys(names, mixed), tmp_path / "figure.png", **arguments)
    assert not list(tmp_path.iterdir())


def test_more_cells_than_colours_are_refused(tmp_path):
    cells = {str(number): {"split": "train"} for number in range(8)}
    with pytest.raises(ValueError, match="8 cells cannot be told apart in one figure; choose at most 7"):
        recognition_figure({"expert": evaluate("expert", VL, cells, 1)}, tmp_path / "figure.png")


def test_an_evaluation_in_words_has_nothing_to_draw(tmp_path, mixed):
    words = evaluate("expert", WORDS, ["train"], 2)
    with pytest.raises(ValueError, match="'words': evaluated in words"):
        recognition_figure({"pictures": mixed, "words": words}, tmp_path / "figure.png")
