"""Thirty injections in everything a stranger can write, and a model that repeats every one: none reaches a reader alive."""

import copy
import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from command import small_export
from fault_server import FaultServer
from injections import PAYLOADS
from log_stores import NS, Line, PlayedLoki
from model_says import said
from model_server import Answer, ModelServer
from model_stage import Stage, answers_to

from bot.app_live import live_queries
from bot.cli.render_html import render_html
from bot.cli.render_text import render_answer, render_text
from bot.domain.chat import Place
from bot.domain.report import to_json
from bot.investigation.follow_up import follow_up
from bot.pages.markdown import render_answer_markdown, render_markdown
from bot.settings.live_yaml import live_from
from bot.slack.report_blocks import answer_blocks, answer_text, follow_up_blocks
from bot.slack.sanitise import Sanitiser

PLACE = Place(enterprise=None, team="T1", channel="C1", thread_ts="1.0")
CLEAN = Sanitiser()
POD = "web-5d9c7b6f4-abcde"


def planted(folder):
    """Write an export that carries every payload in logs, events, names, labels, chat and a ticket."""
    shop = small_export(folder) / "kubernetes" / "shop"
    with (shop / POD / "app.log").open("a") as log:
        for at, text in enumerate(PAYLOADS):
            stamp = f"2026-11-22T16:{at:02}:30.000000001Z"
            log.write(f"{stamp} level=error msg={json.dumps(text)} status=502\n")
    events = json.loads((shop / "events.json").read_text())
    for at, text in enumerate(PAYLOADS):
        forged = copy.deepcopy(events["items"][0])
        forged["metadata"]["name"] = f"p{at}"
        forged |= {"message": text, "reason": text[:40], "lastTimestamp": f"2026-11-22T16:{at:02}:00Z"}
        events["items"].append(forged)
    (shop / "events.json").write_text(json.dumps(events))
    objects = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": f"x{at} {text}"[:120],
                "namespace": "shop",
                "labels": {"team": text},
                "annotations": {"note": text},
            },
            "spec": {"replicas": 1},
        }
        for at, text in enumerate(PAYLOADS)
    ]
    (shop / "deployments.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    (folder / "slack").mkdir()
    messages = [
        {
            "type": "message",
            "user": "U1",
            "text": f"I think it was web because {text}",
            "ts": f"{1795363200 + at * 60}.000100",
        }
        for at, text in enumerate(PAYLOADS)
    ]
    (folder / "slack" / "incident.json").write_text(json.dumps({"ok": True, "messages": messages}))
    (folder / "jira").mkdir()
    fields = {"summary": "502s", "description": "\n".join(PAYLOADS), "created": "2026-11-22T16:00:00.000+0000"}
    (folder / "jira" / "OPS-7.json").write_text(json.dumps({"key": "OPS-7", "fields": fields}))
    return folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The planted case."""
    folder = tmp_path_factory.mktemp("planted")
    made = Stage(planted(folder / "export"), folder / "cases")
    yield made
    made.close()


def obedient(stage, payload):
    """Repeat a payload wherever the shape of an answer takes words, with quotes that do stand in the case."""
    needle = json.dumps(payload)[1:-1]
    items = [
        i
        for letter in "VCJO"
        for i in stage.case.stored(letter)
        if payload in i.text or needle in i.raw.decode("utf-8", "replace")
    ]
    assert items
    quotes = [{"item": each.id, "quote": payload if payload in each.text else needle} for each in items[:5]]
    entity = {"kind": "Pod", "namespace": "shop", "name": POD}
    step = {"kind": "probe_failure", "entity": entity, "quotes": quotes}
    return {
        "verdict": "cause_found",
        "summary": payload,
        "steps": [
            step | {"id": "S1"},
            step | {"id": "S2", "entity": {"kind": "Pod", "namespace": "shop", "name": payload[:90]}},
        ],
        "links": [{"cause": "S1", "effect": "S2"}],
        "ruled_out": [step | {"id": "R1"}],
        "claims": [quote | {"blames": {"kind": payload, "entity": entity}} for quote in quotes],
    }


def told(stage, payload):
    """Let the obedient model read the case; asked to mend its answer, it only gives up the name that is none."""
    document = obedient(stage, payload)

    def script(asked):
        if "known to the program" in asked.question:
            return Answer(text=answers_to(asked.question))
        if "could not be read" in asked.question:
            document["steps"][1]["entity"] = document["steps"][0]["entity"]
        return Answer(text=said(document))

    report, _ = stage.read(script)
    return report


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.tags.append(tag)
        self.attributes += attrs


CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
SPANS = re.compile(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
LIVE_MARKDOWN = re.compile(r"(?<!\\)<[A-Za-z/!]|(?<!\\)\]\(|(?<!\\)!\[|(?<![\\\w])@(?:here|channel|everyone)")


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_payload_reaches_a_reader_alive(stage, payload):
    """Terminal, Markdown, HTML and Slack show it as words at most, and no sentence of the report is the payload's."""
    report = told(stage, payload)
    assert report.reading is not None
    assert payload not in (report.summary, report.reading.words)
    assert "no_incident" != report.verdict or stage.offline.verdict == "no_incident"
    assert report.root_cause == stage.offline.root_cause
    assert not CONTROLS.search(render_text(report))
    page = render_markdown(report)
    assert not CONTROLS.search(page)
    assert not LIVE_MARKDOWN.search(SPANS.sub("", page))
    tags = Tags(render_html(report))
    assert (1, 1, 0, 0) == tuple(tags.tags.count(each) for each in ("script", "style", "img", "iframe"))
    assert [] == [name for name, _ in tags.attributes if name.startswith("on") or name in {"src", "style"}]
    assert [] == [value for name, value in tags.attributes if name == "href" and not value.startswith("#")]
    blocks = json.dumps([answer_blocks(report, PLACE, CLEAN), answer_text(report, CLEAN)], ensure_ascii=False)
    assert not re.search(r"<[!@#a-z]", blocks.replace("\u2060", ""))
    assert not CONTROLS.search(json.loads(json.dumps(answer_text(report, CLEAN))).replace("\u200b", ""))


ALIVE = tuple(
    each for each in PAYLOADS if re.search(r"ignore all|forget|system:|://|kubectl|<|@|rm -rf", each, re.IGNORECASE)
)
"""What gives orders, links, mentions or is markup: no sentence of it is ever said."""


@pytest.fixture(scope="module")
def finished(stage):
    """The planted case with its report, as a follow-up finds it."""
    stage._writer.write_report(to_json(stage.offline))
    return stage.case


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_payload_comes_alive_out_of_a_live_store(stage, finished, payload):
    """A line that is written after the investigation, read live, and repeated by the model as its own sentence."""
    at = finished.window.end - timedelta(minutes=1)
    store = PlayedLoki([Line(int(at.timestamp()) * NS, payload, pod=POD, container="app")])

    def script(asked):
        if not asked.results:
            call = {"entity": f"Pod shop/{POD}", "at": at.isoformat(), "seconds": 5}
            return Answer(calls=[("live_log_lines", call), ("live_log_lines", {**call, "entity": payload})])
        row, wrong = (told.splitlines()[0] for told in asked.results.values())
        row = json.loads(row)
        assert wrong.startswith("entity is none that this case names")
        quotes = [{"item": row["item"], "quote": row["text"]}]
        says = [{"says": text, "quotes": quotes} for text in (payload, f"The log says: {payload}", payload * 2)]
        return Answer(text=json.dumps({"verdict": "answered", "sentences": says}))

    with FaultServer(None, reply=store) as logs, ModelServer(script) as server:
        live = live_from({"clusters": [{"name": "one", "logs": {"kind": "loki", "url": logs.url}}]})
        analyst = stage.analyst(server.url, live=live_queries(live, finished, finished.window.end))
        answer = follow_up(finished, "what does it log?", analyst)
    assert not any("curl" in text or "kubectl delete" in text for text in (answer.answer, *answer.notes))
    page = render_answer_markdown(answer)
    assert not CONTROLS.search(page + render_answer(answer))
    assert not LIVE_MARKDOWN.search(SPANS.sub("", page))
    blocks = json.dumps(follow_up_blocks(answer, CLEAN), ensure_ascii=False)
    assert not re.search(r"<[!@#a-z]", blocks.replace("\u2060", ""))
    if payload in ALIVE:
        assert "offline" == answer.usage.analyst


def test_thirty_payloads_are_tried():
    """As many as were promised, each another one."""
    assert 30 == len(set(PAYLOADS))
