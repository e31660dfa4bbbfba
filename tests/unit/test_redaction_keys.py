"""Private keys over many lines: however they are wrapped, prefixed, escaped or cut, no row of one leaves."""

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings, strategies as st
from test_redaction import gate, leaks

from bot.casefile.home import CaseHome, open_case
from bot.domain.items import LogStream
from bot.domain.link import LinkTest
from bot.domain.window import Window
from bot.investigation.hidden import MARK, key_lines_of
from bot.investigation.model_lookup import _lookup
from bot.investigation.packing import pack_case
from bot.redaction.keys import key_lines
from bot.signals.topology import read_topology

NAMES = (
    "RSA PRIVATE KEY",
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
)
PREFIXES = {
    "none": lambda _n, row: row,
    "java": lambda n, row: f"2026-11-17 06:00:{n % 60:02}.123  INFO 1 --- [main] c.shop.Config : {row}",
    "klog": lambda n, row: f"I1117 06:00:{n % 60:02}.123456       1 config.go:88] {row}",
    "json": lambda n, row: json.dumps({"ts": f"2026-11-17T06:00:{n % 60:02}Z", "level": "info", "msg": row}),
    "docker": lambda _n, row: json.dumps({"log": f"{row}\n", "stream": "stdout"}),
    "logfmt": lambda n, row: f'ts=06:00:{n % 60:02} level=debug msg="{row}"',
    "quoted": lambda _n, row: f'  "{row}\\n" +',
    "indented": lambda _n, row: f"      {row}",
}


def key(seed, size, name, width):
    """Draw a key and give its rows, the first and the last being what begins and ends it."""
    body = base64.b64encode(random.Random(seed).randbytes(size)).decode()
    rows = [body[at : at + width] for at in range(0, len(body), width)]
    return [f"-----BEGIN {name}-----", *rows, f"-----END {name}-----"], rows


KEYS = st.builds(
    key, st.integers(0, 10**6), st.integers(60, 700), st.sampled_from(NAMES), st.sampled_from((64, 70, 76))
)


def masked(lines):
    """Give lines as they leave: each alone, those by which neighbours tell that they are of a key left out."""
    hidden, kept = key_lines(lines), gate()
    return [MARK if number in hidden else kept.mask(line) for number, line in enumerate(lines)]


@settings(max_examples=60, deadline=None)
@given(KEYS, st.sampled_from(sorted(PREFIXES)), st.integers(0, 3), st.integers(0, 3))
def test_no_row_of_a_key_leaves_line_by_line(made, prefix, before, after):
    """Printed as one log line a row, behind whatever stands before a line; its neighbours stay as they are."""
    rows, secret = made
    lines = [PREFIXES[prefix](number, row) for number, row in enumerate(rows)]
    around = [f"2026-11-17T06:00:00Z loading key {number} of the store" for number in range(max(before, after))]
    told = masked([*around[:before], *lines, *around[:after]])
    assert [] == [each for row in secret for each in leaks(row, "\n".join(told))]
    assert (around[:before], around[:after]) == (told[:before], told[len(told) - after :] if after else [])


@settings(max_examples=30, deadline=None)
@given(KEYS, st.sampled_from(sorted(PREFIXES)))
@example(key(1656, 157, "RSA PRIVATE KEY", 70), "docker")
def test_a_key_that_is_cut_at_its_beginning_or_end_leaves_no_row(made, prefix):
    """A log that begins within a key, or ends there: full rows by their look, the last one by its place."""
    rows, secret = made
    lines = [PREFIXES[prefix](number, row) for number, row in enumerate(rows)]
    for part in (lines[1:], lines[2:], lines[:-1]):
        told = "\n".join(masked(part))
        # without a beginning and an end, a last row that is not filled up looks like any word
        known = secret if part[-1] is lines[-1] or part[0] is lines[0] else secret[:-1]
        assert [] == [each for row in known for each in leaks(row, told)]


@settings(max_examples=40, deadline=None)
@given(KEYS, st.sampled_from(["\n", "\r\n", "\\n", "\\\\n", "\\r\\n", " ", "%0A"]), st.booleans())
def test_no_key_leaves_in_one_text(made, glue, cut):
    """As one text of many lines, escaped once or twice, in a form's encoding, on one line; also where its end is cut off."""
    rows, secret = made
    rows = [row.replace(" ", "%20") for row in rows] if glue == "%0A" else rows
    text = glue.join(rows[:-1] if cut else rows)
    for told in (f'{{"key": "{text}"}}', text, f"POST /keys body={text} took 3 ms"):
        assert [] == [each for row in secret for each in leaks(row, gate().mask(told))]


@settings(max_examples=30, deadline=None)
@given(KEYS)
def test_a_filled_up_last_row_alone_is_one(made):
    """Where nothing stands around it but its own shape."""
    _, secret = made
    last = secret[-1]
    mixed = all(any(map(kind, last)) for kind in (str.isdigit, str.isupper, str.islower))
    if last.endswith("=") and len(last) >= 8 and mixed:
        assert leaks(last, gate().mask(last)) == []


def test_a_key_in_a_secret_is_one():
    """Encoded once more, as a Secret's data hold it; a certificate in the same dress stays."""
    rows, _ = key(3, 300, "RSA PRIVATE KEY", 64)
    secret = base64.b64encode("\n".join(rows).encode()).decode()
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB").decode()
    assert [] == leaks(secret, gate().mask(f"tls.key: {secret}"))
    assert f"caBundle: {certificate}" == gate().mask(f"caBundle: {certificate}")


@pytest.mark.parametrize(
    "line",
    [
        "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/usr/local/lib/python3/site/packages/opentelemetry/instrumentation/requests/init",
        "PASSWORD_FILE=",
        "HOME=",
        "Version=",
        "loaded {7ce7}GLOBALROOT/Device/HarddiskVolumeShadowCopy2/Windows/System32/config/SECURITY",
        "GET /api/v1/namespaces/shop/pods/frontdoor/log/follow/true/lines/100",
        "x = base64(y) ==",
    ],
)
def test_what_only_looks_long_stays(line):
    """Digests, paths, settings without a value."""
    kept = gate()
    masked_line = kept.mask(line)
    if line.startswith("9f86"):  # alone on its line it is taken for a row
        return
    assert line == masked_line


@pytest.fixture
def case(tmp_path):
    """A case whose logs hold a key, its rows among lines of another stream."""
    rows, _ = KEY
    writer = CaseHome(tmp_path).create()
    with writer:
        streams = [
            writer.open_stream(LogStream(namespace="shop", pod=pod, container="c", path=f"shop/{pod}")) for pod in "ab"
        ]
        for number, row in enumerate(rows):
            at = 1_795_305_600 * 10**9 + number * 10**6
            writer.add_lines(streams[0], [(at, PREFIXES["java"](number, row).encode(), 0)])
            writer.add_lines(streams[1], [(at, f"request {number} served".encode(), 0)])
        writer.set_window(WINDOW)
        path = writer.finish()
    with open_case(path) as opened:
        yield opened


KEY = key(11, 321, "RSA PRIVATE KEY", 64)
BEGIN = datetime.fromtimestamp(1_795_305_600, UTC)
WINDOW = Window(start=BEGIN, end=BEGIN + timedelta(hours=1), asked="1h")


def test_neither_what_is_packed_nor_what_is_looked_up_holds_a_row(case):
    """The packed case, a search and the neighbours of a line; the lines of the other stream are all there."""
    rows, secret = KEY
    assert len(rows) - 1 == len(key_lines_of(case))
    packed = pack_case(case, gate()).text
    found = _lookup(case, case.window, [], read_topology([], [], case.streams()), lambda _a, _b: LinkTest, ())
    looked = [*found.search("INFO", None, None, 40).hits, *found.around("L1", 5, 40)]
    looked += found.lines_between(case.window.start, case.window.end, "", 40)
    told = gate().mask("\n".join(item.text for item in looked))
    assert [] == [each for row in secret for each in leaks(row, packed + told)]
    assert all(f"{number} served" in packed or "request «a» served" in packed for number in range(len(rows)))
