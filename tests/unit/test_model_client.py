"""The model client against a server on the loopback: every way to fail ends inside the deadline, typed, with a sentence."""

import asyncio
import logging
import threading
import time

import pytest
from model_server import Answer, Failing, ModelServer
from model_wire import Refusal

from bot.domain.model import ModelRequest, Spend, TextBlock, Tool, ToolResult, Turn, cost_usd, says
from bot.errors import (
    ModelBusyError,
    ModelCutError,
    ModelDeclinedError,
    ModelGarbledError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelTooLargeError,
    ModelUnreachableError,
    UsageError,
)
from bot.models import bridge, catalogue
from bot.models.messages import MessagesModel, Patience
from bot.settings import ModelSettings

SONNET = "claude-sonnet-5-5"
HASTY = Patience(first_pause_s=0.01, largest_pause_s=0.02, least_s=0.5)
LOGS = "2026-11-17T00:00:00Z frontdoor upstream connect error 503\n" * 200
LOOK = Tool(name="look", description="Look.", schema={"type": "object", "properties": {"at": {"type": "string"}}})
SCHEMA = {
    "type": "object",
    "properties": {"cause": {"type": "string", "pattern": "^S"}, "n": {"type": "integer", "minimum": 1}},
    "required": ["cause"],
}


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """Load the library before a test counts seconds."""
    with ModelServer() as server:
        model(server).reply(ask())


def model(server, name=SONNET, **more):
    """Give the client of a server."""
    return MessagesModel(ModelSettings(model=name, url=server.url, key="k", **more), HASTY)


def ask(question="why?", **more):
    """Give a request with a prefix that is worth caching."""
    given = {"system": "You read incidents.", "prefix": (TextBlock(text=LOGS, cacheable=True),), "deadline_s": 20.0}
    return ModelRequest(**({"turns": (says(question),)} | given | more))


def test_an_answer_is_heard_with_its_thinking_its_calls_and_its_cost():
    """Text, calls and counts come back; the price is the table's; a second question reads the prefix from the cache."""
    answer = Answer(text="It is the job.", thought="hm, the job", calls=[("look", {"at": "09:00"})])
    with ModelServer([answer]) as server:
        first = model(server).reply(ask(tools=(LOOK,)))
        second = model(server).reply(ask("since when?", tools=(LOOK,)))
    assert ("It is the job.", "tools", 1) == (first.text, first.stop, first.tries)
    assert [("look", {"at": "09:00"})] == [(call.name, call.arguments) for call in first.calls]
    assert first.spend.tokens_written == second.spend.tokens_cached > 5000
    expected = first.spend.tokens_in * 2 + first.spend.tokens_written * 4 + first.spend.tokens_out * 10
    assert expected / 1e6 == pytest.approx(first.spend.cost_usd)
    assert second.spend.cost_usd < first.spend.cost_usd / 5


def test_a_reply_is_handed_back_whole():
    """After a tool was called, the model's own turn goes back with its sealed thinking, and the result stands first."""
    script = [Answer(thought="look first", calls=[("look", {"at": "09:00"})]), Answer(text="It is the job.")]
    with ModelServer(script) as server:
        asked = model(server)
        first = asked.reply(ask(tools=(LOOK,)))
        result = ToolResult(call=first.calls[0].id, text="job ran")
        then = Turn(role="asker", parts=(TextBlock(text="Go on."), result))
        second = asked.reply(ask(tools=(LOOK,), turns=(says("why?"), first.turn, then)))
        third = server.asked[-1]
    assert ("It is the job.", {first.calls[0].id: "job ran"}) == (second.text, third.results)
    assert "look first" == third.body["messages"][1]["content"][0]["thinking"]


def test_what_is_no_json_object_is_no_argument():
    """A call whose arguments cannot be read is given with what was written."""
    with ModelServer([Answer(calls=[("look", '{"at": "09')])]) as server:
        call = model(server).reply(ask(tools=(LOOK,))).calls[0]
    assert (None, '{"at": "09') == (call.arguments, call.raw)


def test_a_claude_gets_what_it_takes():
    """The prefix is marked for an hour, thinking is shown, effort told, the schema put as the API takes it."""
    with ModelServer() as server:
        model(server, effort="high").reply(ask(answer_schema=SCHEMA))
        body, headers = server.asked[-1].body, server.asked[-1].headers
    assert {"type": "ephemeral", "ttl": "1h"} == body["messages"][0]["content"][0]["cache_control"]
    assert {"type": "adaptive", "display": "summarized"} == body["thinking"]
    assert "high" == body["output_config"]["effort"]
    assert {"cause", "n"} == set(body["output_config"]["format"]["schema"]["properties"])
    assert ("Bearer k", "k") == (headers["authorization"], headers["x-api-key"])


def test_an_unknown_model_gets_the_portable_subset():
    """A server that chokes on anything more answers all the same, tools and all, and counts nothing."""
    with ModelServer([Answer(calls=[("look", {})]), Answer(text="fine")], portable=True) as server:
        asked = model(server, "qwen", effort="high", context_tokens=64_000)
        first = asked.reply(ask(tools=(LOOK,), answer_schema=SCHEMA))
        then = Turn(role="asker", parts=(ToolResult(call=first.calls[0].id, text="", failed=False),))
        second = asked.reply(ask(tools=(LOOK,), turns=(says("why?"), first.turn, then)))
        assert asked.count_tokens(ask()) is None
    assert ("tools", "fine", 64_000) == (first.stop, second.text, asked.facts.context_tokens)
    assert (0.0, None) == (second.spend.cost_usd, asked.facts.price)


def test_minimax_gets_its_cache_and_nothing_else():
    """The story's model is asked in the portable subset with prefixes marked for five minutes."""
    with ModelServer() as server:
        model(server, "MiniMax-M3", effort="high").reply(ask(answer_schema=SCHEMA))
        body = server.asked[-1].body
    assert {"type": "ephemeral"} == body["messages"][0]["content"][0]["cache_control"]
    assert {"model", "messages", "system", "max_tokens", "stream"} == set(body)


def test_at_most_four_prefixes_are_marked():
    """The last four of five, for a fifth is refused."""
    blocks = tuple(TextBlock(text=f"{number} {LOGS}", cacheable=True) for number in range(5))
    with ModelServer() as server:
        model(server).reply(ask(prefix=blocks))
        content = server.asked[-1].body["messages"][0]["content"]
    assert [False, True, True, True, True, False] == ["cache_control" in block for block in content]


def test_tokens_are_counted_where_the_endpoint_counts():
    """The count is the endpoint's; where it refuses, there is none."""
    with ModelServer(key="k") as server:
        assert model(server).count_tokens(ask()) == model(server).reply(ask()).spend.prompt
        assert MessagesModel(ModelSettings(model=SONNET, url=server.url, key="no")).count_tokens(ask()) is None


@pytest.mark.parametrize(
    ("said", "stop"),
    [
        (Answer(text="The cause", stop="max_tokens"), "length"),
        (Answer(stop="model_context_window_exceeded"), "context"),
    ],
)
def test_what_was_cut_is_not_complete(said, stop):
    """An answer that met a limit says so."""
    with ModelServer([said]) as server:
        reply = model(server).reply(ask())
    assert (stop, False) == (reply.stop, reply.complete)


def test_a_model_that_declines_says_its_category():
    """A refusal inside a good status is an error, not an empty answer, and is not tried again."""
    with ModelServer([Answer(text="I", stop="refusal", category="cyber")]) as server:
        with pytest.raises(ModelDeclinedError, match=r"declined.*cyber") as caught:
            model(server).reply(ask())
        assert ("cyber", 1) == (caught.value.code, len(server.asked))


@pytest.mark.parametrize("fault", ["cut", "reset", "overloaded", "broken json"])
def test_an_answer_that_breaks_off_is_asked_for_once_more(fault):
    """What had arrived is thrown away; the second try's answer is whole, and both are paid."""
    heard = []
    with ModelServer([Failing(fault), Answer(text="It is the job.")]) as server:
        reply = model(server).reply(ask(), heard.append)
    assert ("It is the job.", 2) == (reply.text, reply.tries)
    assert reply.spend.prompt > 2 * 5000
    assert {"waiting", "retrying"} <= {each.stage for each in heard}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("cut", ModelCutError), ("reset", ModelCutError), ("overloaded", ModelBusyError), ("broken json", ModelCutError)],
)
def test_what_keeps_breaking_off_is_given_up_after_two_paid_tries(fault, kind):
    """The third would be paid as well."""
    with ModelServer([Failing(fault)]) as server:
        with pytest.raises(kind, match=r"127\.0\.0\.1"):
            model(server).reply(ask())
        assert 2 == len(server.asked)


@pytest.mark.parametrize("fault", ["stall", "drip", "slow start", "dead"])
def test_what_hangs_ends_at_the_deadline(fault):
    """Silence and pings without end are told apart by nobody: the deadline ends both."""
    heard = []
    begun = time.monotonic()
    with ModelServer([Failing(fault)]) as server:
        with pytest.raises(ModelTimeoutError, match="within 1 s"):
            model(server).reply(ask(deadline_s=0.6), heard.append)
        assert server.stalled.is_set()
    assert time.monotonic() - begun < 10
    if fault in ("stall", "drip"):
        assert heard[-1].spend.prompt > 5000


def test_an_endpoint_that_falls_silent_is_asked_again(monkeypatch):
    """A connection without a byte for too long is dead, long before the deadline."""
    portable = catalogue.PORTABLE
    quiet = catalogue.replace(portable, features=catalogue.replace(portable.features, quiet_s=0.3))
    monkeypatch.setattr(catalogue, "PORTABLE", quiet)
    with ModelServer([Failing("slow start"), Failing("stall"), Answer(text="late")], portable=True) as server:
        reply = model(server, "qwen").reply(ask())
    assert ("late", 3) == (reply.text, reply.tries)


@pytest.mark.parametrize(
    ("refusal", "kind", "sentence"),
    [
        (Refusal(401, "authentication_error", "invalid x-api-key"), ModelRefusedError, "key"),
        (Refusal(402, "billing_error", "credit"), ModelRefusedError, "paid"),
        (Refusal(403, "permission_error", "no"), ModelRefusedError, "allow"),
        (Refusal(404, "not_found_error", "model: x"), ModelRefusedError, "rootcause models"),
        (Refusal(400, "invalid_request_error", "x: <!channel> is\nwrong"), ModelRefusedError, "x: ! ?channel is wrong"),
        (Refusal(400, "invalid_request_error", "prompt is too long: 9 > 8 maximum"), ModelTooLargeError, "shorter"),
        (Refusal(400, "x", "This model's maximum context length is 8192 tokens"), ModelTooLargeError, "shorter"),
        (Refusal(413, "", "", body=b"<html>413</html>"), ModelTooLargeError, "shorter"),
        (Refusal(302, "", "", {"location": "http://127.0.0.1:9/"}, body=b""), ModelRefusedError, "elsewhere"),
        (Refusal(501, "", "", body=b"not implemented"), ModelRefusedError, "Messages protocol"),
    ],
)
def test_what_is_refused_for_good_is_asked_once(refusal, kind, sentence):
    """Each says what to do, and nothing of what an endpoint says can mention, link or run."""
    with ModelServer([refusal]) as server:
        with pytest.raises(kind, match=sentence):
            model(server).reply(ask())
        assert 1 == len(server.asked)


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(429, "rate_limit_error", "slow down", {"retry-after": "0"}),
        Refusal(529, "overloaded_error", "Overloaded"),
        Refusal(503, "", "", body=b"<html>Bad Gateway</html>"),
        Refusal(500, "api_error", "Internal server error"),
        Refusal(408, "timeout_error", "late"),
    ],
)
def test_what_may_pass_is_asked_again(refusal):
    """As often as it takes, within reason."""
    with ModelServer([refusal, refusal, Answer(text="now")]) as server:
        reply = model(server).reply(ask())
    assert ("now", 3) == (reply.text, reply.tries)


@pytest.mark.parametrize("wait", [{"retry-after": "120"}, {"retry-after-ms": "120000"}])
def test_a_wait_that_does_not_fit_is_not_waited_for(wait):
    """Two minutes asked for, twenty seconds left: the answer comes at once, and says how long it would have been."""
    with ModelServer([Refusal(429, "rate_limit_error", "slow down", wait)]) as server:
        begun = time.monotonic()
        with pytest.raises(ModelBusyError, match="left alone for 120 s") as caught:
            model(server).reply(ask())
        assert (120.0, 1) == (caught.value.wait_s, len(server.asked))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "said", [Failing("no event lines", events=99), Refusal(200, "", "", body=b"<html>Welcome</html>")]
)
def test_what_is_no_model_is_said_to_be_none(said):
    """A server without names of events, and one that answers a page, do not speak the protocol."""
    with ModelServer([said]) as server, pytest.raises(ModelGarbledError, match="does not speak"):
        model(server).reply(ask())


def test_nobody_there_is_given_up_soon():
    """A closed port may open again, so it is tried three times and no more."""
    heard = []
    with ModelServer() as server:
        gone = model(server)
    with pytest.raises(ModelUnreachableError, match="cannot be reached"):
        gone.reply(ask(), heard.append)
    assert 3 == heard[-1].tries


def test_what_listening_raises_ends_the_call():
    """A listener that forbids another try is obeyed before anything is sent."""

    def forbid(heard):
        if heard.stage == "retrying":
            raise ModelRefusedError("too dear")

    with ModelServer([Refusal(529, "overloaded_error", "Overloaded")]) as server:
        with pytest.raises(ModelRefusedError, match="too dear"):
            model(server).reply(ask(), forbid)
        assert 1 == len(server.asked)


def test_what_cannot_be_interrupted_does_not_keep_its_caller(monkeypatch):
    """A name lookup that hangs outlives the deadline; whoever asked does not wait for it."""
    monkeypatch.setattr(bridge, "GRACE_S", 0.1)
    released = threading.Event()

    async def hang(_line):
        await asyncio.to_thread(released.wait)

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        bridge.run(hang, lambda _heard: None, 0.1)
    released.set()
    assert time.monotonic() - begun < 10


def test_bytes_that_are_no_characters_do_not_stop_a_question():
    """A log's broken bytes, kept as lone surrogates, are sent as question marks."""
    with ModelServer() as server:
        model(server).reply(ask(prefix=(TextBlock(text="caf\udce9 é"),)))
        assert "caf? é" == server.asked[-1].texts[0]


def test_nothing_of_the_prompt_is_logged(caplog):
    """Not even where everything is logged that can be; nor the key."""
    caplog.set_level(logging.DEBUG)
    for name in ("anthropic", "anthropic._base_client", "httpcore2", "httpcore2.http11"):
        caplog.set_level(logging.DEBUG, logger=name)
    with ModelServer([Failing("cut"), Answer(text="fine")]) as server:
        asked = MessagesModel(ModelSettings(model=SONNET, url=server.url, key="sk-secret"), HASTY)
        asked.reply(ask())
    assert "upstream connect error" not in caplog.text
    assert "sk-secret" not in caplog.text + repr(asked._settings)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (ModelSettings(model="qwen", key="k"), "ROOTCAUSE_MODEL_URL"),
        (ModelSettings(url="ftp://x", key="k"), "ROOTCAUSE_MODEL_URL"),
        (ModelSettings(url="http://u:p@host", key="k"), "without a user"),
        (ModelSettings(via="vertex", region="eu"), "PROJECT"),
        (ModelSettings(via="bedrock"), "REGION"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings, named):
    """Before anything is read for the model."""
    with pytest.raises(UsageError, match=named):
        MessagesModel(settings)


@pytest.mark.parametrize("via", ["bedrock", "vertex"])
def test_a_cloud_without_its_extra_or_its_credentials_says_so(via, monkeypatch):
    """The library's own clients are used; what they miss is a refusal with what to do."""
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    settings = ModelSettings(via=via, region="eu-central-1", project="p", url="http://127.0.0.1:9")
    with pytest.raises(ModelRefusedError, match=r"pip install|doctor"):
        MessagesModel(settings, HASTY).reply(ask())


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("us.anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5"),
        ("claude-opus-5@20260701", "claude-opus-5"),
        ("minimax-m3", "MiniMax-M3"),
        ("llama", "any other"),
    ],
)
def test_a_model_is_found_by_any_platforms_name(name, row):
    """The longest name that is part of it."""
    assert row == catalogue.known(name).facts.name


def test_a_long_prompt_costs_what_long_prompts_cost():
    """Some models ask more for every token above a size."""
    price = catalogue.known("claude-haiku-5-5").facts.price
    assert [0.01, 0.1] == [pytest.approx(cost_usd(price, Spend(tokens_in=count))) for count in (100_000, 200_000)]
