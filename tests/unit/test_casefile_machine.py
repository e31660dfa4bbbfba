"""A case file under any order of writing, reading, searching, giving up and reopening, against a list in memory."""

import tempfile
from pathlib import Path

from casefile_samples import at_ns, event, message, stream
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bot.casefile import loglines
from bot.casefile.case import Case
from bot.casefile.disk import connect_to_whole
from bot.casefile.search import search
from bot.casefile.writer import CaseWriter
from bot.domain.ports import UNDATED
from bot.signals.masking import mask

TEXTS = st.one_of(
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from([b"connection reset 17", b"connection reset", b"\x1b[31mred\x1b[0m 9", b"x" * 2000, b"", b"trace 4bf92f3577b34da6a3ce929d0e0e4736"]),
)  # fmt: skip
LINES = st.lists(st.tuples(st.integers(-1, 50), TEXTS), max_size=8)


class CaseMachine(RuleBasedStateMachine):
    """Rules of one case's life; ``lines`` is what it must hold."""

    @initialize()
    def begin(self):
        """Begin a case whose blocks are small."""
        self.folder = tempfile.TemporaryDirectory()
        self.usual, loglines.BLOCK_BYTES = loglines.BLOCK_BYTES, 200
        self.writer = CaseWriter(Path(self.folder.name) / "a.case", mask)
        self.case, self.lines, self.streams, self.events, self.messages = None, [], 0, 0, 0

    @precondition(lambda self: self.case is None)
    @rule()
    def new_stream(self):
        """Open another stream."""
        assert self.streams == self.writer.open_stream(stream())
        self.streams += 1

    @precondition(lambda self: self.case is None and self.streams)
    @rule(lines=LINES, pick=st.integers(0, 99))
    def add_lines(self, lines, pick):
        """Add lines to some stream."""
        timed = [(UNDATED if minute < 0 else at_ns(minute), raw, 0) for minute, raw in lines]
        self.writer.add_lines(pick % self.streams, timed)
        self.lines += [(pick % self.streams, at, raw) for at, raw, _ in timed]

    @precondition(lambda self: self.case is None)
    @rule()
    def add_others(self):
        """Add an event and a message, which are kept once however often they come."""
        self.writer.add_event(event(3))
        self.writer.add_message(message(4))
        self.events = self.messages = 1

    @precondition(lambda self: self.case is None)
    @rule()
    def finish(self):
        """Give the case its name and open it again."""
        path = self.writer.finish()
        self.case = Case(connect_to_whole(path), path, owned=True)

    @precondition(lambda self: self.case is None)
    @rule()
    def give_up(self):
        """Leave it unfinished: nothing remains, and the name is free again."""
        self.writer.abandon()
        assert list(Path(self.folder.name).iterdir()) == []
        self.teardown()
        self.begin()

    def reader(self):
        """Give the case as it is now."""
        return self.case or self.writer.reader()

    @rule()
    def everything_comes_back(self):
        """Every line, in its order, to the byte, with its time, stream and form."""
        case = self.reader()
        columns = case.columns()
        assert [at for _, at, _ in self.lines] == columns.times_ns.tolist()
        assert [number for number, _, _ in self.lines] == columns.stream.tolist()
        assert [raw for _, _, raw in self.lines] == [item.raw for item in case.lines_of(range(1, len(self.lines) + 1))]
        forms = case.forms()
        assert [mask(raw) for _, _, raw in self.lines] == [forms[form].form for form in columns.form.tolist()]
        assert (self.events, self.messages) == (len(list(case.events())), len(list(case.messages())))

    @rule(needle=st.sampled_from(["connection reset", "reset", "red 9", "92f3577b34da6a3ce9", "xxx", "17"]))
    def search_counts_right(self, needle):
        """A search counts what a look at every line counts."""
        expected = sum(needle.encode() in raw.lower() for _, _, raw in self.lines)
        found = search(self.reader(), needle, limit=10_000)
        assert expected == sum(hit.id.startswith("L") for hit in found.hits)

    def teardown(self):
        """Tidy up whatever was left open."""
        if self.case is not None:
            self.case.close()
        self.writer.abandon()
        loglines.BLOCK_BYTES = self.usual
        self.folder.cleanup()


TestCaseMachine = CaseMachine.TestCase
TestCaseMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
