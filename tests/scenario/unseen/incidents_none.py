"""Exports in which nothing happened, or in which what happened cannot be known."""

from pathlib import Path

from incident_kit import Export, Unseen, day
from line_formats import gunicorn, ingress, kafka, pino, postgres, spring, zap


def quiet(folder: Path) -> Path:
    """A day in which nothing but deployments and jobs happened."""
    x = Export(day(21), 1440, seed=41, namespace="calm")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    api, pg = x.workload("api", 2), x.workload("pg", 1)[0]
    x.cronjob("backup", "0 2 * * *", [120.0], 15)
    fresh = x.rollout(600, "api", 2, image="1.1.0")
    for at in x.every(0.4):
        status = x.random.choice((200,) * 60 + (404, 304, 499))
        x.log(edge, at, ingress(x.random, x.at(at), "/", status, "calm-api-80", 0.05), namespace="ingress-nginx")
        x.log(x.random.choice(api if at < 600 else fresh), at, spring(x.at(at), "INFO", "c.e.Api", "request served"))
    for at in x.every(20):
        x.log(pg, at, postgres(x.at(at), "LOG", "checkpoint starting: time"))
    x.counter(
        "container_cpu_usage_seconds_total",
        {"namespace": "calm", "pod": api[0], "container": "app"},
        lambda m: 0.2 + 0.02 * (m % 7),
        step=5,
    )
    return x.write(folder)


def noisy(folder: Path) -> Path:
    """Five days of everyday errors that never rise: the sort that every team learns to ignore."""
    x = Export(day(22), 5 * 1440, seed=42, namespace="loud")
    edge = x.workload("ingress-nginx-controller", 1, namespace="ingress-nginx")[0]
    api, worker, broker = x.workload("api", 3), x.workload("worker", 2), x.workload("kafka", 1)[0]
    x.cronjob("sync", "0 */2 * * *", [120.0 * n for n in range(60)], 9)
    for d in range(5):
        x.rollout(d * 1440 + x.random.uniform(500, 900), "worker", 1, image=f"1.{d}.0")
    for at in x.every(1.2):
        status = x.random.choice((200,) * 150 + (404,) * 9 + (502, 499, 401))
        x.log(edge, at, ingress(x.random, x.at(at), "/v1", status, "loud-api-80", 0.05), namespace="ingress-nginx")
    for at in x.every(11):
        x.log(x.random.choice(api), at, zap(x.at(at), "error", "context canceled", path="/v1/feed"))
    for at in x.every(17):
        x.log(x.random.choice(worker), at, pino(x.at(at), 40, "job retried", attempt=2))
        x.log(
            broker,
            at,
            kafka(
                x.at(at),
                "WARN",
                "Attempting to send response via channel for which there is no open connection",
                "kafka.network.Processor",
            ),
        )
    for at in x.every(180):
        x.event(
            at,
            "Unhealthy",
            f"Pod/{x.random.choice(api)}",
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
            warning=True,
        )
    for at in x.every(1900):
        x.event(
            at,
            "OOMKilling",
            "Node/node-b",
            "Memory cgroup out of memory: Killed process 4242 (worker)",
            warning=True,
            host="node-b",
        )
    return x.write(folder)


def one_restart(folder: Path) -> Path:
    """One container restarts once and nobody notices."""
    x = Export(day(24, 12), 180, seed=43, namespace="desk")
    web = x.workload("web", 3)
    x.event(
        84,
        "Unhealthy",
        f"Pod/{web[1]}",
        "Liveness probe failed: HTTP probe failed with statuscode: 500",
        warning=True,
        count=3,
        until=85,
    )
    x.event(85, "Killing", f"Pod/{web[1]}", "Container app failed liveness probe, will be restarted")
    x.event(85.5, "Started", f"Pod/{web[1]}", "Started container app")
    for at in x.every(0.3):
        x.log(x.random.choice(web), at, gunicorn(x.random, x.at(at), "/", 200, 31000))
    x.log(web[1], 85.2, "[2026-03-24 13:25:12 +0000] [1] [INFO] Handling signal: term")
    x.log(web[1], 85.5, "[2026-03-24 13:25:30 +0000] [1] [INFO] Starting gunicorn 21.2.0")
    return x.write(folder)


def only_chat(folder: Path) -> Path:
    """Nothing but what people said, and they blame two things."""
    x = Export(day(25, 9), 120, seed=44)
    said = ("we see 502s on checkout again", "the gateway team deployed at 9:40", "I think it's the new payments release",
            "restarted redis, seems better?", "no, still failing", "customers report timeouts", "ok it stopped now")  # fmt: skip
    for n, text in enumerate(said):
        x.say(12 + n * 9, ("UANA", "UBEN", "UCLEO")[n % 3], text)
    return x.write(folder)


def only_events(folder: Path) -> Path:
    """Events of an ordinary afternoon, no line or series that shows anybody suffered."""
    x = Export(day(26, 13), 240, seed=45, namespace="mix")
    web = x.workload("web", 3)
    x.rollout(61, "web", 3, image="2.0.0")
    x.rollout(130, "jobs", 1, image="0.4.0")
    for pod in web:
        x.event(62.5, "Killing", f"Pod/{pod}", "Stopping container app")
    x.event(
        150,
        "SuccessfulRescale",
        "HorizontalPodAutoscaler/web",
        "New size: 4; reason: cpu resource utilization above target",
        component="horizontal-pod-autoscaler",
    )
    x.event(
        171,
        "Unhealthy",
        f"Pod/{web[0]}",
        "Readiness probe failed: dial tcp 10.42.0.4:8080: connect: connection refused",
        warning=True,
        count=2,
        until=172,
    )
    return x.write(folder)


_NONE = frozenset({"no_incident"})
_UNKNOWN = frozenset({"no_incident", "inconclusive"})
INCIDENTS = (
    Unseen(name="quiet", build=quiet, question=None, verdicts=_NONE),
    Unseen(name="noisy", build=noisy, question=None, verdicts=_UNKNOWN),
    Unseen(name="one-restart", build=one_restart, question=None, verdicts=_UNKNOWN),
    Unseen(name="only-chat", build=only_chat, question="Why the 502s on checkout?", verdicts=frozenset({"inconclusive"})),
    Unseen(name="only-events", build=only_events, question="Why were there errors this afternoon?", verdicts=_UNKNOWN),
)  # fmt: skip
