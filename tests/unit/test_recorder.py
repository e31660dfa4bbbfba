"""The recorder against a cluster that changes, restarts, forgets and goes away."""

import asyncio
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from kube_api import KubeApi
from kube_recording import recording, unconnected, until
from recorder_load import BEGUN, lived
from unit.export_sink import RecordingSink

from bot.archive.keeping import Keeper, Limits
from bot.archive.reading import Archive
from bot.cluster.resources import PODS
from bot.domain.window import Window
from bot.recorder import recorder as recorder_module
from bot.recorder.lines import Taking, _Cutter
from bot.sources.recorder import RecorderSource


def all_time():
    """Give a window around now."""
    now = datetime.now(UTC)
    return Window(start=now - timedelta(hours=2), end=now + timedelta(hours=1), asked="")


def just_now():
    """Give a window within what a test has recorded."""
    now = datetime.now(UTC)
    return Window(start=now - timedelta(milliseconds=50), end=now, asked="")


def read(folder, window=None):
    """Read the archive into a sink."""
    sink = RecordingSink()
    source = RecorderSource(path=folder / "archive.sqlite", window=window or all_time())
    source.gather(sink, lambda _stage, _done, _total: None)
    return sink


def stamp(at):
    """Spell a time as an API does."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(name="a", *, restarts=0, deleting=False, namespace="web"):
    """Give a pod."""
    meta = {"name": name, "namespace": namespace} | (
        {"deletionTimestamp": stamp(datetime.now(UTC))} if deleting else {}
    )
    status = {"name": "app", "restartCount": restarts, "state": {"running": {"startedAt": stamp(datetime.now(UTC))}}}
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "app", "image": "app:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]}],
    }
    return {"kind": "Pod", "metadata": meta, "spec": spec, "status": {"containerStatuses": [status]}}


def event(number):
    """Give an event of just now."""
    at = stamp(datetime.now(UTC) - timedelta(seconds=5))
    return {
        "kind": "Event", "metadata": {"name": f"e{number}", "namespace": "web"}, "reason": "BackOff", "message": f"m{number}",
        "involvedObject": {"kind": "Pod", "namespace": "web", "name": "a"}, "firstTimestamp": at, "lastTimestamp": at, "count": 1,
    }  # fmt: skip


def logged(count, first=0):
    """Give lines of just now."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    return "".join(f"{stamp(now + timedelta(seconds=first + n))[:-1]}.5Z line {first + n}\n" for n in range(count))


def texts(sink):
    """Give every line that was read, without its time."""
    return [line[offset:].decode() for lines in sink.lines for _, line, offset in lines]


@pytest.fixture
def api():
    """A cluster with one pod."""
    with KubeApi() as running:
        running.put(pod(), event(1)).log("web", "a", "app", logged(3))
        yield running


def test_changes_are_kept_as_versions_and_events_outlive_the_cluster(api, tmp_path):
    """What was listed, what changed and what was deleted is read back in order, masked; expired events are still there."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
        api.put({**pod(), "status": {"phase": "Failed"}}, event(2))
        until(lambda: recorder.heard >= 4)
        api.drop("Event", "web", "e1")
        api.drop("Pod", "web", "a")
        until(lambda: recorder.heard >= 6)
    sink = read(tmp_path)
    assert ["m1", "m2"] == sorted(each.message for each in sink.events)
    assert ["Running", "Failed", "Failed"] == [each.manifest["status"].get("phase", "Running") for each in sink.objects]
    assert all(b"hunter2" not in each.raw for each in sink.objects)


def test_the_same_state_is_kept_once(api, tmp_path):
    """A node's heartbeat and a new resource version are no new version."""
    node = {"kind": "Node", "metadata": {"name": "n1"}}
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2 and all(watch.healthy for watch in recorder.watches))
        for beat in range(5):
            api.put({**node, "status": {"conditions": [{"type": "Ready", "lastHeartbeatTime": str(beat)}]}})
        until(lambda: recorder.heard >= 7)
    assert 1 == len([each for each in read(tmp_path).objects if each.entity.kind == "Node"])


def test_the_log_before_a_restart_is_taken(api, tmp_path):
    """A higher restart count makes the recorder ask for the previous container's log at once."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
        api.log("web", "a", "app", logged(4), previous=True)
        api.put(pod(restarts=1))
        until(lambda: recorder.heard >= 3 and not recorder.taker.running)
    sink = read(tmp_path)
    assert [f"line {n}" for n in range(4)] == texts(sink)
    assert [True] == [stream.previous for stream in sink.streams]


def test_the_last_lines_of_a_deleted_pod_are_taken(api, tmp_path):
    """From the mark of deletion to the end, what the pod says is kept, though the cluster forgets it with the pod."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
        api.put(pod(deleting=True))
        until(lambda: api.calls["/api/v1/namespaces/web/pods/a/log"])
        api.log("web", "a", "app", logged(2, 3) + "without a line end")
        until(lambda: recorder.taker.bytes > 150)
        api.drop("Pod", "web", "a")
        until(lambda: not recorder.taker.running)
    assert [*(f"line {n}" for n in range(5)), "without a line end"] == texts(read(tmp_path))


def test_lines_that_go_back_in_time_are_kept(tmp_path):
    """Two writers of one log do not agree on the order of a second; no line is taken for one that was kept before."""
    cutter = _Cutter(Taking(namespace="web", pod="a", container="app", node=None), 0)
    kept = []
    for second in (5, 4, 5):
        cutter.rest += b"2026-11-22T06:28:0%d.5Z x\n" % second
        kept.append(cutter.take())
    assert [1, 1, 1] == [piece.raw.count(b"\n") for piece in kept]
    again = _Cutter(Taking(namespace="web", pod="a", container="app", node=None), kept[0].last_ns)
    again.rest += b"2026-11-22T06:28:05.5Z x\n2026-11-22T06:28:06.5Z y\n2026-11-22T06:28:05.6Z z\n"
    assert [b"y", b"z"] == [line[-1:] for line in again.take().raw.splitlines()]


def test_a_line_without_an_end_is_kept_in_parts():
    """A log that writes without ever ending a line does not fill the memory."""
    cutter = _Cutter(Taking(namespace="web", pod="a", container="app", node=None), 0)
    cutter.rest += b"2026-11-22T06:28:05.5Z " + b"x" * 500_000
    assert cutter.take() is None
    cutter.rest += b"x" * 600_000
    first = cutter.take()
    cutter.rest += b"y\n2026-11-22T06:28:06.5Z z\n"
    second = cutter.take()
    assert (1_100_023, 0) == (len(first.raw), first.raw.count(b"\n"))
    assert (first.last_ns, 2) == (second.first_ns, second.raw.count(b"\n"))


def test_who_is_not_followed_for_want_of_a_place_is_said_once(tmp_path):
    """Beyond the most logs that are followed at once, each pod that is not is a loss in the archive, one for all its changes."""
    keeper = Keeper(tmp_path / "archive.sqlite")
    recorder = unconnected(keeper, now=lambda: datetime.now(UTC).timestamp(), follow=("web",))
    keeper.begin("pods", datetime.now(UTC).timestamp(), continued=False)
    with patch.object(recorder_module, "MOST_FOLLOWED", 0):
        for _ in range(3):
            asyncio.run(recorder.hear(PODS, "MODIFIED", pod("b")))
    keeper.close()
    assert 1 == len(read(tmp_path).lost("the log of web/b was not followed"))


def test_followed_namespaces_are_kept_whole_and_once(api, tmp_path):
    """A restart of the recorder neither loses nor repeats a line."""
    with recording(api, tmp_path, follow=("web",)) as recorder:
        until(lambda: recorder.taker.bytes > 80)
    api.log("web", "a", "app", logged(3, 3))
    with recording(api, tmp_path, follow=("web",)) as recorder:
        until(lambda: recorder.taker.bytes > 80)
    assert [f"line {n}" for n in range(6)] == texts(read(tmp_path))


def test_a_restart_goes_on_where_it_stood_and_410_is_a_gap(api, tmp_path):
    """What happened while the recorder was down is caught up with; what the server forgot is said to be unwatched."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
    api.put(event(2))
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
    lists = [path for path, query in api.asked if path == "/api/v1/events" and "watch" not in query]
    assert 1 == len(lists)
    api.put(event(3))
    api.compact()
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 5)
    assert {"m1", "m2", "m3"} == {each.message for each in read(tmp_path).events}


def test_a_pause_is_a_gap_unless_it_was_caught_up_with(api, tmp_path):
    """Ten minutes without a recorder: events that the server still tells are no gap, logs are; with a 410 events are, too."""
    began = datetime.now(UTC).replace(microsecond=0)
    clock = {"now": began}

    def unwatched():
        with recording(api, tmp_path, now=clock["now"].timestamp) as recorder:
            until(lambda: recorder.watched and len(recorder.keeper._open_spans) == len(recorder.watches) + 1)
        window = Window(start=began, end=clock["now"], asked="")
        with closing(Archive(tmp_path / "archive.sqlite")) as archive:
            return {each.what for each in archive.unwatched(window, 30)}

    assert set() == unwatched()
    clock["now"] += timedelta(minutes=10)
    api.put(event(2))
    assert {"logs"} == unwatched()
    clock["now"] += timedelta(minutes=10)
    api.put(event(3))
    api.compact()
    assert {"logs", "events", "pods", "jobs"} <= unwatched()


@pytest.mark.parametrize("how", ["forbidden", "absent"])
def test_events_are_heard_by_their_other_name(api, tmp_path, how):
    """Where the core group's events may not be watched or are not served, those of events.k8s.io are, from the same version."""
    if how == "forbidden":
        api.forbidden |= {("list", "/events"), ("watch", "/events")}
    else:
        api.absent.add("/events")
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2)
        api.put(event(2))
        until(lambda: recorder.heard >= 3)
    assert {"m1", "m2"} == {each.message for each in read(tmp_path).events}
    assert [] == [gap for gap in read(tmp_path, just_now()).lost() if "events" in gap.what]


def test_downtime_of_the_api_is_recorded_as_a_gap(api, tmp_path):
    """While nobody answers there is no heartbeat; afterwards the watch catches up, and logs are said to be unwatched."""
    with recording(api, tmp_path) as recorder:
        until(lambda: recorder.heard >= 2 and recorder.watched)
        api.down = True
        until(lambda: not recorder.watched)
        api.down = False
        api.put(event(2))
        until(lambda: recorder.heard >= 3 and recorder.watched)
    archive = Archive(tmp_path / "archive.sqlite")
    spans = archive._connection.execute("SELECT began, beat FROM spans WHERE what = 'logs' ORDER BY began").fetchall()
    archive.close()
    assert 2 <= len(spans)
    assert "m2" in {each.message for each in read(tmp_path).events}


def test_nothing_happened_differs_from_nobody_watched(tmp_path):
    """A quiet hour with heartbeats has no gap; an hour without them has one, with its times."""
    keeper, now = Keeper(tmp_path / "archive.sqlite"), datetime(2026, 11, 22, 12, tzinfo=UTC)
    for what in ("events", "logs"):
        keeper.begin(what, now.timestamp(), continued=False)
        keeper.beat(what, (now + timedelta(hours=1)).timestamp())
    keeper.begin("logs", (now + timedelta(hours=2)).timestamp(), continued=False)
    keeper.beat("logs", (now + timedelta(hours=3)).timestamp())
    keeper.begin("events", (now + timedelta(hours=2)).timestamp(), continued=True)
    keeper.beat("events", (now + timedelta(hours=3)).timestamp())
    keeper.close()
    quiet = read(tmp_path, Window(start=now, end=now + timedelta(hours=1), asked=""))
    missed = read(tmp_path, Window(start=now, end=now + timedelta(hours=3), asked=""))
    assert [] == quiet.lost()
    assert ["nobody watched logs from 2026-11-22T13:00:00Z to 2026-11-22T14:00:00Z"] == [
        gap.what.partition(": ")[0] for gap in missed.lost()
    ]


def test_the_archive_keeps_its_limits(tmp_path):
    """Bytes: the oldest goes and the newest stays. Days: what is older goes, but for what an object still is."""
    import random  # noqa: PLC0415 - noise that zstd cannot pack

    noise = random.Random(7)
    keeper = Keeper(tmp_path / "archive.sqlite", Limits(most_bytes=4 * 1024 * 1024, most_days=1))
    for second in range(400):
        raw = noise.randbytes(40_000)
        keeper.version((f"o{second % 5}", "Pod", "web"), second, b'{"kind":"Pod"}' + raw, raw)
        if second % 40 == 0:
            keeper.prune(second)
    keeper.prune(400)
    assert keeper.used_bytes() <= 4 * 1024 * 1024
    kept = [row[0] for row in keeper._connection.execute("SELECT at FROM versions ORDER BY at")]
    assert kept[-1] == 399
    assert kept[0] > 0
    keeper.prune(400 + 3 * 86_400)
    assert 5 >= keeper._connection.execute("SELECT count(*) FROM versions").fetchone()[0] > 0
    keeper.close()
    assert (tmp_path / "archive.sqlite").stat().st_size < 6 * 1024 * 1024


def test_a_version_takes_little_more_than_its_difference(tmp_path):
    """A hundred states of a large object take less room than three whole ones."""
    keeper = Keeper(tmp_path / "archive.sqlite")
    for second in range(100):
        raw = b'{"kind":"Pod","filler":"' + b"".join(b"%x" % (n * 7919) for n in range(6000)) + b'","n":%d}' % second
        keeper.version(("o", "Pod", "web"), second, raw, raw)
    keeper.flush()
    sizes = keeper._connection.execute("SELECT sum(length(blob)) FROM versions").fetchone()[0]
    assert sizes < 3 * len(raw)
    keeper.close()
    window = Window(start=datetime.fromtimestamp(0, UTC), end=datetime.fromtimestamp(200, UTC), asked="")
    archive = Archive(tmp_path / "archive.sqlite")
    assert raw == list(archive.versions(window))[-1][2]
    archive.close()


def test_what_was_deleted_says_so(tmp_path):
    """The last state of an object that went away is read as it was kept, and its document says when it went."""
    keeper = Keeper(tmp_path / "archive.sqlite")
    raw = json.dumps({"kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}}).encode()
    now = datetime.now(UTC).timestamp()
    keeper.version(("u1", "ConfigMap", "shop"), now - 60, raw, raw)
    keeper.version(("u1", "ConfigMap", "shop"), now - 30, raw, raw, gone=True)
    keeper.flush()
    keeper.close()
    there, gone = (version for version in read(tmp_path).objects if version.entity.name == "web")
    assert (there.raw, gone.raw) == (raw, raw)
    assert "deletionTimestamp" not in there.manifest["metadata"]
    told = datetime.fromisoformat(gone.manifest["metadata"]["deletionTimestamp"]).timestamp()
    assert abs(told - (now - 30)) < 0.01


def test_a_part_of_a_busy_hour_takes_less_than_half_a_core(tmp_path):
    """Twenty simulated seconds of the load: everything is kept, and there is room left for the connections."""
    load = lived(tmp_path, seconds=20)
    assert (4000, True) == (load.events, load.log_bytes >= 100_000_000)
    assert load.cores < 0.4
    archive = Archive(tmp_path / "archive.sqlite")
    began = datetime.fromtimestamp(BEGUN, UTC)
    window = Window(start=began, end=began + timedelta(minutes=1), asked="")
    assert 4000 == sum(1 for _ in archive.events(window))
    assert load.log_bytes == sum(len(piece) for _, pieces in archive.logs(window) for piece in pieces)
    archive.close()


def test_no_archive_is_a_gap_with_its_cure(tmp_path):
    """Where nothing was recorded, the report says so and what to do."""
    gaps = read(tmp_path).lost()
    assert 1 == len(gaps)
    assert "rootcause record" in gaps[0].what
