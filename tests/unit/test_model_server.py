"""The Messages server that the tests ask: the order of its events, its cache, and what it refuses."""

import http.client
import json

import pytest
from model_server import Answer, ModelServer

LONG = "2026-11-17T00:00:00Z GET /checkout 200 " * 100
CACHED = {"type": "ephemeral", "ttl": "1h"}
ASKED = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "why?"}]}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]}


def post(server, body, path="/v1/messages", **headers):
    """Post as any client would and give status and body."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    named = {"anthropic-version": "2026-10-21", "authorization": "Bearer k", **headers}
    connection.request("POST", path, json.dumps(body), named)
    answer = connection.getresponse()
    status, told = answer.status, answer.read().decode()
    connection.close()
    return status, told


def told(stream):
    """Give the events of a stream."""
    return [json.loads(each.partition("data: ")[2]) for each in stream.split("\n\n") if each]


def test_the_events_come_in_the_order_of_the_wire():
    """A stream starts, opens and closes each block around its deltas, counts, and stops."""
    with ModelServer([Answer(text="it is the job", thought="hm", calls=[("look", {"at": 1})], piece=100)]) as server:
        _, stream = post(server, {**ASKED, "stream": True})
    block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    text = ["content_block_start", "content_block_delta", "content_block_stop"]
    expected = ["message_start", "ping", *block, *text, *block, "message_delta", "message_stop"]
    assert expected == [event["type"] for event in told(stream)]


def test_what_was_marked_is_read_from_the_cache_the_second_time():
    """A marked prefix is written once and read then; what follows it is read anew, and a changed prefix is another."""
    marked = [{"type": "text", "text": LONG, "cache_control": CACHED}]

    def usage(prefix, question):
        content = [*prefix, {"type": "text", "text": question}]
        _, stream = post(server, {**ASKED, "messages": [{"role": "user", "content": content}]})
        return told(stream)[0]["message"]["usage"]

    with ModelServer() as server:
        first, second = usage(marked, "why?"), usage(marked, "and when?")
        other = usage([{**marked[0], "text": LONG + "x"}], "why?")
    assert (0, 0) == (first["cache_read_input_tokens"], other["cache_read_input_tokens"])
    assert first["cache_creation"]["ephemeral_1h_input_tokens"] == second["cache_read_input_tokens"] > 1900
    assert 0 < second["input_tokens"] < 50


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"temperature": 0}, "temperature"),
        ({"top_p": 1}, "top_p"),
        ({"verbosity": "low"}, "Extra inputs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "first message"),
        ({"messages": [*ASKED["messages"], {"role": "assistant", "content": "It is"}]}, "prefill"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "non-whitespace"),
        ({"messages": [*ASKED["messages"], CALL, *ASKED["messages"]]}, "without `tool_result`"),
        ({"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]}, "ttl"),
        ({"system": [{"type": "text", "text": "x", "cache_control": CACHED}] * 5}, "maximum of 4"),
        ({"thinking": {"type": "disabled"}}, "thinking.type.disabled"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"output_config": {"effort": "extreme"}}, "effort"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "additionalProperties"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "names must"),
    ],
)
def test_what_the_api_refuses_is_refused(change, named):
    """Each is 400 with a sentence that names it."""
    with ModelServer() as server:
        status, body = post(server, {**ASKED, **change})
    error = json.loads(body)["error"]
    assert (400, "invalid_request_error", True) == (status, error["type"], named in error["message"])


def test_a_wrong_key_another_model_and_too_much_are_refused():
    """Each with the status that the API has for it."""
    with ModelServer(key="right", model="claude-sonnet-5-5", context=500) as server:
        right = {"authorization": "Bearer right"}
        assert 401 == post(server, ASKED)[0]
        assert 404 == post(server, {**ASKED, "model": "gpt"}, **right)[0]
        status, body = post(server, {**ASKED, "system": LONG}, **right)
        assert (400, True) == (status, "prompt is too long" in body)
        status, body = post(server, {**ASKED, "system": LONG}, "/v1/messages/count_tokens", **right)
        assert (200, True) == (status, json.loads(body)["input_tokens"] > 1900)
