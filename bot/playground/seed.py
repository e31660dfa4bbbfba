"""A workspace to begin with: from a Slack workspace export, or a small made-up one.

The export (users.json, channels.json, <channel>/YYYY-MM-DD.json) may be a folder or a tar, plain or compressed, and may
lie deeper inside a larger incident export. Messages keep their own timestamps.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import zstandard

from bot.playground.workspace import AppProfile, Channel, Json, Person, UserGroup, Workspace

VISITOR = "U0VISITOR"
GUEST = "U0GUEST"
STRANGER = "U0STRANGER"
OTHER_TEAM = "T0PARTNER"

_USER_FLAGS = ("is_bot", "is_restricted", "is_ultra_restricted", "deleted")


def workspace_from_export(path: Path, *, app: AppProfile | None = None) -> Workspace:
    """Make a workspace of an export; the bot and the visitor are in all its channels. ValueError where there is none."""
    files = dict(_json_files(path))
    roots = [name.parent for name in files if name.name == "channels.json" and name.parent / "users.json" in files]
    if not roots:
        raise ValueError(f"{path} holds no Slack export (no folder with users.json and channels.json)")
    root = min(roots, key=lambda each: (len(each.parts), each))
    workspace = Workspace(app=app)
    for user in files[root / "users.json"]:
        workspace.add_person(_person(user, workspace.team))
    furnish(workspace)
    for described in files[root / "channels.json"]:
        channel = workspace.add_channel(_channel(described))
        channel.members += [VISITOR, workspace.app.bot_user]
        days = sorted(name for name in files if name.parent == root / channel.name)
        workspace.load(channel, [message for day in days for message in files[day] if "ts" in message])
    return workspace


def small_workspace(*, app: AppProfile | None = None) -> Workspace:
    """Make a workspace with two colleagues and ``#incidents`` (C0INCIDENTS), for tests."""
    workspace = Workspace(app=app)
    for name, real_name in (("ada", "Ada Byron"), ("grace", "Grace Murray")):
        person = Person(id=f"U0{name.upper()}", name=name, real_name=real_name, team=workspace.team, tz="Europe/Berlin")
        workspace.add_person(person)
    furnish(workspace)
    everybody = ["U0ADA", "U0GRACE", VISITOR, workspace.app.bot_user]
    workspace.add_channel(Channel(id="C0INCIDENTS", name="incidents", members=everybody))
    return workspace


def furnish(workspace: Workspace) -> None:
    """Add what every workspace here has: the visitor, a guest, a stranger, and one channel of each kind."""
    team, bot = workspace.team, workspace.app.bot_user
    workspace.add_person(Person(id=VISITOR, name="you", real_name="You", team=team))
    workspace.add_person(Person(id=GUEST, name="gus", real_name="Gus (guest)", team=team, is_ultra_restricted=True))
    workspace.add_person(Person(id=STRANGER, name="pat", real_name="Pat (partner)", team=OTHER_TEAM, is_stranger=True))
    insiders = [each.id for each in workspace.people.values() if not each.is_bot and each.team == team]
    workspace.add_channel(Channel(id="C0GENERAL", name="general", members=insiders, topic="The bot is not in here"))
    workspace.add_channel(Channel(id="C0PRIVATE", name="payments-private", kind="group", members=[VISITOR, bot]))
    shared = Channel(
        id="C0SHARED", name="partner-shared", members=[VISITOR, STRANGER, bot], connected_teams=(OTHER_TEAM,)
    )
    workspace.add_channel(shared)
    workspace.add_channel(Channel(id="C0ARCHIVE", name="archived", members=[VISITOR, bot], is_archived=True))
    workspace.add_group(UserGroup(id="S0ONCALL", handle="oncall", users=(VISITOR,)))
    workspace.direct(VISITOR)


def _person(user: Json, team: str) -> Person:
    profile: Json = user.get("profile") or {}
    flags = {name: bool(user.get(name)) for name in _USER_FLAGS}
    return Person(
        id=user["id"],
        name=profile.get("display_name") or user.get("name") or user["id"],
        real_name=user.get("real_name") or profile.get("real_name") or user.get("name") or user["id"],
        team=team,
        tz=user.get("tz") or "UTC",
        tz_offset_s=int(user.get("tz_offset") or 0),
        **flags,
    )


def _channel(described: Json) -> Channel:
    return Channel(
        id=described["id"],
        name=described["name"],
        members=list(described.get("members") or ()),
        created=int(described.get("created") or 0),
        creator=described.get("creator") or "",
        topic=(described.get("topic") or {}).get("value") or "",
        purpose=(described.get("purpose") or {}).get("value") or "",
        is_archived=bool(described.get("is_archived")),
    )


def _json_files(path: Path) -> Iterator[tuple[PurePosixPath, list[Json]]]:
    """Give every JSON list of an export by its path; what is no list of objects is none of Slack's."""
    for name, body in export_files(path):
        if name.suffix == ".json":
            try:
                parsed = json.loads(body)
            except ValueError:
                continue
            if isinstance(parsed, list) and all(isinstance(each, dict) for each in parsed):
                yield name, parsed


def export_files(path: Path) -> Iterable[tuple[PurePosixPath, bytes]]:
    """Give every JSON file of a folder or a tar with its path."""
    if path.is_dir():
        found = sorted(each for each in path.rglob("*.json") if each.is_file())
        return ((PurePosixPath(each.relative_to(path).as_posix()), each.read_bytes()) for each in found)
    return _packed(path)


def _packed(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    raw = path.read_bytes()
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)) as stream:
            raw = stream.read()
    elif raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            body = archive.extractfile(member) if member.isfile() and member.name.endswith(".json") else None
            if body is not None:
                yield PurePosixPath(member.name), body.read()
