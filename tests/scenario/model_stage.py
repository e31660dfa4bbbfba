"""The story's case, digested once, and a model server beside it: what a scripted model says of it, as a checked report."""

import json
from pathlib import Path
from typing import ClassVar

from model_says import honest, said
from model_server import Answer, ModelServer

from bot.casefile.home import CaseHome
from bot.domain.model import TextBlock
from bot.investigation.checking import checked
from bot.investigation.conclude import conclude, written
from bot.investigation.digest import digest
from bot.investigation.gather import gather_all
from bot.investigation.investigate import window_of
from bot.investigation.model_analyst import Handed, ModelAnalyst, Session
from bot.investigation.model_reading import read_case
from bot.models.messages import MessagesModel, Patience
from bot.settings import ModelSettings
from bot.signals.masking import mask
from bot.sources.export import ExportSource

MODEL = "claude-sonnet-5-5"


def quiet(_stage, _done, _total):
    """Hear nothing."""


class OpenGate:
    """Lets everything through, and packs nothing."""

    removed: ClassVar = {}

    def pack(self, _tokens, order, *, digest):
        """Give a small stand-in for the evidence: other bytes in another order, as the real one."""
        name = "digest" if digest else "all"
        return Handed(
            prefix=(TextBlock(text=f"<evidence {name} {order}/>", cacheable=True),),
            read={"kubernetes/logs": "all 1,000 lines"},
        )

    def verbatim(self, quote, _original):
        """Give it as it is."""
        return quote

    def clean(self, text):
        """Give it as it is."""
        return text

    def restore(self, text):
        """Give it as it is."""
        return text


class Stage:
    """A digested case, and the offline report of it."""

    def __init__(self, export, folder, question="why do we see 502s?"):
        self._writer = CaseHome(folder).create(mask)
        self._writer.__enter__()
        gather_all([ExportSource(Path(export))], self._writer, quiet)
        self.case = self._writer.reader()
        window = window_of(self.case, None)
        self._writer.set_window(window)
        found = digest(self.case, window)
        self._writer.write_templates(found.form_to_template, found.templates)
        self.conclusion = conclude(self.case, window, question, found, self._writer.coverage())
        self._writer.write_signals(self.conclusion.signals)
        self._writer.write_links(self.conclusion.links)
        self.own = written(self.conclusion)
        self.offline = checked(self.own, self.conclusion, {})

    def close(self):
        """Throw the case away."""
        self._writer.abandon()

    def honest(self):
        """Give the truth as a model would tell it."""
        return honest(self.offline)

    def analyst(self, url, **options):
        """Give an analyst that asks the server at ``url``."""
        settings = ModelSettings(model=options.pop("model", MODEL), url=url, key="k")
        model = MessagesModel(settings, Patience(first_pause_s=0.01, largest_pause_s=0.02, least_s=0.05))
        model = options.pop("wrap", lambda one: one)(model)
        egress = options.pop("egress", OpenGate())
        session = Session(model=model, egress=egress, live=options.pop("live", ()))
        return ModelAnalyst(facts=model.facts, session=lambda _case: session, **{"deadline_s": 20.0, **options})

    def read(self, script, **options):
        """Let a scripted model read the case; give the checked report and the questions that came."""
        with ModelServer(script) as server:
            found = read_case(self.analyst(server.url, **options), self.case, self.conclusion, self.own, quiet)
            return checked(found, self.conclusion, {}), server.asked


def knows(question):
    """Answer a control question about the story rightly, by what it asks."""
    return "no" if "bring the symptom about, or help" in question or "more than now and then" in question else "yes"


def answers_to(text, answer=knows):
    """Answer all control questions of a request."""
    rows = [line.split(": ", 1) for line in text.splitlines() if line[:1] == "Q" and ": " in line]
    return json.dumps({"answers": [{"id": name, "answer": answer(question)} for name, question in rows]})


def scripted(document, again=None, answer=knows):
    """Give a script: the document first, ``again`` where a link is given back, and answers to the control questions."""

    def script(asked):
        text = asked.question
        if "Their answers are known to the program" in text:
            return Answer(text=answers_to(text, answer))
        if "has tested the links you claim" in text:
            return Answer(text=said(again or document))
        return Answer(text=said(document))

    return script
