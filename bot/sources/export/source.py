"""Import a whole incident export: list its files, recognise each, read them in an order in which they help each other.

Objects and events go first (they name pods and namespaces), people before messages, logs last and oldest rotation
first. What a file cannot tell becomes a gap; only what concerns the whole export is raised.
"""

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bot.domain.ports import Progress, Sink
from bot.errors import NotAnExportError, UnsafeArchiveError, UsageError
from bot.sources.export import jira, kubernetes, loki, prometheus, slack
from bot.sources.export.archives import Inventory, Limits, Member, head_of, shown
from bot.sources.export.compressed import CutError
from bot.sources.export.layout import Place, names_in, place_of
from bot.sources.export.ledger import Ledger, Reading
from bot.sources.export.logs import SOURCE as LOGS, Boundary, LogReader
from bot.sources.export.recognise import Kind, recognise

_ORDER = (
    Kind.KUBERNETES_JSON, Kind.KUBERNETES_YAML, Kind.SLACK_USERS, Kind.SLACK_CHANNELS, Kind.SLACK_MESSAGES, Kind.JIRA,
    Kind.PROMETHEUS, Kind.OPENMETRICS, Kind.LOKI, Kind.LOKI_LINES, Kind.EMPTY_LIST, Kind.LOG,
)  # fmt: skip

_SOURCES = {
    Kind.SLACK_USERS: slack.SOURCE, Kind.SLACK_CHANNELS: slack.SOURCE, Kind.SLACK_MESSAGES: slack.SOURCE,
    Kind.JIRA: jira.SOURCE, Kind.PROMETHEUS: prometheus.SOURCE, Kind.OPENMETRICS: prometheus.SOURCE,
    Kind.LOKI: loki.SOURCE, Kind.LOKI_LINES: loki.SOURCE, Kind.EMPTY_LIST: "files", Kind.LOG: LOGS,
    Kind.KUBERNETES_JSON: kubernetes.OBJECTS, Kind.KUBERNETES_YAML: kubernetes.OBJECTS,
}  # fmt: skip

_JSON_READERS: dict[Kind, Callable[[Reading, str, Iterable[str]], object]] = {
    Kind.SLACK_USERS: slack.read_users,
    Kind.SLACK_CHANNELS: slack.read_channels,
    Kind.SLACK_MESSAGES: slack.read_messages,
    Kind.JIRA: jira.read_issues,
    Kind.PROMETHEUS: prometheus.read_queries,
    Kind.LOKI: loki.read_streams,
}

_LINE_READERS: dict[Kind, Callable[[Reading, str, Iterable[str]], None]] = {
    Kind.OPENMETRICS: prometheus.read_openmetrics,
    Kind.LOKI_LINES: loki.read_lines,
}

_ODD_SHAPES = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)

_EXPECTED = (
    "Expected is a folder or an archive of what standard tools print: kubectl logs --timestamps, kubectl get -o json, "
    "Prometheus query results, a Slack export, Jira issues."
)


@dataclass(frozen=True, slots=True)
class _Found:
    kind: Kind
    member: Member


def total_bytes(path: Path | BinaryIO) -> int | None:
    """Give the stored bytes of an export for a progress bar; None for a stream, or where nothing can be listed."""
    if not isinstance(path, Path) or str(path) == "-" or not path.exists():
        return None
    if not path.is_dir():
        return path.stat().st_size
    return sum(place.lstat().st_size for place in path.rglob("*") if place.is_file() and not place.is_symlink())


class ExportSource:
    """An incident export: a folder, an archive, a lone file, or a tar on a binary stream (also ``Path("-")``).

    ``gather`` raises UsageError where the path cannot be read, NotAnExportError where nothing in it is known or every
    document ends in the middle, and UnsafeArchiveError where an archive must not be read; everything less becomes a Gap.
    """

    name = "export"

    def __init__(self, path: Path | BinaryIO, limits: Limits | None = None) -> None:
        self._path = path
        self._limits = limits or Limits()

    def gather(self, sink: Sink, progress: Progress) -> None:
        """Stream everything into the sink."""
        ledger = Ledger(sink)
        skipped: list[tuple[str, str, bool]] = []
        with ExitStack() as stack:
            inventory = Inventory(stack, self._limits, lambda *what: skipped.append(what))
            found, unknown = self._recognised(self._members(inventory), skipped, progress)
            if not found:
                raise NotAnExportError(self._nothing(unknown, skipped))
            for path, why, lost in skipped:
                if lost:
                    ledger.lost("files", why, path)
                else:
                    ledger.odd("files", why, 1, path)
            self._read_all(found, sink, ledger, progress)
        if all(each.member.path in ledger.torn for each in found):
            raise NotAnExportError(self._torn(ledger.torn))
        ledger.close()

    def _members(self, inventory: Inventory) -> Iterator[Member]:
        if not isinstance(self._path, Path):
            return inventory.of_stream(self._path)
        if str(self._path) == "-":
            return inventory.of_stream(sys.stdin.buffer)
        path = self._path
        try:
            if not path.exists():
                raise UsageError(f"There is nothing at {path}. Give the path of an incident export.")
            if path.is_dir():
                if next(path.iterdir(), None) is None:
                    raise UsageError(f"{path} is an empty folder. {_EXPECTED}")
            else:
                with path.open("rb"):
                    pass
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
        return inventory.of_path(path)

    def _recognised(
        self, members: Iterator[Member], skipped: list[tuple[str, str, bool]], progress: Progress
    ) -> tuple[list[_Found], list[str]]:
        found: list[_Found] = []
        unknown: list[str] = []
        seen = 0
        for member in members:
            seen += member.size
            progress("recognise", seen, None)
            try:
                head = head_of(member, self._limits)
            except OSError as error:
                skipped.append((member.path, f"could not be read: {error.strerror or error}", True))
                unknown.append(member.path)
                continue
            kind, why = recognise(head, member.path)
            if kind is not None:
                found.append(_Found(kind, member))
            else:
                empty = not head.strip()
                skipped.append((member.path, "empty files" if empty else f"skipped: {why}", not empty))
                unknown.append(member.path)
        return found, unknown

    def _nothing(self, unknown: list[str], skipped: list[tuple[str, str, bool]]) -> str:
        where = self._path if isinstance(self._path, Path) and str(self._path) != "-" else "Standard input"
        if not unknown and not skipped:
            return f"{where} holds no files. {_EXPECTED}"
        if all(why == "empty files" for _, why, _ in skipped):
            return f"{where} is empty. {_EXPECTED}"
        reasons = [f"{shown(path)} ({why.removeprefix('skipped: ')})" for path, why, _ in skipped[:3]]
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        return f"{where} holds nothing that is known here: {', '.join(reasons)}{more}. {_EXPECTED}"

    def _torn(self, torn: Mapping[str, str]) -> str:
        path, why = next(iter(sorted(torn.items())))
        more = f" So are the other {len(torn) - 1} files." if len(torn) > 1 else ""
        return f"{shown(path)} is cut off or damaged ({why}), and nothing else is there.{more} Copy or export it again."

    def _read_all(self, found: list[_Found], sink: Sink, ledger: Ledger, progress: Progress) -> None:
        total = sum(each.member.size for each in found)
        done = 0

        def tick(size: int) -> None:
            nonlocal done
            done += size
            progress("read", min(done, total), total)

        logs = [each.member for each in found if each.kind is Kind.LOG]
        named = names_in(member.path for member in logs)
        reading = Reading(sink=sink, ledger=ledger, tick=tick, named=named)
        rank = {kind: at for at, kind in enumerate(_ORDER)}
        for each in sorted(found, key=lambda each: (rank[each.kind], each.member.path)):
            if each.kind is Kind.LOG:
                break
            self._read_one(reading, each)
        self._read_logs(reading, logs)
        progress("read", total, total)

    def _read_one(self, reading: Reading, each: _Found) -> None:
        content = _Content(each.member, self._limits, reading, _SOURCES[each.kind])
        try:
            self._read_content(reading, each, content)
        except _ODD_SHAPES:
            # a document of a known kind with values no server writes: one file lost, not the import
            what = f"a {each.kind} file of an unknown shape; what came before was read"
            reading.ledger.lost(_SOURCES[each.kind], what, each.member.path)

    def _read_content(self, reading: Reading, each: _Found, content: "_Content") -> None:
        path = each.member.path
        if each.kind in {Kind.KUBERNETES_JSON, Kind.KUBERNETES_YAML}:
            read = kubernetes.read_json if each.kind is Kind.KUBERNETES_JSON else kubernetes.read_yaml
            booked = read(reading, path, content.texts())
            self._book_kubernetes(reading, path, content.size, booked)
            return
        if each.kind in _JSON_READERS:
            _JSON_READERS[each.kind](reading, path, content.texts())
        elif each.kind in _LINE_READERS:
            _LINE_READERS[each.kind](reading, path, content.lines())
        else:
            content.exhaust()
        reading.sink.add_read(_SOURCES[each.kind], path, content.size)

    @staticmethod
    def _book_kubernetes(reading: Reading, path: str, size: int, booked: dict[str, int]) -> None:
        """Book a file for the source it gave most to, and the other's items for the other."""
        events, objects = booked[kubernetes.EVENTS], booked[kubernetes.OBJECTS]
        if events or objects:
            for source, part in ((kubernetes.EVENTS, events), (kubernetes.OBJECTS, objects)):
                if part:
                    reading.sink.add_read(source, path, part if events and objects else size)
            return
        empty = kubernetes.EVENTS if "event" in path.rsplit("/", 1)[-1].lower() else kubernetes.OBJECTS
        reading.sink.add_read(empty, path, size)

    def _read_logs(self, reading: Reading, members: list[Member]) -> None:
        placed = [(place_of(member.path, reading.pods, reading.namespaces), member) for member in members]
        placed.sort(key=lambda pair: (_group(*pair), pair[0].age, pair[1].path))
        before: tuple[str, ...] | None = None
        boundary = Boundary()
        for place, member in placed:
            group = _group(place, member)
            if group != before:
                before, boundary = group, Boundary()
            reader = LogReader(reading, member.path, place, member.modified_s)
            content = _Content(member, self._limits, reading, LOGS)
            reader.read(content.raw(), boundary)
            reading.sink.add_read(LOGS, member.path, content.size)


def _group(place: Place, member: Member) -> tuple[str, ...]:
    """Files of one container in one folder follow each other."""
    folder = member.path.rpartition("/")[0]
    return folder, place.namespace or "", place.pod or "", place.container or "", "previous" if place.previous else ""


class _Content:
    """One file's content as bytes, text or lines, with every failure booked as a gap; ``size`` counts what came."""

    def __init__(self, member: Member, limits: Limits, reading: Reading, source: str) -> None:
        self._member = member
        self._limits = limits
        self._reading = reading
        self._source = source
        self.size = 0

    def raw(self) -> Iterator[bytes]:
        """Give the bytes, UTF-16 turned into UTF-8; a failure ends them and is booked."""
        utf16: codecs.IncrementalDecoder | None = None
        first = True
        try:
            for chunk in self._member.guarded(self._limits, self._reading.tick):
                self.size += len(chunk)
                self._count(len(chunk))
                if first:
                    first = False
                    if chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
                        utf16 = codecs.getincrementaldecoder("utf-16")("replace")
                        self._reading.ledger.odd(
                            self._source, "files in UTF-16, turned into UTF-8", 1, self._member.path
                        )
                    else:
                        chunk = chunk.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901 - the mark is no content
                yield utf16.decode(chunk).encode("utf-8", "replace") if utf16 else chunk
        except CutError as cut:
            self._reading.ledger.lost(self._source, f"{cut}; what came before the cut was read", self._member.path)
        except OSError as error:
            why = f"could not be read to its end: {error.strerror or error}"
            self._reading.ledger.lost(self._source, why, self._member.path)

    def _count(self, size: int) -> None:
        if self._member.compression is None:
            return
        self._reading.unpacked += size
        if self._reading.unpacked > self._limits.total_bytes:
            raise UnsafeArchiveError(
                f"The compressed files unpack to more than {self._limits.total_bytes} bytes: the export was not read."
            )

    def texts(self) -> Iterator[str]:
        """Give the text; bytes that are not UTF-8 become surrogates, from which the bytes can be made again."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        for chunk in self.raw():
            yield decoder.decode(chunk)
        if rest := decoder.decode(b"", final=True):
            yield rest

    def lines(self) -> Iterator[str]:
        """Give the text line by line, without line ends."""
        rest = ""
        for text in self.texts():
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                yield line.removesuffix("\r")
        if rest:
            yield rest

    def exhaust(self) -> None:
        """Read to the end for the size's sake."""
        for _ in self.raw():
            pass
