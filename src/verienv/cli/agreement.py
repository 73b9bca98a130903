"""The command that tells how far labels of pairs agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from verienv.cli.common import note, writing
from verienv.cli.places import JSON_LINES, check_name, check_places
from verienv.cli.streams import check_output
from verienv.core.shown import shown_path
from verienv.preferences import agreement as report_on
from verienv.preferences import read_labels, read_pairs, read_verdicts, training_rows
from verienv.preferences.consensus import Method


def agreement(
    labels: Annotated[list[Path], typer.Argument(metavar="LABELS...", help="Files of labels, as JSON lines.")],
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The pairs, to tell how often the longer response is preferred."),
    ] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The program's verdicts, to measure the labels against."),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Write what the labels add up to as rows to train on (prompt, chosen, rejected, p); needs --pairs, "
            "reads no verdicts.",
        ),
    ] = None,
    dawid_skene: Annotated[
        bool, typer.Option("--dawid-skene", help="In --rows let annotators count by how reliable they seem to be.")
    ] = False,
    soft_ties: Annotated[bool, typer.Option("--soft-ties", help="In --rows keep ties, at p = 0.5.")] = False,
) -> None:
    """Tell how far annotators agree with each other, with themselves and with the program.

    Each line of LABELS holds a pair's id, who labelled it, and the choice: a, b, tie or skip; of several that an
    annotator gave one pair the last one counts.
    """
    if pairs is None and (rows or dawid_skene or soft_ties):
        raise ValueError("--rows: the labels name pairs by their ids alone; give the file of --pairs too")
    if rows is None and (dawid_skene or soft_ties):
        raise ValueError("--dawid-skene and --soft-ties are about rows to train on; give --rows FILE.jsonl too")
    check_name("--rows", rows, JSON_LINES, may_be_packed=True)
    read = {f"LABELS {number}": path for number, path in enumerate(labels, 1)}
    check_places({**read, "--pairs": pairs, "--verdicts": verdicts}, {"--rows": rows})
    check_output(needed=rows is None)
    known = read_pairs(pairs) if pairs else None
    given = read_labels(labels, known)
    if not given:
        raise ValueError("the files hold no label that counts; label some pairs first")
    judged = read_verdicts(verdicts) if verdicts else None
    labelled = {label.pair for label in given}
    if judged is not None and (lacking := len(labelled - judged.keys())):
        if lacking == len(labelled):
            raise ValueError(
                f"--verdicts {shown_path(verdicts)}: are of other pairs; give the file of these labels' pairs"
            )
        note(f"--verdicts: {lacking} of {len(labelled)} labelled pairs have none, and count in no accuracy")
    if rows and known is not None:
        method: Method = "dawid-skene" if dawid_skene else "majority"
        made = list(training_rows(known, given, method=method, ties="soft" if soft_ties else "drop"))
        with writing(rows) as file:
            file.writelines(json.dumps(row) + "\n" for row in made)
        note(
            f"{len(made)} rows in {rows}"
            + f"; their pictures lie beside {pairs}" * any("images" in row for row in made)
        )
    print(report_on(given, known, judged))
