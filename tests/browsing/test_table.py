import pytest

from verienv.browsing.table import Filters


def found(collection, sort="", down=False, **query):
    return collection.table.described(collection.rows(Filters.of(query), sort, down))


def names(collection):
    return [source.found.name for source in collection.sources]


def test_filters_let_through_what_they_say(collection):
    wrong = str(names(collection).index("wrong.jsonl"))
    assert len(found(collection)) == 24
    assert len(found(collection, source=wrong)) == 8
    assert {row["cell"] for row in found(collection, cell="test")} == {"test"}
    assert {row["state"] for row in found(collection, state="solved")} == {"solved"}
    assert {row["attempts"] for row in found(collection, attempts="2")} == {2}
    assert found(collection, cell="nowhere") == []
    assert found(collection, failure="no_such_failure") == []
    [kind] = {row["failure"] for row in found(collection, state="failed")}
    assert len(found(collection, failure=kind)) == 16


def test_a_part_of_an_id_finds_its_problem_in_every_evaluation(collection):
    instance = found(collection)[0]["problem"]
    rows = found(collection, problem=instance.upper())
    assert {row["source"] for row in rows} == {0, 1, 2}
    assert {row["problem"] for row in rows} == {instance}


def test_text_is_found_in_responses_in_any_case_and_nowhere_else(collection):
    rows = found(collection, text='<IMG SRC=x onerror=alert(1)> sum: 1+1{"CARDS')
    assert {collection.sources[row["source"]].found.name for row in rows} == {"wrong.jsonl"}
    assert len(rows) == 8
    assert found(collection, text='"attempt": 1') == []
    assert found(collection, text="verdict") == []


def test_rows_are_sorted_by_a_column_both_ways(collection):
    rewards = [row["reward"] for row in found(collection, "reward")]
    assert rewards == sorted(rewards)
    assert [row["reward"] for row in found(collection, "reward", True)] == sorted(rewards, reverse=True)
    assert [row["cell"] for row in found(collection, "cell")] == ["test"] * 12 + ["train"] * 12
    problems = [row["problem"] for row in found(collection, "problem")]
    assert problems == sorted(problems)


@pytest.mark.parametrize(
    "query",
    [{"source": "-1"}, {"source": "x"}, {"attempts": "1e3"}, {"state": "won"}, {"misread": "yes"}, {"text": "x" * 201}],
)
def test_a_wrong_filter_is_refused(query, collection):
    with pytest.raises(ValueError, match=next(iter(query))):
        found(collection, **query)


def test_another_column_is_refused(collection):
    with pytest.raises(ValueError, match="sort='__class__': expected source"):
        found(collection, "__class__")
