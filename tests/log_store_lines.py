"""Lines in a log store that is played, and what all played stores share."""

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from fault_server import answer

NS = 1_000_000_000


@dataclass(frozen=True)
class Line:
    """A line in a store."""

    at: int
    text: str
    namespace: str = "shop"
    pod: str = "api-0"
    container: str = "api"


def split(request):
    """Give a request's path, its query and its body."""
    first, _, body = request.partition("\n")
    target = urlsplit(first.split(" ")[1])
    return target.path, {name: values[0] for name, values in parse_qs(target.query).items()}, body


def rfc3339(at):
    """Spell nanoseconds."""
    return f"{datetime.fromtimestamp(at // NS, UTC):%Y-%m-%dT%H:%M:%S}.{at % NS:09}Z"


def between(lines, start, end):
    """Give the lines from a nanosecond to another, the end left out; they ascend, so that few are looked at."""
    return lines[bisect_left(lines, start, key=_at) : bisect_left(lines, end, key=_at)]


def in_order(lines):
    """Give lines by their time, those of one instant as they came."""
    return sorted(lines, key=_at)


def _at(line):
    return line.at


def kind_of(text):
    """Give what stores take for a line's kind: the line without its numbers."""
    return re.sub(r"\d+", "<N>", text)


def by_kind(lines):
    """Give the lines of each kind, the most frequent kind first, as they came."""
    kinds = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.at):
        kinds[kind_of(line.text)].append(line)
    return sorted(kinds.items(), key=lambda each: (-len(each[1]), each[0]))


def by_step(lines, step_s):
    """Count lines by the second at which a step begins."""
    counts = defaultdict(int)
    for line in lines:
        counts[line.at // NS // step_s * step_s] += 1
    return sorted(counts.items())


def refused(status, words):
    """Give a refusal as text."""
    return answer(words, status=f"{status} Refused", kind="text/plain")
