"""The figure of successes by cell: every policy in every cell, with its interval, an axis for each environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from verienv.core.files import atomic_write
from verienv.core.shown import shown
from verienv.evaluation.figures import COLOURS, MARKERS, reach, wrapped
from verienv.evaluation.metrics import shown_metrics
from verienv.evaluation.report import Evaluation
from verienv.evaluation.unmeasured import merged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")
"""The endings of figures, each its format."""
_STEP = 0.16  # of the distance between two cells: from one policy to the next


def success_figure(
    evaluations: Mapping[str, Evaluation],
    path: str | Path,
    *,
    metric: str = "success",
    cells: Sequence[str] | None = None,
) -> None:
    """Draw a share by cell: a point for each policy, with its 95% interval; an axis for each environment.

    So words and vision stand side by side. Each policy has a colour and a marker, the same on every axis.

    Args:
        evaluations: by the name to show, at most 7; of one environment or several.
        path: the file, which is written whole or not at all. Its ending is the format: .png, .pdf or .svg.
        metric: a metric that tables show, such as "first_success".
        cells: the cells to draw, in this order; by default all. An evaluation that lacks one has no point there.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if there is nothing to draw, or more than can be told apart, or the ending is another.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise ImportError('success_figure needs matplotlib: pip install "verienv[figures]"') from None
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"{path}: give a name that ends in {', '.join(ENDINGS)}")
    parts = _parts(evaluations, cells, metric)
    rows = max(len(names) for names, _ in parts.values())
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08, wspace=0.06)
    step = max(0.55, 0.2 + 0.17 * len(evaluations))
    figure = Figure(figsize=(1.2 + 4.6 * len(parts), 1.9 + step * rows), layout=layout)  # inches
    axes = figure.subplots(1, len(parts), squeeze=False)[0]
    style = dict(zip(evaluations, zip(COLOURS, MARKERS, strict=True), strict=False))
    for axis, (env_id, (names, drawn)) in zip(axes, parts.items(), strict=True):
        _draw(axis, names, drawn, metric, style)
        axis.set_title(wrapped(_title(env_id, drawn), 44), loc="left", fontsize=11, pad=8, parse_math=False)
        heading = next(heading for one in drawn.values() if (heading := _headings(one).get(metric)))
        axis.set_xlabel(f"{heading}, %", parse_math=False)
    _legend(figure, style)
    with atomic_write(path) as part:
        figure.savefig(part, dpi=150, format=ending.removeprefix("."))


def _parts(
    evaluations: Mapping[str, Evaluation], cells: Sequence[str] | None, metric: str
) -> dict[str, tuple[list[str], dict[str, Evaluation]]]:
    """Return the cells and the evaluations of each environment, by its id."""
    if not evaluations:
        raise ValueError("evaluations is empty; give at least one, e.g. {'start': evaluate(...)}")
    if len(evaluations) > len(MARKERS):
        raise ValueError(
            f"{len(evaluations)} evaluations cannot be told apart in one figure; choose at most {len(MARKERS)}"
        )
    known = merged([*_headings(one)] for one in evaluations.values())
    if metric not in known:
        raise ValueError(f"metric={shown(metric)}: expected one of {', '.join(known)}")
    parts: dict[str, dict[str, Evaluation]] = {}
    for name, evaluation in evaluations.items():
        if metric in _headings(evaluation):
            parts.setdefault(evaluation.setup.env_id, {})[name] = evaluation
    found = {}
    for env_id, drawn in parts.items():
        there = merged([*one.cells] for one in drawn.values())
        if names := [name for name in (there if cells is None else cells) if name in there]:
            found[env_id] = names, drawn
    every = merged([*one.cells] for one in evaluations.values())
    if missing := [cell for cell in cells or () if cell not in every]:
        raise ValueError(f"there is no cell {shown(missing[0])}; cells: {', '.join(every)}")
    if not found:
        raise ValueError("cells is empty; name at least one, or leave it out to draw all")
    return found


def _headings(evaluation: Evaluation) -> dict[str, str]:
    """Return the shares of an evaluation that are shown, with their headings."""
    shares = {name: said for name, said in evaluation.setup.headings.items() if not evaluation.setup.units.get(name)}
    return shown_metrics(merged([*cell.metrics] for cell in evaluation.cells.values()), shares)


def _title(env_id: str, drawn: Mapping[str, Evaluation]) -> str:
    by_vision = any(evaluation.setup.recognition for evaluation in drawn.values())
    return f"{env_id.removeprefix('verienv/')}{', by vision' if by_vision else ''}"


def _draw(
    axis: Axes,
    names: Sequence[str],
    drawn: Mapping[str, Evaluation],
    metric: str,
    style: Mapping[str, tuple[str, str]],
) -> None:
    """Draw the points of an environment, in percent, its cells from top to bottom."""
    for place, (name, evaluation) in enumerate(drawn.items()):
        colour, marker = style[name]
        shift = _STEP * (place - (len(drawn) - 1) / 2)
        for row, cell in enumerate(names):
            result = evaluation.cells.get(cell)
            estimate = result.metrics.get(metric) if result else None
            if estimate is None or isnan(estimate.mean):
                continue
            x, y = 100 * estimate.mean, row + shift
            axis.errorbar(x, y, xerr=reach(estimate), fmt="none", ecolor=colour, lw=1.2, alpha=0.7, zorder=2)
            axis.plot(x, y, marker=marker, ms=6.5, mec="white", mew=0.7, color=colour, clip_on=False, zorder=3)
    for row in range(1, len(names)):
        axis.axhline(row - 0.5, color="0.85", lw=0.8, zorder=0)
    axis.set(xlim=(0, 100), xticks=range(0, 101, 20), ylim=(len(names) - 0.5, -0.5))
    axis.set_yticks(range(len(names)), [wrapped(name) for name in names], parse_math=False)
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", alpha=0.25)


def _legend(figure: Figure, style: Mapping[str, tuple[str, str]]) -> None:
    """Draw one legend for all axes, below them."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, ms=6.5, mec="white", mew=0.7, lw=1.2)
        for colour, marker in style.values()
    ]
    legend = figure.legend(
        handles, [wrapped(name, 40) for name in style], loc="outside lower left", ncols=min(len(style), 3),
        frameon=False, fontsize=9, title="95% intervals over clusters", title_fontsize=9, alignment="left",
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
