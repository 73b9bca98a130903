"""Rows of both tasks through datasets, pandas, parquet and JSON lines: paid and dealt as before."""

import warnings
from typing import Any

import pytest
from tests.adapters.rows import HAND, ID, RIGHT, ROUTES_ID, VISION_ID, WRONG, paid, pay, routes

import verienv
from verienv.adapters.trl import dataset, reward
from verienv.core.rows import read

pd = pytest.importorskip("pandas")
datasets = pytest.importorskip("datasets")
NAN = float("nan")


@pytest.fixture(scope="module")
def mixed() -> Any:
    both = [dataset(ID, "rule_ood", n=2, seed=3, attempts=1), routes(n=2)]
    return datasets.concatenate_datasets(both)


def through_pandas(mixed: Any, folder: Any) -> Any:
    return datasets.Dataset.from_pandas(mixed.to_pandas())


def through_parquet(mixed: Any, folder: Any) -> Any:
    mixed.to_parquet(folder / "rows.parquet")
    return datasets.Dataset.from_parquet(str(folder / "rows.parquet"), cache_dir=str(folder))


def through_json_lines(mixed: Any, folder: Any) -> Any:
    mixed.to_json(folder / "rows.jsonl")
    return datasets.Dataset.from_json(str(folder / "rows.jsonl"), cache_dir=str(folder))


def through_numpy(mixed: Any, folder: Any) -> Any:
    return mixed.with_format("numpy")  # floats of 32 bits


@pytest.mark.parametrize("through", [through_pandas, through_parquet, through_json_lines, through_numpy])
def test_a_dataset_is_paid_the_same_after_a_round_trip(through: Any, mixed: Any, tmp_path: Any) -> None:
    again = through(mixed, tmp_path)
    assert paid(again, [read(row).expert() for row in mixed]) == [5.0, 5.0, 1.0, 1.0]
    assert [verienv.Episode.of(row).question for row in again] == [verienv.Episode.of(row).question for row in mixed]


@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
def test_the_columns_of_pandas_are_read_as_they_are(backend: str | None, mixed: Any, tmp_path: Any) -> None:
    mixed.to_json(tmp_path / "rows.jsonl")
    frame = pd.read_json(tmp_path / "rows.jsonl", lines=True, **({"dtype_backend": backend} if backend else {}))
    records = frame.to_dict("records")
    assert [verienv.Episode.of(row).question for row in records] == [verienv.Episode.of(row).question for row in mixed]
    frame = frame.iloc[::-1]  # its labels count down
    columns = {name: frame[name] for name in frame.columns if name != "prompt"}
    experts = [read(row).expert() for row in reversed(records)]
    assert reward(prompts=["?"] * 4, completions=experts, **columns) == [1.0, 1.0, 5.0, 5.0]


def test_whole_floats_and_nan_are_paid_as_integers_and_nulls() -> None:
    rule = {"J": 10.0, "Q": 10.0, "K": 10.0, "correct": None}
    assert pay(RIGHT, target=24.0, attempts=5.0, rule=rule, jitter=NAN, strict=0.0, rewards=NAN) == 5.0
    cards = [HAND["cards"], NAN, pd.NA, None]
    assert reward(prompts=["?"] * 4, completions=[RIGHT] * 4, cards=cards) == [5.0, None, None, None]
    assert reward(prompts=["?"], completions=[RIGHT], cards=[NAN], env_id=[NAN]) == [None]


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"cards": []}, "cards: 0 values for 2 completions"),
        ({"cards": [HAND["cards"]]}, "cards: 1 values for 2 completions"),
        ({"cards": [HAND["cards"]] * 3}, "cards: 3 values for 2 completions"),
        ({"cards": [HAND["cards"]] * 2, "target": [24]}, "target: 1 values for 2 completions"),
        ({"cards": [HAND["cards"]] * 2, "rule": ()}, "rule: 0 values for 2 completions"),
        ({"waypoint": []}, "waypoint: 0 values for 2 completions"),
        ({"cards": [HAND["cards"]] * 2, "answer_format": "tags"}, "answer_format='tags': expected a column"),
    ],
)
def test_a_column_of_another_length_or_of_none_is_named(columns: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        reward(prompts=["?"] * 2, completions=[RIGHT, WRONG], **columns)
    assert "\n" not in str(caught.value)


def test_no_completions_are_paid_nothing() -> None:
    assert reward(prompts=[], completions=[], cards=[], target=[]) == []


@pytest.mark.parametrize("kind", ["prompt", "sft", "revision", "preference"])
def test_rows_in_words_and_with_pictures_fit_in_one_table(kind: Any) -> None:
    small = {"image_size": 96}
    words, seen = dataset(ID, n=2, kind=kind, parts=True), dataset(VISION_ID, n=2, kind=kind, **small)
    both = datasets.concatenate_datasets([words, seen, routes(n=2, kind=kind, parts=True)])
    assert [len(images) for images in both["images"]] == [0, 0, 1, 1, 0, 0]
    for before, after in zip(dataset(ID, n=2, kind=kind), both, strict=False):
        for name in ("prompt", "completion", "chosen", "rejected"):
            if name in before:
                texts = [message["content"] for message in before[name]]
                assert [[part["text"] for part in message["content"]] for message in after[name]] == [
                    [text] for text in texts
                ]
    assert paid(both, [read(row).expert() for row in both]) == [5.0] * 4 + [1.0] * 2


def test_plain_rows_in_words_and_with_pictures_fit_in_one_table_too() -> None:
    rows = [verienv.rows(env_id, n=2, parts=True) for env_id in (ID, VISION_ID, ROUTES_ID)]
    both = datasets.concatenate_datasets([datasets.Dataset.from_list(each) for each in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row, held in zip([*rows[0], *rows[1], *rows[2]], both, strict=True):
            assert verienv.Episode.of(held).question == verienv.Episode.of(row).question
    assert rows[0][0]["prompt"][0]["content"][0]["text"] == verienv.rows(ID, n=1)[0]["prompt"][0]["content"]
