"""The figure of successes by cell, in words and by vision."""

import sys

import pytest
from matplotlib.axes import Axes
from PIL import Image
from tests.evaluation.policies import ENV, is_solved_by_hash

from verienv.evaluation import evaluate, success_figure

VISION = "verienv/GeneralPoints-VL-v0"


@pytest.fixture(scope="module")
def played():
    return {
        "fair": evaluate(is_solved_by_hash, ENV, ["train", "test"], 6),
        "$expert_": evaluate("expert", ENV, ["train", "test"], 6),
        "constant": evaluate("constant", VISION, ["train"], 3),
    }


def test_a_point_stands_at_each_share_and_each_environment_has_an_axis(played, tmp_path, monkeypatch):
    points, titles = [], []
    plot, title = Axes.plot, Axes.set_title
    monkeypatch.setattr(Axes, "plot", lambda self, x, y, **how: points.append((x, y)) or plot(self, x, y, **how))
    monkeypatch.setattr(Axes, "set_title", lambda self, text, **how: titles.append(text) or title(self, text, **how))
    success_figure(played, tmp_path / "figure.png")
    shares = [100 * cell.metrics["success"].mean for one in played.values() for cell in one.cells.values()]
    assert [x for x, _ in points] == shares
    assert [round(y) for _, y in points] == [0, 1, 0, 1, 0]
    assert titles == ["GeneralPoints-L-v0", "GeneralPoints-VL-v0, by vision"]
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width > image.height > 300


@pytest.mark.parametrize(("name", "head"), [("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a.PNG", b"\x89PNG")])
def test_the_ending_is_the_format(name, head, played, tmp_path):
    success_figure(played, tmp_path / name, metric="first_success", cells=["test"])
    assert (tmp_path / name).read_bytes().startswith(head)


@pytest.mark.parametrize(
    ("names", "arguments", "told"),
    [
        ([], {}, "evaluations is empty"),
        (["fair"], {"cells": ["rule_ood"]}, "there is no cell 'rule_ood'; cells: train, test"),
        (["fair"], {"cells": []}, "cells is empty"),
        (["fair"], {"metric": "reward"}, "metric='reward': expected one of success, first_success"),
        (["fair"] * 8, {}, "8 evaluations cannot be told apart"),
    ],
)
def test_what_cannot_be_drawn_is_refused(names, arguments, told, played, tmp_path):
    drawn = {f"{number}": played[name] for number, name in enumerate(names)}
    with pytest.raises(ValueError, match=told):
        success_figure(drawn, tmp_path / "figure.png", **arguments)
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_and_without_matplotlib_it_is_said_what_to_install(played, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"ends in \.png, \.pdf, \.svg"):
        success_figure(played, tmp_path / "figure.xlsx")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"verienv\[figures\]"):
        success_figure(played, tmp_path / "figure.png")
