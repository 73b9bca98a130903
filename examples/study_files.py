"""The files of studies, in TOML: read, and found to be what can be run.

``examples/studies/`` holds those of this project; a file of one's own is read alike. A file that is ``like`` another
study has its fields, but for those that it gives itself, whole; an arm may be ``like`` another arm of its file. A cell
may be one of a JSON file (``file`` and ``cell``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from study_plan import Study, arguments_of, as_pairs, jobs_of
from study_stages import needed, stage_arguments
from verienv.core.make import full_id, make_env
from verienv.core.settings import read_settings
from verienv.evaluation.cells import Cell, read_cells

STUDIES = Path(__file__).parent / "studies"


def read_study(name: str | Path, **changed: Any) -> Study:
    """Read a study by its name or from a file of one's own; ``changed`` fields take the place of those of the file.

    Raises:
        ValueError: in one line, for a file that is no study, and for arms, cells or starts that cannot be.
    """
    path, found = file_of(name)
    if isinstance(arms := found.get("arms"), dict):
        found = {**found, "arms": {name: like_another(arms, arm) for name, arm in arms.items()}}
    try:
        study = Study(**{**found, **changed})
        study = study.model_copy(update={"env": full_id(study.env)})
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a slip makes another missing
        given = "" if first["type"] == "missing" else f" (given {str(first['input'])[:60]!r})"
        raise ValueError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}{given}") from None
    check_study(study)
    return study.model_copy(update={"starts": tuple(found_starts(study.starts))})


def file_of(name: str | Path, above: tuple[Path, ...] = ()) -> tuple[Path, dict[str, Any]]:
    """Return a study's file and its fields; those that it has not come from the one that it is ``like``."""
    path = Path(name) if Path(name).suffix == ".toml" else STUDIES / f"{name}.toml"
    if path in above:
        raise ValueError(f"{path} is like itself")
    try:
        found = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{name}: expected a study's file, FILE.toml, or one of {', '.join(names())}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML ({error})") from None
    if isinstance(cells := found.get("cells"), dict):
        found["cells"] = {name: from_file(cell, path.parent) for name, cell in cells.items()}
    like = found.pop("like", None)
    return path, {**file_of(like, (*above, path))[1], **found} if isinstance(like, str) else found


def like_another(arms: dict[str, Any], arm: Any) -> Any:
    """Return an arm's table with what it has not from the arm that it is ``like``, option by option."""
    other = arms.get(arm.get("like")) if isinstance(arm, dict) else None
    if not isinstance(other, dict) or other is arm:
        return arm
    own = {name: value for name, value in arm.items() if name != "like"}
    return {**other, **own, "options": {**other.get("options", {}), **own.get("options", {})}}


def from_file(cell: Any, folder: Path) -> Any:
    """Return a cell with the settings of ``cell`` in its ``file``, of cells as `verienv evaluate --splits` takes it."""
    if not isinstance(cell, dict) or "file" not in cell:
        return cell
    own = {name: value for name, value in cell.items() if name not in ("file", "cell")}
    given = read_cells(folder / str(cell["file"]))
    if cell.get("cell") not in given:
        raise ValueError(f"{cell['file']} has no cell {cell.get('cell')!r}; it has {', '.join(given)}")
    return {**given[cell["cell"]], **own}


def names() -> list[str]:
    """Return the names of the studies of this project."""
    return sorted(str(path.relative_to(STUDIES).with_suffix("")) for path in STUDIES.rglob("*.toml"))


def found_starts(starts: tuple[str, ...]) -> Iterator[str]:
    """Yield the starts, a path with * as all that there are. Raises ValueError where there is none."""
    for start in starts:
        matching = sorted(map(str, Path().glob(start)), key=lambda one: (len(one), one)) if "*" in start else [start]
        if not matching:
            raise ValueError(f"starts: nothing is at {start}; `make starts` builds the starts of the studies")
        yield from matching


def check_study(study: Study) -> None:
    """Raise ValueError for the first thing in a study that could not be run."""
    for arm in (*(study.contrast or ()), *(one.arm for one in study.published)):
        if arm not in study.arms:
            raise ValueError(f"arm {arm!r} is not among the arms: {', '.join(study.arms)}")
    for name, arm in study.arms.items():
        met = [name]
        while met[-1] and (after := study.arms[met[-1]].after):
            if after not in study.arms or after in met:
                raise ValueError(f"arm {name!r}: after = {after!r}; expected another arm: {', '.join(study.arms)}")
            met.append(after)
        if bool(arm.after) != bool(arm.at):
            raise ValueError(f"arm {name!r}: give both, after (an arm) and at (an update of it), or neither")
    check_stages(study)
    for job in jobs_of(study):
        arguments_of(study, job, job.start, Path("runs"), "cpu")
    make_env(study.env, **read_settings(as_pairs(study.settings)))
    for name, cell in study.cells.items():
        try:
            Cell(study.env, {**study.settings, **cell.settings}, episodes=1, seed=0)
        except ValueError as error:
            raise ValueError(f"cell {name!r}: {error}") from None


def check_stages(study: Study) -> None:
    """Raise ValueError for a stage that is unknown, that needs itself, or whose script refuses its options."""
    needing = {f"arm {name!r}": arm.needs for name, arm in study.arms.items()}
    for name, needs in (needing | {f"stage {name!r}": stage.needs for name, stage in study.stages.items()}).items():
        for need in needs:
            if need not in study.stages:
                known = ", ".join(study.stages) or "there are none"
                raise ValueError(f"{name}: needs {need!r}; expected stages: {known}")
    try:
        TopologicalSorter({name: stage.needs for name, stage in study.stages.items()}).prepare()
    except CycleError as error:
        raise ValueError(f"stages need each other in a circle: {', '.join(error.args[1])}") from None
    for name, stage in needed(study).items():
        if stage.script not in ("chosen", "human"):
            stage_arguments(study, stage, Path("runs"), study.starts[0], name, "cpu")
