"""The figure of recognition and success: whether pictures were read right, and whether the answer was then correct."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from verienv.core.files import atomic_write
from verienv.evaluation.figures import COLOURS, MARKERS, reach, wrapped
from verienv.evaluation.report import ENDS, Evaluation, Recognition
from verienv.evaluation.unmeasured import format_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

SHADES = {"read_solved": 1.0, "read_failed": 0.42, "misread": 0.0}
"""The share of the cell's colour in each part of a bar; the rest is white, and a part without colour light grey."""
_FAINT, _DARK = "#ececec", "#333333"
_NARROWEST = 7.0  # percent: a part of a bar in which its number finds room

Drawn = dict[str, dict[str, Recognition]]
"""Results by cell, then by evaluation."""


def recognition_figure(
    evaluations: Mapping[str, Evaluation], path: str | Path, *, cells: Sequence[str] | None = None
) -> None:
    """Draw recognition and success of one or more evaluations with vision, after Figure 8 of arXiv 2501.17161.

    On the left a point for each cell of each evaluation, at the share of episodes whose picture was read right and the
    share that was solved too, with 95% intervals. The points of a cell are joined in the order of the evaluations. None
    can lie above the diagonal: there all that is read is solved. On the right the same as bars: read and solved, read
    but failed, misread. All is judged at the last attempt of each episode (see ``Recognition``).

    Args:
        evaluations: by the name to show, at most 7: one policy's checkpoints in their order, or several policies.
        path: the file, which is written whole or not at all. Its ending is the format: .png (the default), .pdf, .svg.
        cells: the cells to draw, in this order, at most 7; by default all in which recognition was measured. An
            evaluation that lacks a cell, or did not measure it there, has no point there.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if there is nothing to draw, or more than can be told apart; or if recognition was not measured, as
            the answer format has no field for it.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise ImportError('recognition_figure needs matplotlib: pip install "verienv[figures]"') from None
    drawn = _drawn(evaluations, cells)
    rows = sum(len(found) + (len(evaluations) > 1) for found in drawn.values())
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    lines = max(wrapped(name).count("\n") + 1 for name in (*evaluations, *drawn))
    figure = Figure(figsize=(10.5, max(4.9, 1.4 + rows * max(0.3, 0.2 * lines))), layout=layout)  # inches
    left, right = figure.subplots(1, 2)
    colours, markers = dict(zip(drawn, COLOURS, strict=False)), dict(zip(evaluations, MARKERS, strict=False))
    _draw_points(left, drawn, colours, markers)
    _draw_bars(right, drawn, colours, markers)
    with atomic_write(path) as part:
        figure.savefig(part, dpi=120, format=Path(path).suffix.removeprefix(".") or "png")


def _drawn(evaluations: Mapping[str, Evaluation], cells: Sequence[str] | None) -> Drawn:
    if not evaluations:
        raise ValueError("evaluations is empty; give at least one, e.g. {'start': evaluate(...)}")
    words = [name for name, evaluation in evaluations.items() if not evaluation.setup.recognition]
    if words:
        raise ValueError(f"{', '.join(map(repr, words))}: evaluated in words, where there is no picture to read")
    for name, evaluation in evaluations.items():
        if not any(result.recognition for result in evaluation.cells.values()):
            raise ValueError(f"{name!r}: {_unmeasured(evaluation, evaluation.cells)}")
    known = dict.fromkeys(cell for evaluation in evaluations.values() for cell in evaluation.cells)
    for cell in cells or ():
        if cell not in known:
            raise ValueError(f"there is no cell {cell!r}; cells: {', '.join(known)}")
    drawn: Drawn = {}
    for cell in known if cells is None else cells:
        results = {name: evaluation.cells[cell] for name, evaluation in evaluations.items() if cell in evaluation.cells}
        measured = {name: result.recognition for name, result in results.items() if result.recognition}
        if measured:
            drawn[cell] = measured
        elif cells is not None:
            raise ValueError(
                f"cell {cell!r}: {_unmeasured(next(one for one in evaluations.values() if cell in one.cells), [cell])}"
            )
    if not drawn:
        raise ValueError("cells is empty; name at least one, or leave it out to draw all")
    for what, number, most in (
        ("evaluations", len(evaluations), len(MARKERS)),
        ("cells", len(drawn), len(COLOURS)),
    ):
        if number > most:
            raise ValueError(f"{number} {what} cannot be told apart in one figure; choose at most {most}")
    return drawn


def _unmeasured(evaluation: Evaluation, cells: Iterable[str]) -> str:
    formats = ", ".join(dict.fromkeys(f"answer_format={format_of(evaluation.setup, cell)}" for cell in cells))
    return (
        f"recognition was not measured, as answers have no field for it ({formats}); ask for that field, as "
        "'tags+cards' does"
    )


def _draw_points(axis: Axes, drawn: Drawn, colours: Mapping[str, str], markers: Mapping[str, str]) -> None:
    """Draw success over recognition, in percent."""
    from matplotlib.lines import Line2D

    axis.fill_between([0, 100], [0, 100], 100, color="0.96", lw=0, zorder=0)
    (diagonal,) = axis.plot([0, 100], [0, 100], color="0.45", lw=1, ls=(0, (5, 4)), zorder=1)
    for cell, found in drawn.items():
        colour = colours[cell]
        across = [100 * one.read.mean for one in found.values()]
        up = [100 * one.read_solved.mean for one in found.values()]
        axis.plot(across, up, color=colour, lw=1.5, alpha=0.6, zorder=3)
        for (name, one), x, y in zip(found.items(), across, up, strict=True):
            wide, high = reach(one.read), reach(one.read_solved)
            axis.errorbar(x, y, xerr=wide, yerr=high, fmt="none", ecolor=colour, lw=0.9, alpha=0.55, zorder=2)
            axis.plot(x, y, marker=markers[name], ms=8, mec="white", mew=0.8, color=colour, clip_on=False, zorder=4)
    ticks = range(0, 101, 20)
    axis.set(xlim=(0, 100), ylim=(0, 100), xticks=ticks, yticks=ticks)
    axis.set(xlabel="recognition: read right, %", ylabel="success: read right and solved, %")
    axis.set_box_aspect(1)
    axis.set_anchor("N")
    axis.set_title("Recognition and success", loc="left", fontsize=12, pad=10)
    axis.grid(alpha=0.25)
    interval = Line2D([], [], color=_DARK, lw=0.9, alpha=0.55)
    _legend_below(axis, {"all that is read is solved": diagonal, "95% interval": interval})


def _draw_bars(axis: Axes, drawn: Drawn, colours: Mapping[str, str], markers: Mapping[str, str]) -> None:
    """Draw a bar for each cell of each evaluation, in percent of its episodes; several share the cell's name."""
    from matplotlib.patches import Patch

    several = len(markers) > 1
    rows: dict[float, tuple[str, str]] = {}
    y = 0.0
    for cell, found in drawn.items():
        if several:
            axis.text(0, y, cell, color=colours[cell], fontweight="bold", va="center", parse_math=False)
            y += 0.95
        for name in found:
            rows[y] = cell, name
            y += 1
        y += 0.35 if several else 0
    beside = axis.get_yaxis_transform()  # x as a share of the axis' width, y as a row
    for row, (cell, name) in rows.items():
        _draw_bar(axis, row, drawn[cell][name], colours[cell], thickness=min(0.78, 0.08 * y))
        axis.plot(-0.03, row, marker=markers[name], ms=7, color=colours[cell], clip_on=False, transform=beside)
    axis.set_ylim(y - (0.75 if several else 0.4), -0.6)
    axis.set_yticks(list(rows), [wrapped(name if several else cell) for cell, name in rows.values()], parse_math=False)
    axis.tick_params(axis="y", length=0, pad=18)
    axis.set(xlim=(0, 100), xticks=range(0, 101, 20), xlabel="episodes, %")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.set_title("How episodes ended", loc="left", fontsize=12, pad=10)
    _legend_below(axis, {ENDS[end]: Patch(color=_shade(_DARK, strength)) for end, strength in SHADES.items()})


def _draw_bar(axis: Axes, row: float, one: Recognition, colour: str, thickness: float) -> None:
    start = 0.0
    for end, strength in SHADES.items():
        share, shade = 100 * getattr(one, end).mean, _shade(colour, strength)
        axis.barh(row, share, left=start, height=thickness, color=shade)
        if share >= _NARROWEST:
            ink = _DARK if _is_light(shade) else "white"
            axis.text(start + share / 2, row, f"{share:.0f}", ha="center", va="center_baseline", color=ink, fontsize=9)
        start += share


def _legend_below(axis: Axes, entries: Mapping[str, Artist]) -> None:
    from matplotlib.transforms import ScaledTranslation

    below = axis.transAxes + ScaledTranslation(0, -0.58, axis.figure.dpi_scale_trans)  # inches: past ticks and label
    axis.legend(
        list(entries.values()),
        list(entries),
        loc="upper left",
        bbox_to_anchor=(-0.02, 0),
        bbox_transform=below,
        ncols=3,
        frameon=False,
        borderaxespad=0,
        handlelength=1.6,
        columnspacing=1.2,
        fontsize=9,
    )


def _shade(colour: str, strength: float) -> str:
    """Mix a share of a colour with white; light grey for none of it."""
    if not strength:
        return _FAINT
    return "#" + "".join(f"{round(255 - strength * (255 - part)):02x}" for part in _rgb(colour))


def _is_light(colour: str) -> bool:
    """Return whether dark letters stand out from a colour better than white ones."""
    red, green, blue = _rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
