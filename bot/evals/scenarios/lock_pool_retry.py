"""A scheduled statement takes an exclusive lock on a busy table: queries wait, pools run out, requests time out and come again.

Waiting queries hold their connections; a pool that has none left fails every request after its own timeout.
"""

from collections import deque
from dataclasses import dataclass, field

from bot.evals import logformats
from bot.evals.calls import Call
from bot.evals.controllers import CronJob, JobRun, next_run_stamp
from bot.evals.logformats import entry
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import Scene
from bot.evals.timeline import TICK_S
from bot.evals.truth import Truth, entity
from bot.evals.workloads import Pod, Workload
from bot.evals.world import World

SYMPTOM = frozenset({500, 503, 504})
JOBS = ("mv-refresh", "table-maintenance", "schema-upkeep", "reindex-hot", "partition-rotate", "stats-rebuild")
STATEMENTS = (
    "REFRESH MATERIALIZED VIEW {table}_totals", "CLUSTER {table} USING ix_{table}_created", "VACUUM (FULL, ANALYZE) {table}",
    "REINDEX TABLE {table}", "ALTER TABLE {table} ATTACH PARTITION {table}_next FOR VALUES FROM ('2026-12-01') TO ('2027-01-01')",
)  # fmt: skip


@dataclass(slots=True, kw_only=True, eq=False)
class Pool:
    """The connection pools of one service, seen as one."""

    service: Workload
    call: Call
    size: int
    share: float
    statement_timeout_s: float
    waiting: "deque[tuple[float, float]]" = field(default_factory=deque)

    def in_use(self) -> float:
        """Count connections held: working ones and those that wait for the lock."""
        return min(self.size, self.service.rate * 0.03 + sum(count for _, count in self.waiting))

    def step(self, now: float, locked: bool, scale: float) -> float:
        """Advance one tick; answers how many waiting statements were cancelled."""
        self.call.p = 0.0
        if not locked:
            self.waiting.clear()
            return 0.0
        free = self.size - self.in_use()
        comes = self.service.rate * scale * TICK_S * self.share
        enters = max(0.0, min(free, comes))
        if enters > 0.01:
            self.waiting.append((now, enters))
        cancelled = 0.0
        while self.waiting and self.waiting[0][0] <= now - self.statement_timeout_s:
            cancelled += self.waiting.popleft()[1]
        total = max(1e-9, self.service.rate * scale * TICK_S)
        refused = total - enters if free <= comes else 0.0
        self.call.p = min(1.0, (refused + cancelled) / total)
        self.call.kind = "pool" if refused >= cancelled else "statement"
        return cancelled


class Lock:
    """The exclusive lock and everybody behind it."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "lock")
        names = world.cast
        self.database = world.cluster.workloads[names.database]
        self.statement = self.rng.choice(STATEMENTS).format(table=names.table)
        self.held_since: float | None = None
        self.holder = 0
        self.relation = f"16{self.rng.randrange(400, 499)}"
        timeout = self.rng.choice((20.0, 30.0, 30.0))
        for route in world.routes:
            if route.service.name in names.services[:2]:
                route.rate *= 0.25
        self.pools = []
        for name in names.services[:2]:
            service = world.cluster.workloads[name]
            call = next(c for c in service.calls if c.target is self.database)
            call.timeout_s, call.share = timeout, 1.0
            size = round(self.rng.choice((8, 10)) * service.replicas * world.scale)
            self.pools.append(Pool(service=service, call=call, size=size, share=0.5, statement_timeout_s=60.0))
        for service in world.order:
            for call in service.calls:
                if call.target is self.database and service.name not in names.services[:2]:
                    call.share = 0.2
        world.on_tick.append(self.step)

    def take(self) -> None:
        """Let the job's session get the lock."""
        self.held_since, self.holder = self.world.now, self.rng.randrange(900, 30000)
        self.world.mark("lock")

    def release(self) -> None:
        """Let it go: the waiters get theirs at once."""
        world = self.world
        pod = world.pick(self.database)
        if pod is not None and self.held_since is not None:
            waited = (world.now - self.held_since) * 1000
            took = f"duration: {waited:.3f} ms  statement: {self.statement}"
            world.raw(
                self.database, pod, world.now, logformats.postgres(world.now, self.holder, "LOG", took, "maint@app")
            )
            for _ in range(self.rng.randrange(4, 12)):
                pid, at = self.rng.randrange(900, 30000), world.now + 0.01
                text = f"process {pid} acquired AccessShareLock on relation {self.relation} of database 16385 after {min(60000.0, waited) * self.rng.uniform(0.1, 0.9):.3f} ms"
                world.raw(self.database, pod, at, logformats.postgres(at, pid, "LOG", text))
        self.held_since = None

    def step(self, now: float) -> None:
        """Advance the pools and let the database say who waits."""
        locked = self.held_since is not None
        world = self.world
        pod = world.pick(self.database)
        for pool in self.pools:
            pool.step(now, locked, world.scale)
            if not locked or pod is None:
                continue
            if pool.call.p > 0 and pool.call.kind == "pool":
                world.mark("exhausted")
            for _ in range(self.rng.poisson(min(6.0, pool.service.rate * 2))):
                self._wait_line(pod, now + self.rng.random() * TICK_S)
            where = world.pick(pool.service)
            if where is not None and pool.call.p > 0:
                for attempt in range(1, self.rng.randrange(2, 4)):
                    at = now + self.rng.random() * TICK_S
                    world.log(pool.service, where, at, "warn", f"retrying after database error, attempt {attempt} of 3")
                    world.mark("retry", at)

    def _wait_line(self, pod: Pod, at: float) -> None:
        rng, table = self.rng, self.world.cast.table
        pid, rel = rng.randrange(900, 30000), self.relation
        mode = rng.choice(("AccessShareLock", "RowExclusiveLock"))
        lines = (
            (
                "LOG",
                f"process {pid} still waiting for {mode} on relation {rel} of database 16385 after 1000.{rng.randrange(100, 999)} ms",
            ),
            ("DETAIL", f"Process holding the lock: {self.holder}. Wait queue: {pid}."),
            (
                "STATEMENT",
                f"SELECT id, state, total FROM {table} WHERE id = $1"  # noqa: S608 - log text, never executed
                if mode == "AccessShareLock"
                else f"UPDATE {table} SET state = $1 WHERE id = $2",  # noqa: S608 - log text, never executed
            ),
        )
        self.world.mark("wait", at)
        self.world.raw(
            self.database, pod, at, "\n".join(logformats.postgres(at, pid, level, text) for level, text in lines)
        )


def stage(world: World) -> Scene:
    """Build the lock; schedule, statement and job name depend on the seed."""
    rng, names = dice(world.key, "maintenance"), world.cast
    lock = Lock(world)
    name = rng.choice(JOBS)
    schedule = f"{rng.choice((5, 10, 25, 35, 50))} {rng.choice(('*/6', '*/8', '*/12', '7,11,19'))} * * *"

    def narrate(cron: CronJob, run: JobRun, pod: Pod) -> None:
        where, end = (cron.namespace, pod.name, cron.name, cron.name), run.ended_at or run.started_at
        for at, text in (
            (run.started_at + 3, "connected to " + names.database),
            (run.started_at + 4, f"executing: {lock.statement}"),
            (end - 1, f"done in {end - run.started_at:.0f}s"),
        ):
            world.export.log(where, at, entry(cron.style, at, "info", cron.name, text))

    def begin(_run: JobRun) -> None:
        world.mark("job")
        world.at(world.now + 5, lock.take)

    cron = CronJob(
        name=name, namespace=names.batch, schedule=schedule, image=f"registry.{names.company}.example/dbtools:16", style=rng.choice(("python", "logfmt")),
        duration=lambda _at: rng.uniform(170, 380), cores=0.3, narrate=narrate, on_start=begin, on_end=lambda _run: lock.release(),
    )  # fmt: skip
    world.crons.append(cron)
    world.on_sample.append(lambda now: _sample(world, now, lock))
    return Scene(
        conclude=lambda: _truth(world, lock, cron), symptom=SYMPTOM, floor=6, kind_words="API errors and timeouts in bursts",
        metric='http_requests_total{code=~"5.."}',
        theories=(
            "traffic spike? looks like a bot to me", f"{names.services[0]} needs more replicas, the pool is too small",
            "network to the database zone is flaky", f"yesterday's {names.services[1]} deploy, I'd roll it back", "cloud provider had maintenance announced, no?",
        ),
    )  # fmt: skip


def _sample(world: World, now: float, lock: Lock) -> None:
    for pool in lock.pools:
        labels = {
            "__name__": "db_pool_connections_in_use",
            "namespace": pool.service.namespace,
            "service": pool.service.name,
        }
        world.export.sample("db_pool", labels, now, round(pool.in_use()))
    waiting = sum(count for pool in lock.pools for _, count in pool.waiting)
    world.export.sample(
        "pg_waiting",
        {"__name__": "pg_stat_activity_count", "datname": "app", "wait_event_type": "Lock"},
        now,
        round(waiting),
    )


def _truth(world: World, lock: Lock, cron: CronJob) -> Truth:
    names, marks = world.cast, world.marks
    job, base = entity("CronJob", cron.name, cron.namespace), entity("StatefulSet", lock.database.name, names.app)
    service, gate = entity("Deployment", names.services[0], names.app), entity("Deployment", world.edge.name, names.app)
    truth = Truth(
        symptom={"entity": gate, "words": ["503", "504", "500"]},
        root_cause={"entity": job, "mechanism": "a scheduled statement holds an exclusive lock; queries wait, pools run out, requests time out and are retried"},
        accept=[job], next_occurrence=next_run_stamp(cron.schedule, world.end - 1), facts=[f"schedule {cron.schedule}", lock.statement],
    )  # fmt: skip
    truth.step("the job starts", job, marks.get("job", []))
    truth.step("it takes an exclusive lock", base, marks.get("lock", []))
    truth.step("queries wait for the lock", base, marks.get("wait", []))
    truth.step("connection pools run out", service, marks.get("exhausted", []))
    truth.step("services retry", service, marks.get("retry", []))
    truth.step("users get 5xx", gate, [start for start, _, _ in world.episodes(SYMPTOM, 6)])
    truth.ask(f"is {cron.name} related?", "related")
    truth.ask(f"was the {names.backup} job related?", "unrelated")
    truth.ask("when will it happen next?", "answered")
    for at, what, other in world.changes:
        truth.rule_out(entity("Deployment", other.name, other.namespace), at, what)
    return truth
