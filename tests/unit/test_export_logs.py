"""Container logs as they really are: splitting, rotation, odd bytes, cut files, places."""

import gzip

import pytest
import zstandard
from export_sink import gathered, written
from hypothesis import given, settings, strategies as st

from bot.domain.ports import UNDATED
from bot.native.batch import Oddities, lines_of
from bot.sources.export.archives import Limits, on_disk
from bot.sources.export.layout import names_in, place_of
from bot.sources.export.lines import WholeLines

NOV_22_NS = 1_795_328_881 * 10**9


def line(second: int, text: str) -> str:
    return f"2026-11-22T06:28:{second:02}.{second:09}Z {text}\n"


def split(data: bytes, size: int, limit: int = 1 << 20) -> tuple[list[bytes], int]:
    whole, odd = WholeLines(limit), Oddities()
    texts = [whole.feed(data[at : at + size]) for at in range(0, len(data), size)]
    lines = []
    for text in [*texts, whole.last()]:
        starts, lengths = lines_of(text, limit, odd)
        lines += [text[at : at + length] for at, length in zip(starts, lengths, strict=True)]
    return lines, odd.too_long


@given(st.binary(max_size=400).map(lambda data: data.replace(b"\r", b"")), st.integers(1, 50))
@settings(max_examples=150)
def test_splitting_is_lossless(data, size):
    """Lines joined by their ends give back the bytes, whatever the chunks."""
    lines, cut = split(data, size)
    assert data.removesuffix(b"\n") == b"\n".join(lines) if data else lines == []
    assert cut == 0


@given(st.binary(max_size=300), st.integers(1, 50), st.integers(1, 60))
@settings(max_examples=100)
def test_chunks_do_not_change_the_lines(data, size, limit):
    """The same lines come for any chunk size, also where long ones are cut."""
    assert split(data, max(1, len(data)), limit) == split(data, size, limit)


def test_windows_line_ends_belong_to_no_line():
    """A carriage return before the line end is part of the end; elsewhere it stays."""
    assert ([b"a", b"b\rc", b"d"], 0) == split(b"a\r\nb\rc\r\nd\r\n", 3)


def test_a_giant_line_is_cut_and_counted(tmp_path):
    """Of a 20 MB line 1 MiB is kept; the cut is a loss; the next line is whole."""
    root = written(tmp_path, {"shop/api-0/app.log": line(1, "x" * 20_000_000) + line(2, "after")})
    sink = gathered(root)
    assert [1 << 20, len(line(2, "after")) - 1] == [len(raw) for _, raw, _ in sink.lines[0]]
    assert [1] == [gap.count for gap in sink.lost("1 MiB")]


def test_rotated_files_come_oldest_first_and_repeats_are_dropped(tmp_path):
    """.log.2.gz, .log.1, .log: oldest first, the lines written twice at a boundary kept once."""
    root = written(
        tmp_path,
        {
            "kubernetes/shop/api-0/app.log": line(5, "five") + line(6, "six") + line(7, "seven"),
            "kubernetes/shop/api-0/app.log.1": line(3, "three") + line(4, "four") + line(5, "five") + line(6, "six"),
            "kubernetes/shop/api-0/app.log.2.gz": gzip.compress((line(1, "one") + line(2, "two")).encode()),
            "kubernetes/shop/api-0/app.log.3.zst": zstandard.compress(line(0, "zero").encode()),
        },
    )
    sink = gathered(root)
    texts = [raw[offset:] for lines in sink.lines for _, raw, offset in lines]
    assert [b"zero", b"one", b"two", b"three", b"four", b"five", b"six", b"seven"] == texts
    assert sink.odd("rotation boundary") == 2
    assert [("shop", "api-0", "app", False)] * 4 == [
        (s.namespace, s.pod, s.container, s.previous) for s in sink.streams
    ]


def test_equal_lines_inside_a_file_are_kept(tmp_path):
    """Only a rotation repeats lines; a program that says the same twice is believed."""
    root = written(tmp_path, {"shop/api-0/app.log": line(1, "tick") * 3})
    assert len(gathered(root).lines[0]) == 3


def test_the_previous_container_is_its_own_stream(tmp_path):
    """A .previous.log is marked as the container before the restart."""
    root = written(
        tmp_path,
        {"kubernetes/shop/api-0/app.previous.log": line(1, "bye"), "kubernetes/shop/api-0/app.log": line(2, "hi")},
    )
    assert {("app", False), ("app", True)} == {(s.container, s.previous) for s in gathered(root).streams}


def test_odd_bytes_are_kept_and_counted(tmp_path):
    """Invalid UTF-8, NUL and ANSI stay in the bytes and are counted per line."""
    body = (
        line(1, "A").encode()[:-2] + b"\xff\xfe\n" + line(2, "B\x00C").encode() + line(3, "\x1b[31mred\x1b[0m").encode()
    )
    sink = gathered(written(tmp_path, {"shop/api-0/app.log": body + line(4, "grün").encode()}))
    assert body.split(b"\n")[:3] == [raw for _, raw, _ in sink.lines[0]][:3]
    assert (1, 1, 1) == (sink.odd("not UTF-8"), sink.odd("NUL"), sink.odd("ANSI"))
    assert [] == sink.lost()


@pytest.mark.parametrize(
    "head",
    [
        "==== no header",
        "==== START logs for container web of pod shop/web-0 ====",
        "=",
        "==== END logs for container x",
    ],
)
def test_odd_lines_count_once_beside_what_may_be_a_header(tmp_path, head):
    """A line that begins as the headers of a dump do changes neither what is counted nor what is kept."""
    sink = gathered(
        written(tmp_path, {"shop/api-0/app.log": line(1, "nul \0 here") + head + "\n" + line(2, "\x1b[1mloud")})
    )
    assert (1, 1) == (sink.odd("NUL"), sink.odd("ANSI"))
    kept = [raw.decode() for lines in sink.lines for _, raw, _ in lines]
    told = [] if " logs for container " in head else [head]
    assert [line(1, "nul \0 here")[:-1], *told, line(2, "\x1b[1mloud")[:-1]] == kept


def test_lines_out_of_order_are_kept_in_file_order(tmp_path):
    """Order within a stream is the file's; steps back are counted."""
    sink = gathered(written(tmp_path, {"shop/api-0/app.log": line(9, "late") + line(1, "early") + line(2, "x")}))
    assert [b"late", b"early", b"x"] == [raw[offset:] for _, raw, offset in sink.lines[0]]
    assert sink.odd("older than the line before") == 1


def test_a_truncated_gzip_gives_what_came_before_the_cut(tmp_path):
    """The lines before the cut are read; the rest is a loss."""
    whole = "".join(line(at % 60, f"request {at * 7919} took {at * 31 % 997} ms") for at in range(20_000)).encode()
    packed = gzip.compress(whole)
    sink = gathered(written(tmp_path, {"shop/api-0/app.log.gz": packed[: len(packed) // 2]}))
    assert len(sink.lines[0]) > 5000
    assert whole.startswith(b"\n".join(raw for _, raw, _ in sink.lines[0]))
    assert ["kubernetes/logs"] == [gap.source for gap in sink.lost("cut")]


def test_a_truncated_zstd_gives_what_came_before_the_cut(tmp_path):
    """A zstd stream gives its whole blocks before the cut and says that it was cut."""
    whole = "".join(line(at % 60, f"request {at * 7919} took {at * 31 % 997} ms") for at in range(20_000)).encode()
    packed = zstandard.compress(whole)
    sink = gathered(written(tmp_path, {"shop/api-0/app.log.zst": packed[: len(packed) * 9 // 10]}))
    assert whole.startswith(b"\n".join(raw for _, raw, _ in sink.lines[0]))
    assert len(sink.lost("cut")) == 1


def test_an_empty_file_is_a_counted_oddity(tmp_path):
    """An empty log loses nothing and stops nothing."""
    sink = gathered(written(tmp_path, {"shop/api-0/app.log": "", "shop/api-1/app.log": line(1, "x")}))
    assert sink.odd("empty") == 1
    assert [] == sink.lost()


@pytest.mark.parametrize(
    "text",
    [
        'INFO:root\n{"level":"info","time":"2026-11-22T06:28:01Z","msg":"x"}\n',
        "I1122 06:28:01.000000       1 main.go:1] x\n",
        '1.2.3.4 - - [22/Nov/2026:06:28:01 +0000] "GET / HTTP/1.1" 502 1\n',
        'time="2026-11-22T06:28:01Z" level=info msg=x\n',
        "2026-11-22 06:28:01,000 ERROR x\n",
        "2026-11-22 06:28:01 ERROR x\njava.lang.Error: y\n\tat a.b(C.java:1)\n",
    ],
)
def test_a_headerless_file_is_dated_from_inside_its_lines(tmp_path, text):
    """Without a kubectl prefix the text begins at 0 and the time inside the line counts."""
    events = '{"apiVersion":"v1","kind":"List","items":[]}'
    sink = gathered(written(tmp_path, {"shop/api-0/app.log": text, "events.json": events}))
    assert {NOV_22_NS} == {at for at, _, _ in sink.lines[0]}
    assert {0} == {offset for _, _, offset in sink.lines[0]}


def test_a_log_without_times_is_searchable_only(tmp_path):
    """Lines that nothing dates carry UNDATED and are counted."""
    sink = gathered(written(tmp_path, {"shop/api-0/app.log": "hello\nworld\n"}))
    assert [(UNDATED, b"hello", 0), (UNDATED, b"world", 0)] == sink.lines[0]
    assert sink.odd("nothing dates") == 2


def test_cluster_info_dumps_name_their_containers_inside(tmp_path):
    """The dump's START headers open a stream per container."""
    text = (
        "==== START logs for container web of pod shop/web-0 ====\n"
        + line(1, "a")
        + "==== END logs for container web of pod shop/web-0 ====\n"
        + "==== START logs for container side of pod shop/web-0 ====\n"
        + line(2, "b")
        + "==== END logs for container side of pod shop/web-0 ====\n"
    )
    sink = gathered(written(tmp_path, {"dump/shop/web-0/logs.txt": text}))
    assert [("shop", "web-0", "web"), ("shop", "web-0", "side")] == [
        (s.namespace, s.pod, s.container) for s in sink.streams
    ]
    assert [[b"a"], [b"b"]] == [[raw[offset:] for _, raw, offset in lines] for lines in sink.lines]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("kubernetes/shop/api-7d9f8b6c5-x2x9z/app.log", ("shop", "api-7d9f8b6c5-x2x9z", "app", False)),
        ("kubernetes/shop/api-7d9f8b6c5-x2x9z/app.previous.log", ("shop", "api-7d9f8b6c5-x2x9z", "app", True)),
        ("kubernetes/shop/api-7d9f8b6c5-x2x9z/app.log.3.gz", ("shop", "api-7d9f8b6c5-x2x9z", "app", False)),
        ("shop/api-7d9f8b6c5-x2x9z/logs.txt", ("shop", "api-7d9f8b6c5-x2x9z", None, False)),
        ("b/cluster-resources/pods/logs/shop/db-0/pg.log", ("shop", "db-0", "pg", False)),
        ("b/cluster-resources/pods/logs/shop/db-0/pg-previous.log", ("shop", "db-0", "pg", True)),
        ("b/my-collector/known-0/app.log", ("known-ns", "known-0", "app", False)),
        ("pods/shop_api-0_12345678-1234-1234-1234-123456789abc/app/0.log", ("shop", "api-0", "app", False)),
        (f"containers/api-0_shop_app-{'a' * 64}.log", ("shop", "api-0", "app", False)),
        ("known-0.log", ("known-ns", "known-0", None, False)),
        ("known-0_app.log", ("known-ns", "known-0", "app", False)),
        ("api-7d9f8b6c5-x2x9z.log", (None, "api-7d9f8b6c5-x2x9z", None, False)),
        ("error.log", (None, None, "error", False)),
    ],
)
def test_paths_hint_at_places(path, expected):
    """Known layouts tell namespace, pod and container; known pods overrule folder names."""
    place = place_of(path, {"known-0": "known-ns"}, {"known-ns"})
    assert expected == (place.namespace, place.pod, place.container, place.previous)


_NAMES = st.sampled_from(
    ["known-0", "api-7d9f8b6c5-x2x9z", "shop", "known-ns", "app", "logs", "pods", "error", "var", "u1-d2"]
)
_JOINED = st.lists(_NAMES, min_size=1, max_size=3).map("_".join)


@given(
    st.lists(_JOINED, max_size=3),
    _JOINED,
    st.sampled_from(["", ".previous", "-previous", ".1"]),
    st.sets(_NAMES),
    st.sets(_NAMES),
)
def test_only_pods_that_paths_name_need_to_be_remembered(folders, base, age, known, spaces):
    """Of however many pods events tell, those whose name stands in no path place no log."""
    path = "/".join([*folders, f"{base}{age}.log"])
    pods = dict.fromkeys(known, "told")
    names = names_in([path])
    kept = {pod: pods[pod] for pod in pods if pod in names}
    assert place_of(path, pods, spaces) == place_of(path, kept, spaces & names)


@pytest.mark.parametrize("line", [b"a line of a log\n", b"x" * 3000 + b"\n", b"x"])
def test_a_plain_file_is_read_in_whole_lines_that_nobody_copies(tmp_path, line):
    """Chunks hold every byte; where lines are short each ends with one, and is handed on as it is."""
    content = line * (5_000_000 // len(line)) + b"the end"
    (tmp_path / "main.log").write_bytes(content)
    chunks = list(on_disk(tmp_path / "main.log", "main.log").guarded(Limits()))
    assert b"".join(chunks) == content
    if len(line) < 1000:
        whole = WholeLines()
        assert [whole.feed(chunk) is chunk for chunk in chunks[:-1]] == [line.endswith(b"\n")] * (len(chunks) - 1)
