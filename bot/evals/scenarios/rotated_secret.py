"""A database password is rotated; every consumer is restarted to read it, but one: its old connections last for half an hour.

Pools renew their connections one by one (HikariCP ``maxLifetime``, 30 min), so failures rise slowly and long after the change.
"""

from functools import partial
from typing import Any

from bot.evals import logformats
from bot.evals.export import stamp
from bot.evals.randomness import dice
from bot.evals.scenarios.parts import ALL_5XX, RATE_OF_5XX, Scene, bystanders, felt, of
from bot.evals.timeline import TICK_S
from bot.evals.truth import Truth, entity
from bot.evals.world import World

LIFETIME_S = 1800.0


class Rotation:
    """The secret, its consumers, and the one that was forgotten."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, dice(world.key, "rotation")
        names, rng = world.cast, self.rng
        world.retry_share = 0.3
        workloads = world.cluster.workloads
        forgotten = rng.choice(names.services[:2])
        self.victim = workloads[forgotten]
        self.others = [workloads[name] for name in names.services[:4] if name != forgotten]
        self.database = workloads[names.database]
        self.user = rng.choice(("app_rw", "svc_api", names.app.replace("-", "_")))
        self.secret = f"{names.database}-{rng.choice(('credentials', 'auth', 'app-user'))}"
        self.call = next(call for call in self.victim.calls if call.target is self.database)
        self.at = world.start + (world.end - world.start) * rng.uniform(0.3, 0.75)
        self.fixed_at = min(self.at + rng.uniform(2, 6) * 3600, self.at + (world.end - world.start) * 0.3)
        if rng.random() < 0.5:
            # It is found out while it still goes on.
            self.at = world.end - (self.fixed_at - self.at)
            self.fixed_at = world.end + 1
        for service in (self.victim, *self.others):
            reference = {
                "name": "DATABASE_PASSWORD",
                "valueFrom": {"secretKeyRef": {"key": "password", "name": self.secret}},
            }
            service.container_spec = {"env": [reference]}
        for service in self.others:
            service.annotations["secret.reloader.stakater.com/reload"] = self.secret
        world.at(self.at, self.rotate)
        world.at(self.fixed_at, self.fix)
        world.on_tick.append(self.step)

    def rotate(self) -> None:
        """Set the new password in the database and in the Secret; who is annotated is restarted."""
        world, cluster = self.world, self.world.cluster
        world.mark("rotated")
        ref = cluster.ref("ExternalSecret", world.cast.app, self.secret)
        cluster.export.event(world.now, ref, "Updated", "Updated Secret", "external-secrets")
        pod = world.pick(self.database)
        if pod is not None:
            text = f"duration: 3.214 ms  statement: ALTER ROLE {self.user} PASSWORD '********'"
            world.raw(
                self.database, pod, world.now, logformats.postgres(world.now, 4711, "LOG", text, "rotator@postgres")
            )
        for i in range(len(self.others)):
            world.at(world.now + 25 + 4 * i, partial(self._restart, i))

    def _restart(self, index: int) -> None:
        service = self.others[index]
        service.annotations["reloader.stakater.com/last-reloaded-from"] = self.secret
        self.world.cluster.rollout(service, service.tag)

    def fix(self) -> None:
        """Restart the forgotten one, as somebody does in the end."""
        self.world.mark("fixed")
        self.world.cluster.rollout(self.victim, self.victim.tag)

    def step(self, now: float) -> None:
        """Let old connections end and new ones be refused."""
        call, world = self.call, self.world
        if not self.at <= now < self.fixed_at + 60:
            call.p = 0.0
            call.op = "SELECT"
            return
        call.p, call.kind, call.op = min(0.95, (now - self.at) / LIFETIME_S), "auth", f"LOGIN {self.user}"
        pod = world.pick(self.database)
        for _ in range(min(6, self.rng.poisson(self.victim.rate * world.scale * TICK_S * call.p * 0.5))):
            at, pid = now + self.rng.random() * TICK_S, self.rng.randrange(900, 30000)
            world.mark("refused", at)
            lines = (
                ("FATAL", f'password authentication failed for user "{self.user}"'),
                (
                    "DETAIL",
                    'Connection matched file "/var/lib/postgresql/data/pgdata/pg_hba.conf" line 128: "host all all all scram-sha-256"',
                ),
            )
            if pod is not None:
                who = f"{self.user}@app"
                text = "\n".join(logformats.postgres(at, pid, level, line, who) for level, line in lines)
                world.raw(self.database, pod, at, text)

    def documents(self) -> list[tuple[str | None, str, list[dict[str, Any]]]]:
        """Print the Secret, its values left out, and the ExternalSecret that fills it."""
        app, uid = self.world.cast.app, self.world.cluster.uid
        born = stamp(self.world.start - 86400 * 140)
        fields: dict[str, Any] = {"f:data": {"f:password": {}}}
        managed = {
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
            "manager": "external-secrets",
            "operation": "Update",
            "time": stamp(self.at),
        }
        secret = {
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": self.secret, "namespace": app, "uid": uid("Secret", self.secret), "creationTimestamp": born, "managedFields": [managed]},
        }  # fmt: skip
        synced = {
            "lastTransitionTime": stamp(self.at),
            "message": "Secret was synced",
            "reason": "SecretSynced",
            "status": "True",
            "type": "Ready",
        }
        external = {
            "apiVersion": "external-secrets.io/v1beta1", "kind": "ExternalSecret",
            "metadata": {"name": self.secret, "namespace": app, "uid": uid("ExternalSecret", self.secret), "creationTimestamp": born},
            "spec": {"refreshInterval": "1h0m0s", "target": {"name": self.secret}}, "status": {"conditions": [synced], "refreshTime": stamp(self.at)},
        }  # fmt: skip
        return [(app, "secrets", [secret]), (app, "externalsecrets", [external])]


def stage(world: World) -> Scene:
    """Build the rotation; who is forgotten and whether somebody notices depend on the seed."""
    names, rotation = world.cast, Rotation(world)
    return Scene(
        conclude=lambda: _truth(world, rotation), symptom=ALL_5XX, floor=3, kind_words=f"500s on {rotation.victim.name}", metric=RATE_OF_5XX,
        documents=rotation.documents(),
        theories=(
            f"somebody restarted half of {names.app}, one of those deploys broke it", f"{names.database} runs out of connections?",
            f"{rotation.victim.name} has a bug, roll it back", "network policy change?", f"{world.edge.name} again",
        ),
    )  # fmt: skip


def _truth(world: World, rotation: Rotation) -> Truth:
    app = world.cast.app
    secret, external = entity("Secret", rotation.secret, app), entity("ExternalSecret", rotation.secret, app)
    victim, base = of(rotation.victim), of(rotation.database)
    truth = Truth(
        symptom={"entity": of(world.edge), "words": ["500"]},
        root_cause={"entity": secret, "mechanism": "a password was rotated and one consumer not restarted"},
        accept=[secret, external], facts=[rotation.user],
    )  # fmt: skip
    truth.accept_saying(victim, "secret", "credential", "password", "authenticat")
    truth.step("the secret is rotated", secret, world.marks.get("rotated", []))
    truth.step("the database refuses the old password", base, world.marks.get("refused", []))
    truth.step(
        "the consumer that was not restarted cannot connect", victim, world.marks.get("refused", []), measured=False
    )
    felt(world, truth, 3)
    truth.needs = [f"logs:{rotation.victim.name}|logs:{rotation.database.name}"]
    truth.ask(f"is the secret {rotation.secret} related?", "related")
    truth.ask("what would fix it?", "answered")
    bystanders(world, truth, but=rotation.victim)
    return truth
