"""The reader: which object is the answer, and what is read in it. The vectors hold the same for the verifier."""

import json
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from verienv.core.reasoning import REASONING_TAGS, after_reasoning
from verienv.core.response import MAX_CHARACTERS, clean_response, read_answer
from verienv.testing import odd_responses

FLOODS = [
    '{"key":', '"', "'", "\\", "{", "}", "[", "{}", '{"', "{'", '\\"', "\\'", ' "', " '",
    '{"key": [', '{"key":{a:1,', "'\"",
    ' "\'', '{"key": "1', "\ud800", '{"\\u006b":', '{"key":"",', "{key:[", "'key': '", '"x" ', ",x}", "{\\", "(",
    '{"key":1}',
    "{/*a:1,", "{#\n", "/*", "“", "\\{", '{"key": 4*3 ', '# "key"\n', '{"arguments": "{', "<think>", "</think>",
    "\\_", "{a\\_b:", "4\\*", "'\\u", '"arguments":"\\n', "{*key*:",
]  # fmt: skip


def test_the_last_object_that_holds_the_key_is_the_answer():
    assert read_answer('{"key": 1} {"key": 2} {"other": 3}', "key") == {"key": 2}


def test_last_means_the_closing_brace():
    assert read_answer('{"key": 1, "inner": {"key": 2}}', "key") == {"key": 1, "inner": {"key": 2}}


def test_a_wrapper_is_entered():
    assert read_answer('{"answer": {"key": 1}, "sure": true}', "key") == {"key": 1}


def test_an_unfinished_object_does_not_void_an_earlier_one():
    assert read_answer('{"key": 1} {"key": 2, "rest', "key") == {"key": 1}


def test_a_text_without_the_key_has_no_answer():
    assert read_answer('{"other": 1} key', "key") is None


def test_a_key_inside_a_string_is_no_key():
    assert read_answer('{"note": "{\\"key\\": 1}"}', "key") is None


def test_an_escaped_key_is_the_key():
    assert read_answer('{"\\u006bey": 1}', "key") == {"key": 1}


@pytest.mark.parametrize(
    "before", ["It's ", 'He said "', "the '", "5'10\" ", 'a " b " c ', "{ ", '"{" ', "\\", "\\\\", "'{"]
)
def test_quotes_and_braces_in_prose_hide_nothing(before):
    assert read_answer(before + ' {"key": "}"} ', "key") == {"key": "}"}


@pytest.mark.parametrize("text", ['"{"key": 1}"', "'{\"key\": 1}', said I", 'so: "{"key": 1}".'])
def test_an_object_in_quotation_marks_is_read(text):
    assert read_answer(text, "key") == {"key": 1}


def test_braces_in_strings_are_text():
    fields = {"note": "} { \" ' \\", "key": "{", "more": "a\nb }"}
    assert read_answer("So: " + json.dumps(fields), "key") == fields


def test_objects_without_the_key_do_not_crowd_out_the_answer():
    assert read_answer('{"key": 1}' + r" \frac{1}{2}" * 500, "key") == {"key": 1}


def test_of_a_long_response_the_last_64_ki_characters_are_read():
    answer = '{"key": 1}'
    assert read_answer(answer + "x" * (MAX_CHARACTERS - len(answer)), "key") == {"key": 1}
    assert read_answer(answer + "x" * (MAX_CHARACTERS - len(answer) + 1), "key") is None


def test_the_answer_may_be_nested_eight_deep():
    assert read_answer('{"a":' * 7 + '{"key": 1}' + "}" * 7, "key") == {"key": 1}


def test_deeper_brackets_are_not_read():
    assert read_answer('{"key": ' + "[" * 8 + "]" * 8 + "}", "key") is None
    assert read_answer('{"key": ' + "[" * 7 + "]" * 7 + "}", "key") is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'key': 'a'}", "a"),
        ("{key: a}", "a"),
        ('{"key": [4, K, 10♠],}', [4, "K", "10♠"]),
        ("{'key': (1, True, None, false)}", [1, True, None, False]),
        (r"{'key': 'it\'s \x41 \u0042 \n'}", "it's A B \n"),
        (r'{"key": "\alpha"}', r"\alpha"),
        (r'{"key": "4\times3\\times2"}', r"4\times3\times2"),
        ('{"key": "a\nb\tc"}', "a\nb\tc"),
        ("{'key': .5, 'n': +1}", 0.5),
    ],
)
def test_the_json_that_models_write_is_read_unless_strict(text, value):
    assert read_answer(text, "key")["key"] == value
    strict = read_answer(text, "key", strict=True)
    assert strict is None or strict["key"] != value


@pytest.mark.parametrize(
    "text",
    ["{'key': 1+n}", "{'key': f().g}", "{'key': 'a' 'b'}", "{'key': 'a}", "{'key' 1}", "{,'key': 1}", "{'key': 1,,}",
     "{'key': [1 2]}", "{'key': 1} }".replace("1", "[1)"), "{'key': a-b}", "{'key': lambda: 0}"],
)  # fmt: skip
def test_what_is_no_literal_is_not_read(text):
    assert read_answer(text, "key") is None


def test_of_repeated_keys_the_last_counts():
    assert read_answer('{"key": 1, "key": 2}', "key") == {"key": 2}
    assert read_answer("{'key': 1, 'key': 2}", "key") == {"key": 2}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 5000])
def test_numbers_that_json_cannot_hold_come_back_as_text(number):
    assert read_answer(f'{{"key": {number}}}', "key") == {"key": number}


@pytest.mark.parametrize("text", ['{"key": NaN}', '{"key": Infinity}', '{"key": "a\nb"}'])
def test_strict_admits_plain_json_alone(text):
    assert read_answer(text, "key", strict=True) is None


@pytest.mark.parametrize(
    "text", ['{"key": "\\ud800", "\\udfff": 1}', "{'key': '\\ud800', '\\udfff': 1}", '{"key": "\ud800", "\udfff": 1}']
)
def test_lone_surrogates_are_replaced_before_and_after_decoding(text):
    assert read_answer(text, "key") == {"key": "\ufffd", "\ufffd": 1}


def test_text_without_surrogates_is_left_as_it_is():
    assert clean_response("é😀\x00") == "é😀\x00"


@given(odd_responses(), st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_text_is_read_without_error_into_what_can_be_written(text, strict):
    answer = read_answer(text, "formula", strict=strict)
    assert answer is None or "formula" in answer
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()


@given(
    st.dictionaries(
        st.text(),
        st.recursive(st.none() | st.booleans() | st.integers(-(10**16), 10**16) | st.text(), st.lists, max_leaves=5),
    )
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_plain_json_is_read_as_json_wherever_it_stands(fields):
    fields["key"] = 1
    text = json.dumps(fields, ensure_ascii=False)
    # Tags count wherever they stand, and hypothesis draws on the words of our own sources.
    assume(after_reasoning(text, REASONING_TAGS) == text)
    for response in (text, f"Well: {text}", f"```json\n{text}\n```"):
        assert read_answer(response, "key") == fields
        assert read_answer(response, "key", strict=True) == fields


ANSWER = '{"key": "4*3+2+10"}'


@pytest.mark.parametrize(
    "text",
    [
        '{"key": "4*3+2+10" // done\n}',
        '{"key": /* { */ "4*3+2+10"}',
        "{'key': '4*3+2+10', # isn't }\n}",
        '{/* {"key": 1} */ "key": "4*3+2+10"}',
        r'\{"key": "4*3+2+10"\}',
        r'\boxed{\left\{"key": "4*3+2+10"\right\}}',
        r"{\"key\": \"4*3+2+10\"}",
        r'{"key": "4\*3+2+10"}',
        "{key: 4*3+2+10}",
        '{"key": 4*3+2+10, "n": 1}',
        "{“key”: “4*3+2+10”}",
        "{‘key’: ‘4*3+2+10’}",
        '{"n": 1 "key": "4*3+2+10"}',
        '{"key"："4*3+2+10"，"n"：1}',
        '{"n": [...], "key": "4*3+2+10"}',
        '{"n": [King of Spades, 4♠], "key": "4*3+2+10"}',
        r"{'\u006bey': '4*3+2+10'}",
        r'{"\x6bey": "4*3+2+10"}',
        "{**key**: 4*3+2+10}",
        r"{key: 4\*3\+2+10, my\_note: 1}",
    ],
)
def test_what_a_person_reads_without_doubt_is_read_unless_strict(text):
    assert read_answer(text, "key")["key"] == "4*3+2+10"
    assert read_answer(f"{ANSWER} {text}", "key", strict=True) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"key": 4*3+2+10//1\n}',
        '{"key": 4*3+2+10 // 1\n}',
        '{"key": "4*3+2+10}',
        '{"key" "4*3+2+10"}',
        '{"key" = "1"}',
        '{"key": f"1"}',
        '{"key": "1" # one }',
        '{"key": @}',
        "{key: 4*3, +2}",
        '{"key": no landmark, I think.}',
        '{"key": "1"; "n": 2}',
    ],
)
def test_an_answer_in_doubt_is_not_read_and_no_draft_takes_its_place(text):
    assert read_answer(text, "key") is None
    assert read_answer(f"{ANSWER} Better: {text}", "key") is None


@pytest.mark.parametrize(
    "text", ["the {key}", '{"other": "key"}', '{"key": "1"', '{"a", "key"}', "{key", '{"n": ["key"]}']
)
def test_an_object_that_does_not_hold_the_key_voids_nothing(text):
    assert read_answer(f"{ANSWER} {text}", "key") == {"key": "4*3+2+10"}


def test_a_comment_in_an_object_that_is_never_closed_hides_nothing():
    assert read_answer('{"n": 1, oh no\n# So: {"key": 1}', "key") == {"key": 1}
    assert read_answer('The set {4, 3. // Answer: {"key": 1}', "key") == {"key": 1}


@pytest.mark.parametrize("name", ["arguments", "parameters", "input"])
def test_arguments_of_a_call_that_are_a_string_are_entered(name):
    call = json.dumps({"name": "answer", name: ANSWER})
    for text in (call, f'{{"key": 1}} {call}', json.dumps({"tool_calls": [{"function": json.loads(call)}]})):
        assert read_answer(text, "key") == {"key": "4*3+2+10"}
    assert read_answer(f'{call} {{"key": 1}}', "key") == {"key": 1}
    assert read_answer(json.dumps({"name": "answer", name: '{"key": @}'}) + "}", "key") is None


def test_arguments_that_are_no_object_are_no_answer():
    assert read_answer(ANSWER + ' {"name": "search", "arguments": "key: 1"}', "key") == {"key": "4*3+2+10"}
    assert read_answer(json.dumps({"input": ANSWER, "output": "?"}), "key") is None


@pytest.mark.parametrize("text", ['"input": "4 3 2 K", "output"', '"n": [1, "arguments": "x"], "answer"'])
def test_a_string_that_is_no_object_makes_no_call_of_a_wrapper_that_cannot_be_read(text):
    assert read_answer(f"{{{text}: {ANSWER};}}", "key") == {"key": "4*3+2+10"}
    assert read_answer(f"{{{text}: {ANSWER};}}", "key", strict=True) == {"key": "4*3+2+10"}


def test_a_key_whose_underscore_is_escaped_is_the_key():
    for text in (r'{"my\_key": 1}', r"{my\_key: 1}", r"\{my\_key: 1\}"):
        assert read_answer(f'{{"my_key": 2}} {text}', "my_key") == {"my_key": 1}


def test_an_exact_echo_of_the_template_is_passed_over():
    own = {'{"key": "..."}'}
    assert read_answer(ANSWER + '{"key": "..."}', "key", templates=own) == {"key": "4*3+2+10"}
    assert read_answer('{"key": "..."}', "key", templates=own) is None
    assert read_answer(ANSWER + '{"key": "...."}', "key", templates=own) == {"key": "...."}


@pytest.mark.parametrize("unit", FLOODS, ids=ascii)
def test_a_flood_is_survived(unit):
    flood = unit * (MAX_CHARACTERS // len(unit))
    for text in (flood, '{"key":' + "[" * 9 + '"' + flood[:60_000] + "}", flood[:30_000] + "}" * 30_000):
        answer = read_answer(text, "key")
        assert answer is None or "key" in answer


@pytest.mark.parametrize("unit", FLOODS, ids=ascii)
def test_twice_the_text_takes_at_most_twice_the_calls(unit):
    def calls(length: int) -> int:
        count = 0

        def counted(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        text = unit * (length // len(unit)) + "}" * 20
        sys.setprofile(counted)
        try:
            read_answer(text, "key")
        finally:
            sys.setprofile(None)
        return count

    assert calls(16_000) <= 2.2 * calls(8_000) + 200
