"""Preferences: pairs of responses, labels of them by whoever gives them, and how good these labels are.

from verienv.preferences import agreement, read_labels, read_pairs, read_verdicts
pairs, verdicts = read_pairs("runs/pairs/pairs.jsonl"), read_verdicts("runs/pairs-verdicts.jsonl")
print(agreement(read_labels("runs/labels.jsonl"), pairs, verdicts))
"""

from verienv.core.lazy import lazy_attributes
from verienv.preferences.consensus import Consensus, DawidSkene, aggregate, dawid_skene, krippendorff_alpha
from verienv.preferences.files import (
    RecordWriter,
    labels_by,
    read_judgements,
    read_labels,
    read_pairs,
    read_verdicts,
)
from verienv.preferences.measures import accuracy
from verienv.preferences.records import Judgement, Label, Pair, PairVerdicts
from verienv.preferences.report import AgreementReport, AnnotatorReport, agreement
from verienv.preferences.rows import labelled, responses, training_rows

__getattr__ = lazy_attributes(__name__)[0]
__all__ = [
    "AgreementReport",
    "AnnotatorReport",
    "Consensus",
    "DawidSkene",
    "Judgement",
    "Label",
    "Pair",
    "PairVerdicts",
    "RecordWriter",
    "accuracy",
    "aggregate",
    "agreement",
    "dawid_skene",
    "krippendorff_alpha",
    "labelled",
    "labels_by",
    "read_judgements",
    "read_labels",
    "read_pairs",
    "read_verdicts",
    "responses",
    "training_rows",
]


def __dir__() -> list[str]:
    return __all__
