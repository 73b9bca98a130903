"""Converting the paper's public routes once to a file of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from verienv.cli.common import note
from verienv.virl.paper_data.panoramas import summarize_missing
from verienv.virl.paper_data.routes import Conversion, Defects
from verienv.virl.paper_data.routes import convert as convert_routes

MOST_DEFECTS = 20


def convert(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What holds route_infos.json, or that file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The file to write.")],
    defects: Annotated[
        str, typer.Option(help="skip leaves defective routes out and names them; refuse stops at them.")
    ] = "skip",
) -> None:
    """Convert the paper's public V-IRL routes to one JSON file.

    It is played with -s data=OUT.json. Where panoramas are mapped (gps_pano_mapping.pkl), the file says which were
    taken near the routes, so that the pickle is not read again.
    """
    report = convert_routes(folder, out, defects=cast(Defects, defects))  # it checks what defects is
    for index, reason in list(report.defects.items())[:MOST_DEFECTS]:
        note(f"route {index} is left out: {reason}")
    if len(report.defects) > MOST_DEFECTS:
        note(f"... and {len(report.defects) - MOST_DEFECTS} more routes are left out")
    print(f"routes: {report.routes} of {report.name} in {out}, {len(report.defects)} left out\n{_panoramas(report)}")


def _panoramas(report: Conversion) -> str:
    if report.panoramas is None:
        return "panoramas: none (there is no gps_pano_mapping.pkl beside the routes)"
    told = summarize_missing(report.missing) if report.missing else "none missing"
    return f"panoramas: {report.panoramas} found near the routes, {told}"
