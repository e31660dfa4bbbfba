"""A CronJob's ETL crowds its neighbours, the autoscaler answers, and when it scales down again slow requests are cut.

Nothing sets an error rate: drops follow from the grace period and the requests' lengths, 502s from the size of the buffer.
"""

from bot.evals.calls import Route
from bot.evals.controllers import CronJob, Hpa, JobRun, next_run_stamp
from bot.evals.logformats import entry
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.slowpath import SlowPath
from bot.evals.timeline import DAY_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

SYMPTOM = frozenset({502})


def stage(world: World, *, grace_s: float = 15.0) -> Scene:
    """Build the story; ``grace_s`` is the slow service's termination grace period."""
    rng, names = dice(world.key, "story"), world.cast
    # Customers on several continents: nights and weekends are quieter, not quiet.
    world.trough, world.weekend = 0.78, 0.93
    if world.edge.style == "envoy":
        world.edge.style, world.edge.image, world.edge.tag = (
            "zap",
            f"registry.{names.company}.example/{names.edge}",
            "3.4.1",
        )
    slow = _slow_service(world, grace_s)
    route = Route(
        op="POST /api/v1/" + names.slow + "/{id}/" + rng.choice(("render", "run", "export", "build")),
        service=slow,
        rate=2.0,
    )
    world.routes.append(route)
    world.order.insert(1, slow)
    hpa = Hpa(
        workload=slow, target=rng.choice((0.6, 0.65, 0.7)), low=4, high=rng.choice((10, 12)), down_window_s=rng.choice((120.0, 180.0, 240.0, 300.0)),
    )  # fmt: skip
    world.hpas.append(hpa)
    path = SlowPath(
        world=world,
        service=slow,
        route=route,
        rate=0.8,
        workers=18,
        buffer=max(2, round(5 * world.scale)),
        shortest_s=30,
        longest_s=45,
    )
    etl = _etl(world)
    world.crons.append(etl)
    hpa.on_scale = lambda now, before, after: world.mark("up" if after > before else "down", now)
    oom = _day_three(world)
    world.on_sample.append(lambda now: _sample(world, now, hpa, path, etl))

    def conclude() -> Truth:
        return _truth(world, slow, etl, oom, grace_s)

    return Scene(
        conclude=conclude, symptom=SYMPTOM, floor=3, hpas=[hpa], kind_words="502s at the gateway",
        theories=(
            f"I think {names.services[0]}'s deploy yesterday did it",
            f"gateway bug? we upgraded {world.edge.name} two weeks ago and 502 is what it says",
            "feels like the network again, we had packet loss in that zone in spring",
            f"{names.database} was slow at the time, maybe connections pile up there?",
            "it's always when someone looks away. could be a bad node",
        ),
        metric='http_requests_total{code=~"5.."}',
    )  # fmt: skip


def _slow_service(world: World, grace_s: float) -> Workload:
    rng, names = dice(world.key, "slow-service"), world.cast
    slow = Workload(
        name=names.slow, namespace=names.app, style=rng.choice(("logback", "python", "pino", "zap")), replicas=4, tag=f"4.{rng.randrange(20)}.{rng.randrange(9)}",
        image=f"registry.{names.company}.example/{names.slow}", cpu_request=0.5, cpu_per_request=0.38, cpu_boot=0.12, boot_s=14.0, memory_mb=520,
        memory_request_mb=768, memory_limit_mb=1024, latency_s=0.4, grace_s=grace_s,
    )  # fmt: skip
    world.cluster.add(slow, DAY_S * 6)
    world.noise_lines[slow.name] = (
        ("info", "request handled in {ms} ms id={id}"), ("info", "template {hex} compiled in {ms} ms"), ("info", "cache hit ratio {n}/1000"),
        ("warn", "document {id} has more than 5000 rows, this will take a while"),
    )  # fmt: skip
    return slow


def _etl(world: World) -> CronJob:
    rng, names = dice(world.key, "etl"), world.cast
    hours, minute = (
        (6, 0) if world.key.endswith(":1") else (rng.choice((4, 6, 6, 8)), rng.choice((0, 0, 7, 15, 20, 40)))
    )
    return CronJob(
        name=names.etl, namespace=names.batch, schedule=f"{minute} */{hours} * * *", style=rng.choice(("python", "logback", "zap")),
        image=f"registry.{names.company}.example/etl:2.8.0", duration=lambda _at: rng.uniform(26, 44) * 60, cores=rng.uniform(7.6, 8.4),
        parallelism=3, memory_mb=6000, narrate=lambda cron, run, pod: _narrate(world, cron, run, pod),
        on_start=lambda run: world.mark("etl", run.started_at), on_end=lambda _run: world.mark("etl-end"),
    )  # fmt: skip


def _narrate(world: World, cron: CronJob, run: JobRun, pod: Pod) -> None:
    rng, end = world.rng, run.ended_at or run.started_at
    where = (cron.namespace, pod.name, cron.name, cron.name)

    def say(at: float, level: str, text: str) -> None:
        world.export.log(where, at, entry(cron.style, at, level, cron.name, text))

    say(run.started_at + 3.2, "info", f"starting run {run.name}, 8 workers")
    steps = rng.randrange(3, 6)
    for i in range(steps):
        at = run.started_at + (end - run.started_at) * (i + 0.6) / (steps + 1)
        say(at, "info", f"partition {i + 1}/{steps}: extracted {rng.randrange(200, 2400)}k rows, transforming")
    if rng.random() < 0.3:
        say(
            run.started_at + (end - run.started_at) * 0.8, "warn", f"skipped {rng.randrange(3, 90)} rows with null keys"
        )
    say(
        end - 2.4,
        "info",
        f"run complete in {end - run.started_at:.0f}s, loaded {rng.randrange(2, 9)}.{rng.randrange(10)}M rows",
    )


def _day_three(world: World) -> list[tuple[float, Workload]]:
    """Let a side service run out of memory once on day 3 (or in the middle of a shorter window)."""
    rng = dice(world.key, "day-three")
    side = world.cluster.workloads[world.cast.side[0]]
    day = 2 if world.days >= 3 else 0
    at = world.start + day * DAY_S + rng.uniform(9.6, 11.4) * 3600
    found: list[tuple[float, Workload]] = []

    def hit() -> None:
        pod = world.pick(side)
        if pod is not None:
            world.log(side, pod, world.now - 4, "info", "processing image 11840x9020, 3 layers")
            pod.memory_mb = side.memory_limit_mb
            found.append((world.now, side))
            world.kill_oom(side, pod)

    world.at(at, hit)
    return found


def _sample(world: World, now: float, hpa: Hpa, path: SlowPath, etl: CronJob) -> None:
    put, slow = world.export.sample, path.service
    labels = {"horizontalpodautoscaler": slow.name, "namespace": slow.namespace}
    put(
        "hpa_replicas",
        {"__name__": "kube_horizontalpodautoscaler_status_current_replicas", **labels},
        now,
        slow.replicas,
    )
    cpu = {"container": slow.app, "namespace": slow.namespace}
    put("container_cpu", cpu, now, round(sum(pod.cpu for pod in slow.pods), 4))
    put("hpa_utilisation", {**cpu, "resource": "cpu"}, now, round(hpa.smooth * 100))
    put("edge_buffer", {"__name__": "edge_replay_buffer_in_use", "service": world.edge.name}, now, path.in_buffer)
    put(
        "cronjob_active",
        {"__name__": "kube_cronjob_status_active", "cronjob": etl.name, "namespace": etl.namespace},
        now,
        etl.active,
    )
    for node in world.cluster.nodes if now % 600 < 300 else ():
        received = 4e6 * world.factor + world.cluster.extra_demand.get(node.name, 0.0) * 9e6
        put(
            "node_network_receive",
            {"device": "eth0", "instance": f"{node.ip}:9100"},
            now,
            round(received * world.noise.uniform(0.95, 1.05), -3),
        )


def _truth(world: World, slow: Workload, etl: CronJob, oom: list[tuple[float, Workload]], grace_s: float) -> Truth:
    marks, names = world.marks, world.cast
    cron = entity("CronJob", etl.name, etl.namespace)
    deployment = entity("Deployment", slow.name, slow.namespace)
    scaler = entity("HorizontalPodAutoscaler", slow.name, slow.namespace)
    gate = entity("Deployment", world.edge.name, names.app)
    truth = Truth(
        symptom={"entity": gate, "words": ["502"]},
        root_cause={
            "entity": cron,
            "mechanism": "scheduled job contends for CPU, autoscaler scales up and down, shutdown cuts slow requests",
        },
        accept=[cron],
        next_occurrence=next_run_stamp(etl.schedule, world.end - 1),
        facts=[f"schedule {etl.schedule}", f"terminationGracePeriodSeconds {grace_s:g}", "slow requests take 30-45 s"],
    )
    truth.step("the scheduled job starts and takes the nodes' CPU", cron, marks.get("etl", []))
    truth.step("CPU contention slows neighbours on the same nodes", deployment, marks.get("etl", []), measured=False)
    truth.step("the autoscaler scales up", scaler, marks.get("up", []))
    truth.step("the job ends", cron, marks.get("etl-end", []))
    truth.step("the autoscaler scales down", scaler, marks.get("down", []))
    truth.step("pods are terminated with a short grace period", deployment, marks.get("sigterm", []))
    truth.step("requests in flight are cut", deployment, marks.get("cut", []))
    truth.step("the gateway retries and its buffer fills", gate, marks.get("retried", []))
    truth.step("the gateway answers 502", gate, marks.get("rejected", []))
    for at, side in oom:
        truth.rule_out(entity("Deployment", side.name, side.namespace), at, "OOM kill and restart")
        day = int((at - world.start) // DAY_S) + 1
        truth.ask(f"was the day-{day} restart related?", "unrelated")
        truth.ask(f"did the OOM kill of {side.name} cause the 502s?", "unrelated")
    for at, what, service in world.changes:
        truth.rule_out(entity("Deployment", service.name, service.namespace), at, what)
    truth.ask(f"is {etl.name} related?", "related")
    truth.ask("when will it happen next?", "answered")
    truth.ask(f"was the {names.backup} job related?", "unrelated")
    return truth
