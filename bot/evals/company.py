"""Builds the ordinary company every scenario happens in: an edge, services, a database, side services, jobs, and their noise.

Wordings of routine lines are those of common libraries (HikariCP, Kafka clients, gRPC, PostgreSQL, nginx, Node, Django …).
"""

from collections.abc import Callable
from functools import partial

from bot.evals.calls import Call, Route
from bot.evals.controllers import CronJob, JobRun
from bot.evals.logformats import entry
from bot.evals.randomness import Dice, dice
from bot.evals.routine import Lines, Routine
from bot.evals.timeline import DAY_S
from bot.evals.vocab import RESOURCES, STYLES
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

ROUTINE: Lines = (
    ("info", "cache refreshed entries={n} in {ms} ms"),
    ("info", "consumer group rebalanced, {n} partitions assigned"),
    ("info", "processed batch of {n} messages"),
    ("info", "config reloaded, version {hex}"),
    ("info", "GET /internal/health 200 {ms}ms"),
    ("info", "token refreshed for service account"),
    ("info", "request handled in {ms} ms id={id}"),
    ("info", "request handled in {ms} ms id={id}"),
    ("info", "published event {hex}"),
    ("warn", "slow request: took {ms} ms above threshold"),
    ("warn", "deprecated field 'legacyId' used by client {id}"),
    ("warn", "validation failed for request {id}: email is malformed"),
    ("debug", "lookup miss for key user:{id}"),
)
DATABASE: Lines = (
    ("LOG", "checkpoint starting: time"),
    (
        "LOG",
        "checkpoint complete: wrote {n} buffers (1.2%); 0 WAL file(s) added, 0 removed, 2 recycled; write={ms}.014 s, sync=0.012 s, total={ms}.101 s",
    ),
    ("LOG", "duration: {ms}.412 ms  statement: SELECT id, state FROM accounts WHERE id = {id}"),
    ("LOG", 'automatic vacuum of table "app.public.sessions": index scans: 1'),
    ("ERROR", 'duplicate key value violates unique constraint "ux_request_key_{hex}"'),
)
SIDE: Lines = (
    ("info", "job {id} done in {ms} ms"),
    ("info", "job {id} done in {ms} ms"),
    ("info", "queue depth {n}"),
    ("warn", "could not parse image {hex}: unsupported format, skipped"),
    ("warn", "retrying delivery {id} to subscriber, attempt 2: 410 Gone"),
)


def nightly_lines(world: World) -> Callable[[CronJob, JobRun, Pod], None]:
    """Make the narrator of a small batch job."""

    def narrate(cron: CronJob, run: JobRun, pod: Pod) -> None:
        end = run.ended_at or run.started_at
        where = (cron.namespace, pod.name, cron.container or cron.name, cron.name)
        world.export.log(
            where,
            run.started_at + 3,
            entry(cron.style, run.started_at + 3, "info", cron.name, "started", {"run": run.name}),
        )
        world.export.log(
            where,
            end - 1,
            entry(cron.style, end - 1, "info", cron.name, f"finished, wrote {world.rng.randrange(200, 900)} MB", {}),
        )

    return narrate


def build(world: World) -> None:
    """Fill a world with the company's everyday parts."""
    Routine(world)
    rng, names = dice(world.key, "company"), world.cast
    registry = f"registry.{names.company}.example"
    styles = rng.sample(STYLES, 6)
    age = 86400.0 * 9
    database = world.cluster.add(
        Workload(
            name=names.database, namespace=names.app, style="postgres", image="docker.io/library/postgres", tag="16.6", replicas=1, port=5432,
            kind="StatefulSet", container="postgres", cpu_request=1.0, cpu_per_request=0.006, memory_mb=2600, memory_request_mb=3072,
            memory_limit_mb=4096, latency_s=0.004,
        ), age * 4,
    )  # fmt: skip
    world.noise_lines[database.name] = DATABASE
    services = [
        world.cluster.add(
            Workload(
                name=name, namespace=names.app, style=styles[i % 6], image=f"{registry}/{name}", tag=_tag(rng), replicas=rng.choice((2, 3)),
                cpu_request=0.5, cpu_per_request=0.05 / world_rate(i), latency_s=rng.uniform(0.02, 0.16), memory_mb=rng.uniform(220, 420),
            ), age * rng.uniform(0.2, 1.5),
        )
        for i, name in enumerate(names.services)
    ]  # fmt: skip
    for i, service in enumerate(services):
        world.noise_lines[service.name] = ROUTINE
        service.calls.append(
            Call(host=database.name, op="SELECT", target=database, port=5432, timeout_s=5, kind="statement", share=0.9)
        )
        if i < 4:
            other = services[(4 + i % 2)]
            service.calls.append(
                Call(host=other.name, op=f"GET /v1/{rng.choice(RESOURCES)}", target=other, share=0.5, timeout_s=5)
            )
    world.order = [database, *services[4:], *services[:4]]
    for i, service in enumerate(services[:4]):
        for method, tail in (("GET", "/{id}"), ("POST", "")):
            rate = world_rate(i) * (0.75 if method == "GET" else 0.25)
            world.routes.append(Route(op=f"{method} /api/v1/{service.name}{tail}", service=service, rate=rate))
    for i, name in enumerate(names.side):
        side = Workload(
            name=name, namespace=names.app, style=styles[(i + 3) % 6], image=f"{registry}/{name}", tag=_tag(rng), replicas=1,
            cpu_request=0.2, memory_mb=240, memory_limit_mb=384, memory_request_mb=256,
        )  # fmt: skip
        world.cluster.add(side, age * rng.uniform(0.3, 2))
        world.noise_lines[name] = SIDE
    _edge(world, rng, registry, age)
    _jobs(world, rng, registry)
    _unrelated_changes(world, rng, services)
    world.cluster.say = lambda workload, pod, what: life(world, workload, pod, what)
    world.on_sample.append(lambda now: sample(world, now))


def world_rate(index: int) -> float:
    """Give a service's peak requests per second."""
    return (3.0, 2.2, 1.4, 0.9, 1.5, 1.2)[index % 6]


def _tag(rng: Dice) -> str:
    return rng.choice(
        (
            f"{rng.randrange(1, 5)}.{rng.randrange(30)}.{rng.randrange(10)}",
            f"2026.11.{rng.randrange(1, 15)}-{rng.hex(7)}",
            f"main-{rng.hex(8)}",
        )
    )


def _edge(world: World, rng: Dice, registry: str, age: float) -> None:
    names = world.cast
    style = rng.choice(("nginx", "nginx", "envoy", "zap"))
    image = {"nginx": ("docker.io/library/nginx", "1.27.3"), "envoy": ("docker.io/envoyproxy/envoy", "v1.32.2")}.get(
        style, (f"{registry}/{names.edge}", _tag(rng))
    )
    world.edge = world.cluster.add(
        Workload(
            name=names.edge, namespace=names.app, style=style, image=image[0], tag=image[1], replicas=2, port=8000, cpu_request=0.5,
            cpu_per_request=0.01, memory_mb=180, memory_limit_mb=512, memory_request_mb=256, latency_s=0.004,
        ), age,
    )  # fmt: skip


def _jobs(world: World, rng: Dice, registry: str) -> None:
    names = world.cast
    narrate = nightly_lines(world)
    world.crons.append(
        CronJob(
            name=names.backup, namespace=names.batch, schedule=f"{rng.randrange(5, 55)} {rng.choice((1, 2, 3))} * * *", style="logfmt",
            image=f"{registry}/backup:1.9", duration=lambda _at: rng.uniform(400, 900), cores=0.6, narrate=narrate,
        )
    )  # fmt: skip
    world.crons.append(
        CronJob(
            name=names.weekly, namespace=names.batch, schedule=f"{rng.randrange(60)} {rng.randrange(4, 20)} * * {rng.randrange(7)}", style="python",
            image=f"{registry}/tools:0.4", duration=lambda _at: rng.uniform(60, 400), cores=0.2, narrate=narrate,
        )
    )  # fmt: skip


def _unrelated_changes(world: World, rng: Dice, services: list[Workload]) -> None:
    """Roll out two services a week that have nothing to do with it, and restart a side service now and then."""

    def roll(service: Workload) -> None:
        world.changes.append((world.now, "rollout", service))
        world.cluster.rollout(service, _tag(rng))

    def restart(name: str, code: int) -> None:
        side = world.cluster.workloads[name]
        pod = world.pick(side)
        if pod is not None:
            world.changes.append((world.now, "restart", side))
            world.log(side, pod, world.now - 0.2, "error", "unhandled error, exiting", {}, "")
            world.cluster.crash(side, pod, "Error", code)

    at = world.start + rng.uniform(0.2, 0.7) * DAY_S
    pool = [*services[1:4], *services[5:]]
    while at < world.end:
        moment = at - at % DAY_S + rng.uniform(9, 17) * 3600
        world.at(moment, partial(roll, rng.choice(pool)))
        if rng.random() < 0.6:
            world.at(moment + rng.uniform(2, 30) * 3600, partial(restart, rng.choice(world.cast.side[1:]), 1))
        at += rng.uniform(1.1, 2.6) * DAY_S


def life(world: World, workload: Workload, pod: Pod, what: str) -> None:
    """Let a container's log tell that it starts or stops; what is killed says nothing."""
    at = world.now
    if workload.style in {"nginx", "envoy", "postgres", "raw"} or what == "oom":
        return
    if what == "boot":
        world.log(workload, pod, at, "info", f"starting {workload.name} version {workload.tag}")
        world.log(workload, pod, at + workload.boot_s * 0.7, "info", f"listening on :{workload.port}")
    else:
        world.log(workload, pod, at, "info", "received SIGTERM, shutting down")


def sample(world: World, now: float) -> None:
    """Take the samples Prometheus would hold, every five minutes."""
    put = world.export.sample
    for node in world.cluster.nodes:
        if node.cordoned and not node.conditions:
            continue
        put(
            "node_cpu_busy",
            {"instance": f"{node.ip}:9100", "node": node.name},
            now,
            min(1.0, node.demand / node.cores + 0.02),
        )
    for name in (world.edge.name, *world.cast.services[:4]):
        workload = world.cluster.workloads[name]
        labels = {"container": workload.app, "namespace": workload.namespace}
        put("container_cpu", labels, now, round(sum(pod.cpu for pod in workload.pods), 4))
        if now % 600 < 300:
            put(
                "container_memory",
                {"__name__": "container_memory_working_set_bytes", **labels},
                now,
                round(sum(p.memory_mb for p in workload.pods) * 1.048576) * 1e6,
            )
    for status in ("2xx", "4xx", "5xx"):
        count = sum(n for code, n in world.statuses.items() if f"{code // 100}xx" == status)
        put(
            "edge_requests", {"__name__": "http_requests_total", "code": status, "service": world.edge.name}, now, count
        )
    for name in (*world.cast.side, world.cast.services[1]):
        workload = world.cluster.workloads[name]
        labels = {
            "__name__": "kube_pod_container_status_restarts_total",
            "container": workload.app,
            "namespace": workload.namespace,
        }
        for pod in workload.pods:
            if pod.restarts:
                put("restarts", {**labels, "pod": pod.name}, now, pod.restarts)
