"""What is told and paid around a model's reading: texts that were withheld, the channel that pays, tokens that were counted."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from command import small_export
from model_says import said
from model_server import Answer
from model_stage import OpenGate, Stage, quiet, scripted

from bot.casefile.home import CaseHome
from bot.domain.chat import Ask, Asker, Place
from bot.errors import RedactionError
from bot.investigation.budget import Ledger, Payer
from bot.investigation.budget_model import Metered
from bot.investigation.investigate import investigate
from bot.investigation.model_egress import CaseEgress
from bot.investigation.model_talk import ANSWER_TOKENS
from bot.investigation.workflow_process import _FollowUp
from bot.redaction.gate import Gate
from bot.settings import BudgetSettings
from bot.sources.export import ExportSource

SILENT = {"verdict": "inconclusive", "summary": "Nothing stands out.", "steps": [], "links": []}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A small incident."""
    return small_export(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def stage(export, tmp_path_factory):
    """Its case."""
    made = Stage(export, tmp_path_factory.mktemp("ledgers"))
    yield made
    made.close()


class Blind(Gate):
    """Cannot search what names a pod."""

    def mask(self, text):
        """Fail as the gate does."""
        if "web-5d9c7b6f4-abcde" in text:
            raise RedactionError("A text could not be searched for secrets, so it was not sent.")
        return super().mask(text)


def test_what_was_withheld_is_a_gap_in_words(stage):
    """The report's coverage says how many texts the model was not shown, and why; a gate that sees all leaves none."""
    for gate, blind in ((Blind(b"k" * 32), True), (Gate(b"k" * 32), False)):
        report, _ = stage.read(scripted(SILENT), egress=CaseEgress(stage.case, gate))
        told = [(row.source, gap) for row in report.coverage for gap in row.gaps if "withheld" in gap.what]
        assert blind == ("kubernetes/events" in {source for source, _ in told})
        assert all("could not search it for secrets" in gap.what and "B) withheld" in gap.what for _, gap in told)
        assert all(source == gap.source and gap.count > 0 for source, gap in told)
        assert len(told) == len({source for source, _ in told})


class Tangled(OpenGate):
    """Cannot search one row of what is looked up."""

    def clean(self, text):
        """Fail as the gate does."""
        if "web-5d9c7b6f4-abcde" in text:
            raise RedactionError("A text could not be searched for secrets, so it was not sent.")
        return text


def test_a_row_of_a_tool_that_cannot_be_searched_is_withheld_alone(stage):
    """The other rows reach the model, and the report counts what did not."""

    def script(asked):
        if asked.results:
            return Answer(text=said(SILENT))
        return Answer(calls=[("search", {"words": "web", "limit": 40})])

    report, asked = stage.read(script, egress=Tangled())
    [result] = asked[-1].results.values()
    rows = result.split("\n")
    lost = rows.count('{"withheld": "it could not be searched for secrets"}')
    assert 0 < lost < len(rows)
    assert [lost] == [gap.count for row in report.coverage for gap in row.gaps if "looked up withheld" in gap.what]


def test_the_channel_of_a_follow_up_pays(export, tmp_path):
    """The analyst of a question in a thread is made for the channel it was asked in."""
    home = CaseHome(tmp_path)
    report = investigate([ExportSource(export)], home, question=None, window=None, progress=quiet)
    asked = Ask(
        kind="follow_up",
        keys=("k",),
        place=Place(enterprise=None, team="T1", channel="C7", thread_ts="1.0"),
        asker=Asker(user="U1", name="Ann"),
        question="what failed?",
        window=None,
        namespaces=(),
        message_ts=None,
        asked_at=datetime(2026, 11, 28, tzinfo=UTC),
    )
    channels = []
    answer = _FollowUp(home, report.case, asked, channels.append)(lambda _reading: None)
    assert (["C7"], report.case, "what failed?") == (channels, answer.case, answer.question)


class Counting(OpenGate):
    """Packs as many words as it is told, and notes how many that was."""

    def __init__(self):
        self.packed = []

    def pack(self, tokens, order, *, digest):
        """Give a text that takes twice its estimate."""
        self.packed.append(tokens)
        handed = super().pack(tokens, order, digest=digest)
        words = "a b c d " * (tokens // 2)
        return replace(handed, prefix=(replace(handed.prefix[0], text=words),), tokens=tokens)


def test_the_endpoints_count_corrects_the_estimate(stage, tmp_path):
    """What takes more than it was estimated at is packed smaller; the budget reserves what was counted, not what may be."""
    gate, reserved = Counting(), []

    class Noting(Ledger):
        def reserve(self, payer, most, **more):
            reserved.append(most.tokens)
            return super().reserve(payer, most, **more)

    def wrap(model):
        return Metered(model, Noting(tmp_path, BudgetSettings()), Payer(case="c", channel=""))

    stage.read(scripted(SILENT), egress=gate, wrap=wrap, economy=True)
    first, second = gate.packed[:2]
    assert second < first
    by_characters = second // 2 * 8 / 1.5
    assert second < reserved[0] - ANSWER_TOKENS < by_characters


def test_a_count_that_fails_changes_nothing(stage):
    """The estimate stands, and the investigation goes on."""

    class Mute:
        def __init__(self, model):
            self._model = model
            self.facts = model.facts
            self.reply = model.reply

        def count_tokens(self, request):
            """Give none, as the client does when the endpoint fails or is late."""
            assert request.deadline_s <= 4.0

    gate = Counting()
    report, asked = stage.read(scripted(SILENT), egress=gate, wrap=Mute, economy=True)
    assert (1, "") == (len(gate.packed), report.reading.failure)
    assert asked
