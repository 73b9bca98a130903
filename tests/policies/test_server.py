import base64
import io
import json
import socket
import threading

import numpy as np
import pytest
from PIL import Image
from tests.interrupting import interrupted, started
from tests.policies.serving import Fault, serving

import verienv
from verienv.core.policy import dialogue
from verienv.policies import server as server_module
from verienv.policies.http import MOST_BYTES
from verienv.policies.server import LONGEST_WAIT, OpenAIPolicy
from verienv.policies.usage import Completion

ENV = "verienv/GeneralPoints-L-v0"
VISION = "verienv/GeneralPoints-VL-v0"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def waits(monkeypatch):
    """The waits before requests are sent again, which are not waited."""
    waited = []
    monkeypatch.setattr(server_module, "sleep", waited.append)
    return waited


def asking(words):
    return [{"role": "user", "content": words}]


def ask(policy, *words):
    return policy([asking(each) for each in words])


def test_responses_come_in_the_order_of_the_dialogues_whatever_order_they_are_answered_in():
    last, waited = threading.Event(), []

    def reply(asked, _):
        if asked.words == "question 3":
            last.set()
        else:
            waited.append(last.wait(30))
        return asked.words.replace("question", "answer")

    with serving(reply) as served:
        policy = OpenAIPolicy("m", served.url, concurrency=4)
        assert ask(policy, *(f"question {i}" for i in range(4))) == [f"answer {i}" for i in range(4)]
    assert waited == [True] * 3


def test_no_more_requests_than_concurrency_are_under_way():
    both = threading.Barrier(2, timeout=30)

    def reply(*_):
        both.wait()
        return "a"

    with serving(reply) as served:
        assert ask(OpenAIPolicy("m", served.url, concurrency=2), *"abcdef") == ["a"] * 6
        assert served.most_at_once == 2


def test_a_request_holds_the_model_the_sampling_and_the_dialogue_and_the_key_is_in_its_header():
    with serving(lambda *_: "a") as served:
        ask(OpenAIPolicy("m", served.url, api_key="sk-1", max_new_tokens=7, temperature=0.5, top_p=0.9), "4 3 2 K?")
        ask(OpenAIPolicy("m", served.url, temperature=None), "4 3 2 K?")
        first, second = served.requests
    assert first.path == "/v1/chat/completions"
    assert first.headers["Authorization"] == "Bearer sk-1"
    assert first.body == {
        "model": "m", "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "messages": asking("4 3 2 K?")
    }  # fmt: skip
    assert "Authorization" not in second.headers
    assert second.body.keys() == {"model", "max_tokens", "messages"}


def test_key_and_address_come_from_the_environment(monkeypatch):
    with serving(lambda *_: "a") as served:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-environment\n")
        monkeypatch.setenv("OPENAI_BASE_URL", served.url.removesuffix("/v1"))
        assert ask(OpenAIPolicy("m"), "?") == ["a"]
        assert served.requests[0].headers["Authorization"] == "Bearer sk-of-environment"
        assert served.requests[0].path == "/v1/chat/completions"


def test_pictures_arrive_as_the_png_files_of_what_is_shown():
    (row,) = verienv.rows(VISION, n=1, seed=4)
    episode = verienv.Episode.of(row)
    with serving(lambda *_: "a") as served:
        OpenAIPolicy("m", served.url)([dialogue(episode)])
        picture, words = served.requests[0].body["messages"][0]["content"]
    head, _, data = picture["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert words == {"type": "text", "text": episode.text}
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), episode.pictures[0])


def test_special_tokens_are_taken_out_of_what_the_policy_said():
    said = [*asking("?"), {"role": "assistant", "content": "no<|end|>"}, *asking("Again.")]
    with serving(lambda *_: "a") as served:
        OpenAIPolicy("m", served.url, special_tokens=["<|end|>"])([said])
        assert served.requests[0].body["messages"][1]["content"] == "no"


@pytest.mark.parametrize(
    ("reply", "response"),
    [
        ({"content": None}, ""),
        ({"content": None, "refusal": "I cannot help with cards."}, ""),
        ({"content": 7}, ""),
        ({"content": None, "tool_calls": [{"function": {"name": "answer", "arguments": '{"formula": "1"}'}}]},
         '{"formula": "1"}'),
        ({"content": [{"type": "text", "text": "4!"}]}, "4!"),
        ({"content": "", "reasoning_content": "4!"}, ""),
        ({"choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": '{"formula": "1'}}]},
         '{"formula": "1'),
        ({"choices": []}, ""),
        ({"choices": ["?"]}, ""),
        ({"choices": [{"finish_reason": "content_filter"}]}, ""),
        ("caf\u00e9 \U0001f0a1 \ud800", "caf\u00e9 \U0001f0a1 \ufffd"),
    ],
)  # fmt: skip
def test_whatever_the_model_says_is_a_response(reply, response):
    with serving(lambda *_: reply) as served:
        assert ask(OpenAIPolicy("m", served.url), "?") == [response]


def test_a_completion_is_a_response_with_its_tokens_and_their_log_probabilities():
    told = {"content": [{"token": "A", "top_logprobs": []}]}
    choice = {"finish_reason": "length", "message": {"content": "A"}, "logprobs": told}
    whole = {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": True}}
    with serving(lambda *_: whole) as served:
        policy = OpenAIPolicy("m", served.url, top_logprobs=3)
        found = policy.complete(asking("?")).result()
        assert [served.requests[0].body[name] for name in ("logprobs", "top_logprobs")] == [True, 3]
    assert found == Completion("A", True, told, 9, 0)


@pytest.mark.parametrize("reply", ["A", {"choices": []}, {"choices": [3]}, {"choices": [{"message": "A"}]}])
def test_a_completion_without_log_probabilities_is_one(reply):
    with serving(lambda *_: reply) as served:
        found = OpenAIPolicy("m", served.url, top_logprobs=3).complete(asking("?")).result()
    assert (found.logprobs, found.is_cut) == (None, False)


def test_a_model_whose_log_probabilities_are_refused_is_asked_without_them_from_then_on(waits):
    with serving(lambda asked, _: Fault(400, b"no logprobs") if "logprobs" in asked.body else "A") as served:
        policy = OpenAIPolicy("m", served.url, top_logprobs=3, concurrency=1, retries=0)
        assert ask(policy, *"abc") == ["A"] * 3
        assert ["logprobs" in asked.body for asked in served.requests] == [True, False, False, False]
    assert (policy.usage.retries, waits) == (1, [])


def test_a_request_that_is_refused_without_log_probabilities_too_is_an_error(waits):
    with serving(lambda *_: Fault(401)) as served:
        with pytest.raises(ValueError, match="status 401"):
            ask(OpenAIPolicy("m", served.url, top_logprobs=3), "?")
        assert len(served.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429), Fault(408), Fault(409), Fault(500, b"<html>"), Fault(503), Fault(200, None),
        Fault(200, b"{garbage"),
        Fault(200, b""), Fault(200, b'{"error": {"message": "overloaded"}}'), Fault(200, b"\xff\xfe"),
        Fault(200, b"[" * 100_000),
        Fault(200, b'{"choices"', {"Content-Length": "1000", "Connection": "close"}),
        Fault(200, b'{"choices": "none"}'), Fault(200, b"zz\r\n", {"Transfer-Encoding": "chunked"}),
        Fault(200, b'{"n": ' + b"9" * 5000 + b"}"),
    ],
    ids=lambda fault: f"{fault.status} {fault.body and fault.body[:12]}",
)  # fmt: skip
def test_a_failure_that_may_pass_is_tried_again(fault, waits):
    with serving(lambda _, number: "a" if number == 2 else fault) as served:
        policy = OpenAIPolicy("m", served.url)
        assert ask(policy, "?") == ["a"]
    assert len(served.requests) == 3
    assert (policy.usage.requests, policy.usage.retries) == (1, 2)


def test_waits_double_with_jitter_up_to_a_minute(waits):
    with serving(lambda _, number: "a" if number == 10 else Fault(500)) as served:
        ask(OpenAIPolicy("m", served.url, retries=10), "?")
    doubled = [min(0.5 * 2**i, 2 * LONGEST_WAIT) for i in range(10)]
    assert all(min(whole / 2, LONGEST_WAIT) <= wait <= whole for wait, whole in zip(waits, doubled, strict=True))
    assert max(waits) <= LONGEST_WAIT
    assert any(wait not in (whole, whole / 2) for wait, whole in zip(waits, doubled, strict=True))


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("3", 3, 3), ("0", 0, 0), ("86400", LONGEST_WAIT, LONGEST_WAIT), ("-5", 0, 0), ("soon", 0.25, 0.5),
     ("nan", 0.25, 0.5), ("inf", 0.25, 0.5), ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0.25, 0.5),
     ("Wed, 01 Jan 2200 00:00:00 GMT", LONGEST_WAIT, LONGEST_WAIT),
     ("Mon, 01 Jan 2001 00:00:00 GMT", 0, 0)],
)  # fmt: skip
def test_the_wait_is_that_which_the_server_asks_for_up_to_a_minute(asked, least, most, waits):
    with serving(lambda _, number: "a" if number else Fault(429, b"", {"Retry-After": asked})) as served:
        ask(OpenAIPolicy("m", served.url), "?")
    assert least <= waits[0] <= most


def test_a_server_that_fails_in_every_retry_is_an_error_that_says_what_it_said(waits):
    with serving(lambda *_: Fault(503, b'{"error": {"message": "no worker is free"}}')) as served:
        with pytest.raises(ConnectionError, match=r"status 503 \(no worker is free\), 3 times in a row"):
            ask(OpenAIPolicy("m", served.url, retries=2), "?")
        assert len(served.requests) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(400, b'{"error": {"message": "temperature: only 1 is supported"}}'), "only 1 is supported"),
        (Fault(400, b'{"error": "plain"}'), r"\(plain\)"),
        (Fault(400, b'{"message": "of vLLM"}'), "of vLLM"),
        (Fault(401, b'{"error": {"message": "wrong key sk-secret"}}'), r"wrong key \*\*\*.*OPENAI_API_KEY"),
        (Fault(404, b"<html>\x00\n" + b"x" * 10**6), "<html> x.*name of the model and the base URL"),
        (Fault(422, b""), r"422 \(no words\)"),
        (
            Fault(302, b"", {"Location": "http://127.0.0.1/?key=sk-secret"}),
            r"points, http://127.0.0.1/\?key=\*\*\*, as",
        ),
    ],
)
def test_a_request_that_is_refused_is_an_error_at_once_in_one_short_line_without_the_key(fault, said, waits):
    with serving(lambda *_: fault) as served:
        with pytest.raises(ValueError, match=said) as caught:
            ask(OpenAIPolicy("m", served.url, api_key="sk-secret"), "?")
        assert len(served.requests) == 1
    text = str(caught.value)
    assert "sk-secret" not in text
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_so_that_the_key_stays_with_the_server_that_was_named(status):
    with serving(lambda *_: "a") as other:
        away = Fault(status, b"", {"Location": f"{other.url}/chat/completions"})
        policy_refuses = pytest.raises(ValueError, match=rf"status {status} .*{other.url}.*if you trust that")
        with serving(lambda *_: away) as served, policy_refuses:
            ask(OpenAIPolicy("m", served.url, api_key="sk-1"), "?")
        assert other.requests == []


def test_of_an_endless_body_no_more_is_read_than_the_bound(waits):
    with serving(lambda *_: Fault(200, b" " * (MOST_BYTES + 10))) as served:
        with pytest.raises(ValueError, match="more than 16 MB"):
            ask(OpenAIPolicy("m", served.url), "?")
        assert len(served.requests) == 1


def test_a_server_that_says_nothing_is_given_up_after_the_time_out(waits):
    over = threading.Event()
    with serving(lambda *_: over.wait(30) and "late") as served:
        with pytest.raises(ConnectionError, match=r"no reply .*(timed out|in time).*2 times"):
            ask(OpenAIPolicy("m", served.url, timeout=0.05, retries=1), "?")
        over.set()


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nA: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"A: b\r\n"),
    ],
    ids=["body", "header", "continue", "trailers"],
)
def test_a_reply_that_trickles_in_is_given_up_after_the_time_out(begin, drop, waits):
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle():
        connection, _ = listener.accept()
        with connection:
            connection.recv(2**16)
            connection.sendall(begin)
            while not over.wait(0.02):
                try:
                    connection.sendall(drop)
                except OSError:
                    return

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    with pytest.raises(ConnectionError, match="did not end in time"):
        ask(OpenAIPolicy("m", f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2, retries=0), "?")
    over.set()
    thread.join()
    listener.close()


def test_where_nothing_listens_the_error_comes_at_once(waits):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}/v1: no connection .*base URL"):
        ask(OpenAIPolicy("m", f"http://127.0.0.1:{port}"), "?")
    assert waits == []


def test_the_server_s_counts_of_tokens_are_added_up_and_priced():
    with serving(lambda *_: "a") as served:
        policy = OpenAIPolicy("m", served.url, prices=(2.0, 8.0))
        ask(policy, *"abc")
    assert (policy.usage.requests, policy.usage.prompt_tokens, policy.usage.completion_tokens) == (3, 30, 6)
    assert policy.usage.cost == pytest.approx((30 * 2 + 6 * 8) / 1e6)
    assert str(policy.usage) == "3 requests answered, 0 sent again; 30 prompt tokens, 6 completion tokens, 0.0001 USD"


@pytest.mark.parametrize(
    "usage",
    [None, 5, {}, {"prompt_tokens": -5, "completion_tokens": True}, {"prompt_tokens": "1"}, {"prompt_tokens": 10**400}],
)
def test_a_reply_whose_tokens_are_not_told_counts_as_such(usage):
    with serving(lambda *_: {"choices": [{"message": {"content": "a"}}], "usage": usage}) as served:
        policy = OpenAIPolicy("m", served.url)
        ask(policy, "?")
    assert (policy.usage.requests, policy.usage.uncounted, policy.usage.prompt_tokens) == (1, 1, 0)
    assert policy.usage.cost is None
    assert "of 1 requests the server told none" in str(policy.usage)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"base_url": "127.0.0.1:8000"}, "expected one such as http://127.0.0.1:8000/v1"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "http://user:word@host/v1"}, "without query or password"),
        ({"base_url": "http://host:99999/v1"}, "base_url"),
        ({"base_url": "http://host/v1?key=1"}, "base_url"),
        ({"base_url": "http://host/a b"}, "base_url"),
        ({}, "set OPENAI_API_KEY"),
        ({"api_key": "sk\n-1", "base_url": "http://h"}, "copy it again"),
        ({"concurrency": 0}, "concurrency=0: expected an integer of at least 1"),
        ({"retries": -1}, "retries=-1"),
        ({"max_new_tokens": 1.5}, "max_new_tokens=1.5"),
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"timeout": float("inf")}, "timeout=inf"),
        ({"prices": (1.0, -1.0)}, "prices"),
        ({"model": ""}, "model=''"),
    ],
)
def test_a_wrong_argument_is_named(arguments, said):
    with pytest.raises(ValueError, match=said) as caught:
        OpenAIPolicy(**{"model": "m", **arguments})
    assert "sk" not in str(caught.value)


def test_the_key_is_in_no_representation():
    policy = OpenAIPolicy("m", "http://127.0.0.1", api_key="sk-secret")
    assert "sk-secret" not in repr(policy) + str(policy.usage)


def test_openai_s_own_server_is_told_the_length_by_its_new_name():
    fields = [OpenAIPolicy("m", url, api_key="k", max_new_tokens=9)._fields for url in (None, "http://h/v1")]
    assert [each.keys() & {"max_tokens", "max_completion_tokens"} for each in fields] == [
        {"max_completion_tokens"},
        {"max_tokens"},
    ]


INTERRUPTED = """
import sys
from verienv.policies.server import OpenAIPolicy
try:
    OpenAIPolicy("m", sys.argv[1])([[{"role": "user", "content": "?"}]] * 20)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_ends_the_process_though_requests_are_under_way():
    begun, over = threading.Event(), threading.Event()
    with (
        serving(lambda *_: (begun.set(), over.wait(60), "late")[-1]) as served,
        started("-c", INTERRUPTED, served.url) as process,
    ):
        try:
            assert begun.wait(30)
            ended = interrupted(process)
        finally:
            over.set()
    assert ended == (0, "interrupted\n", "")


def test_evaluate_goes_on_with_each_episode_without_waiting_for_the_others():
    slow, waited = threading.Event(), []

    def reply(_, number):
        if number == 0:
            waited.append(slow.wait(30))
        elif number == 7:  # three other episodes of two attempts are over
            slow.set()
        return json.dumps({"formula": "?"})

    with serving(reply) as served:
        policy = OpenAIPolicy("m", served.url, concurrency=2)
        found = verienv.evaluate(policy, ENV, ("train",), 5, attempts=2)
    assert waited == [True]
    assert found.cells["train"].metrics["success"].mean == 0
    assert policy.usage.requests == 10
    assert served.most_at_once == 2


def test_evaluate_gives_the_same_result_as_asked_in_batches():
    def reply(asked, _):
        return asked.words[-400:]

    with serving(reply) as served:
        policy = OpenAIPolicy("m", served.url)
        each = verienv.evaluate(policy, ENV, ("train", "rule_ood"), 6, attempts=3)
        batched = verienv.evaluate(lambda dialogues: policy(dialogues), ENV, ("train", "rule_ood"), 6, attempts=3)
    assert each.episodes == batched.episodes
