"""What people and alert bots wrote while it happened: a Slack workspace export and a Jira ticket.

Alerts follow the measured episodes; people see alerts and guess, mostly wrongly; nobody in here knows the truth.
"""

from datetime import UTC, datetime
from typing import Any

from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.timeline import DAY_S
from bot.evals.world import World

Json = dict[str, Any]

SMALL_TALK = (
    "morning all", "lunch?", "who has the on-call phone today", "anyone else see the VPN being slow &amp; flaky?", "brb 10 min",
    "release train leaves at 15:00, please merge before", "dentist, back at 2", "can somebody review my PR? it's only docs :pray:",
    "fyi the staging cluster is being upgraded today, ignore its alerts", "&lt;!here&gt; fire drill at 11, building B only",
)  # fmt: skip
LOOKING = (
    "looking", "on it", "I'm looking at the dashboards, cpu and memory look normal right now", "gone again before I could catch it",
    "latency p50 is flat, only a spike in errors", "nothing in the deploy log at that time", "did anyone touch anything?",
    "p99 looks fine to me? https://grafana.internal/d/edge &lt;- last hour",
)  # fmt: skip
DOUBTS = (
    "hm, not sure",
    "doesn't fit, it was fine for days after that",
    "could be",
    "+1, same thought",
    "I don't see it in the graphs",
)
CALM = (
    "looks like the usual noise to me",
    "error rate is 0.02 %, that's any Tuesday",
    "nothing paged, closing my laptop",
    "that's a client with a bad token",
)


class _Workspace:
    def __init__(self, world: World, scene: Scene) -> None:
        self.world, self.scene = world, scene
        self.rng = dice(world.key, "chat")
        people = world.cast.people
        self.users = {
            handle: f"{'W' if i == 3 else 'U'}0{self.rng.hex(9).upper()}" for i, (_, handle) in enumerate(people)
        }
        self.bot = f"B0{self.rng.hex(9).upper()}"
        self.channel_id = f"C0{self.rng.hex(9).upper()}"
        self.messages: list[tuple[float, Json]] = []

    def ts(self, at: float) -> str:
        return f"{at:.6f}"

    def say(self, at: float, handle: str, text: str, thread: str | None = None) -> str:
        ts = self.ts(at)
        message: Json = {
            "type": "message",
            "user": self.users[handle],
            "ts": ts,
            "text": text,
            "team": "T0" + self.world.cast.company.upper(),
        }
        if thread:
            message["thread_ts"] = thread
        if self.rng.random() < 0.04:
            message["edited"] = {"user": self.users[handle], "ts": self.ts(at + 40)}
        self.messages.append((at, message))
        return ts

    def someone(self) -> str:
        return self.rng.choice([handle for _, handle in self.world.cast.people])

    def alert(self, at: float, title: str, body: str, *, firing: bool) -> str:
        ts = self.ts(at)
        state = "FIRING:1" if firing else "RESOLVED"
        message: Json = {
            "type": "message",
            "subtype": "bot_message",
            "bot_id": self.bot,
            "username": "alertmanager",
            "text": "",
            "ts": ts,
        }
        if self.rng.random() < 0.3:
            text = f"*[{state}]* {title}\n{body}"
            message["blocks"] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
        else:
            message["attachments"] = [
                {
                    "color": "danger" if firing else "good",
                    "fallback": f"[{state}] {title}",
                    "title": f"[{state}] {title}",
                    "text": body,
                    "id": 1,
                }
            ]
        self.messages.append((at, message))
        return ts

    def joins(self) -> None:
        for i, (_, handle) in enumerate(self.world.cast.people[:4]):
            at = self.world.start + 1200 + 900 * i + self.rng.random() * 300
            text = f"<@{self.users[handle]}> has joined the channel"
            self.messages.append(
                (
                    at,
                    {
                        "type": "message",
                        "subtype": "channel_join",
                        "user": self.users[handle],
                        "ts": self.ts(at),
                        "text": text,
                    },
                )
            )

    def small_talk(self) -> None:
        at = self.world.start + 8 * 3600
        while at < self.world.end:
            self.say(at + self.rng.random() * 9 * 3600, self.someone(), self.rng.choice(SMALL_TALK))
            at += DAY_S * self.rng.choice((0.5, 1, 1))

    def episode(self, index: int, start: float, end: float, count: int) -> None:
        if count < 3 * self.scene.floor:
            return
        edge, rng = self.world.edge.name, self.rng
        what = self.scene.metric
        body = f"{edge}: {what} above threshold, {count / max(1.0, (end - start) / 60):.0f}/min &gt; {self.scene.floor}/min (severity=page)"
        ts = self.alert(start + 60 + rng.random() * 30, "HighErrorRate", body, firing=True)
        at = start + 120 + rng.random() * 200
        if rng.random() < 0.75:
            self.say(at, self.someone(), rng.choice(LOOKING), ts)
        self.alert(end + 240 + rng.random() * 60, "HighErrorRate", f"{edge}: {what} back to normal", firing=False)
        if rng.random() < (0.85 if index < len(self.scene.theories) + 2 else 0.2):
            theory = self.scene.theories[index % len(self.scene.theories)]
            self.say(at + 400, self.someone(), theory, ts if rng.random() < 0.5 else None)
            if rng.random() < 0.8:
                # Some answer the next morning: the reply stands in a later day's file.
                late = at + (rng.uniform(300, 1500) if rng.random() < 0.8 else 0.8 * DAY_S)
                self.say(min(late, self.world.end - 5), self.someone(), rng.choice(DOUBTS), ts)

    def worry(self) -> None:
        at = self.world.start + 0.45 * (self.world.end - self.world.start)
        ts = self.say(
            at,
            self.someone(),
            f'is it me or is {self.world.edge.name} acting up? a customer says the app "feels broken" since this morning',
        )
        for i, text in enumerate(CALM):
            self.say(at + 300 * (i + 1), self.someone(), text, ts)
        self.say(at + 4000, self.someone(), self.scene.theories[0])

    def write(self) -> None:
        world, put = self.world, self.world.export.document
        name = world.cast.channel
        members = list(self.users.values())
        put(
            "slack/channels.json",
            [
                {
                    "id": self.channel_id,
                    "name": name,
                    "created": int(world.start - 86400 * 30),
                    "creator": members[0],
                    "is_archived": False,
                    "members": members,
                }
            ],
            indent=2,
        )
        put(
            "slack/users.json",
            [
                {
                    "id": self.users[h],
                    "name": h,
                    "real_name": n,
                    "deleted": False,
                    "profile": {"real_name": n, "display_name": h},
                }
                for n, h in world.cast.people
            ],
            indent=2,
        )
        days: dict[str, list[Json]] = {}
        for at, message in sorted(self.messages, key=lambda m: (m[0], m[1]["ts"])):
            days.setdefault(f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d}", []).append(message)
        for day in sorted(days):
            put(f"slack/{name}/{day}.json", days[day], indent=2)


def write(world: World, scene: Scene, episodes: list[tuple[float, float, int]]) -> None:
    """Write the channel and the ticket of a finished run."""
    space = _Workspace(world, scene)
    space.joins()
    space.small_talk()
    for i, (start, end, count) in enumerate(episodes[:80]):
        space.episode(i, start, end, count)
    if scene.calm:
        space.worry()
    for at, what, workload in world.changes:
        if what == "rollout" and space.rng.random() < 0.7:
            space.say(at - 90, space.someone(), f"deploying {workload.name} {workload.tag}")
        elif what == "restart":
            space.alert(
                at + 50, "PodRestarted", f"{workload.namespace}/{workload.name} restarted (severity=info)", firing=True
            )
    space.write()
    _ticket(world, scene, episodes)


def _paragraph(text: str) -> Json:
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def _jira_time(at: float, offset: str) -> str:
    hours = int(offset[:3])
    return f"{datetime.fromtimestamp(at + hours * 3600, tz=UTC):%Y-%m-%dT%H:%M:%S}.000{offset}"


def _ticket(world: World, scene: Scene, episodes: list[tuple[float, float, int]]) -> None:
    rng = dice(world.key, "ticket")
    adf, offset = rng.random() < 0.5, rng.choice(("+0100", "+0000", "-0500"))
    key = f"{world.cast.project}-{rng.randrange(200, 4000)}"
    opened = (episodes[0][1] if episodes else world.start + 0.46 * (world.end - world.start)) + 3600
    seen = ", ".join(f"{datetime.fromtimestamp(start, tz=UTC):%a %H:%M}" for start, _, _ in episodes[:4])
    texts = [
        f"Customers report errors. Seen so far (UTC): {seen}. No pattern yet."
        if episodes
        else "A customer feels the app is broken. No alert fired.",
        f"Hypothesis 1: {scene.theories[0]}. Need to check.",
        f"Looked at {world.cast.services[0]} logs around the times, nothing that stands out.",
        f"Hypothesis 2: {scene.theories[1 % len(scene.theories)]}.",
        f"Restarted one {world.edge.name} pod by hand on suspicion, no change."
        if not scene.calm
        else "Nothing found, lowering priority.",
    ]

    def author() -> Json:
        name, handle = rng.choice(world.cast.people)
        return {"accountId": f"557058:{handle}", "displayName": name}

    def body(text: str) -> Any:  # noqa: ANN401 - text in v2, a document in v3
        return _paragraph(text) if adf else text

    comments = []
    for i, text in enumerate(texts[1:]):
        at = min(opened + (i + 1) * rng.uniform(3, 14) * 3600, world.end - 60)
        comment: Json = {
            "author": author(),
            "body": body(text),
            "created": _jira_time(at, offset),
            "id": str(10400 + i),
            "updated": _jira_time(at, offset),
        }
        if i == 1:
            comment["visibility"] = {"type": "role", "value": "Engineers"}
        comments.append(comment)
    fields = {
        "comment": {"comments": comments, "maxResults": len(comments), "startAt": 0, "total": len(comments)},
        "created": _jira_time(opened, offset), "customfield_10021": None, "description": body(texts[0]), "issuetype": {"name": "Incident"},
        "priority": {"name": "High"}, "reporter": author(), "status": {"name": "In Progress"}, "summary": f"Intermittent problem: {scene.kind_words}",
        "updated": _jira_time(min(opened + 9 * 3600, world.end), offset),
    }  # fmt: skip
    url = f"https://{world.cast.company}.atlassian.example/rest/api/{3 if adf else 2}/issue/{10000 + len(key)}"
    world.export.document(
        f"jira/{key}.json",
        {"expand": "renderedFields,names", "fields": fields, "id": "10021", "key": key, "self": url},
        indent=2,
    )
