"""The scenarios that can be simulated, by the name a user types."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.evals.scenarios import (
    bad_config,
    budget_drain,
    cpu_throttling,
    debug_logging_disk,
    dns_throttling,
    expired_certificate,
    gc_liveness,
    image_pull,
    lock_pool_retry,
    memory_leak,
    no_incident,
    node_loss,
    noisy_neighbour,
    quota_block,
    rotated_secret,
    story,
    third_party_outage,
    two_incidents,
)
from bot.evals.scenarios.parts import Scene
from bot.evals.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioInfo:
    """A scenario as a user chooses it."""

    name: str
    summary: str
    stage: Callable[[World], Scene]


SCENARIOS: dict[str, ScenarioInfo] = {
    info.name: info
    for info in (
        ScenarioInfo(
            name="story",
            summary="a scheduled job, an autoscaler and a short grace period make 502s at the gateway",
            stage=story.stage,
        ),
        ScenarioInfo(
            name="memory-leak",
            summary="a rollout brings a memory leak: OOM kills, restarts, errors at callers",
            stage=memory_leak.stage,
        ),
        ScenarioInfo(
            name="lock-pool-retry",
            summary="a scheduled lock in PostgreSQL, empty pools, timeouts and a retry storm",
            stage=lock_pool_retry.stage,
        ),
        ScenarioInfo(
            name="expired-certificate",
            summary="a certificate is not renewed and expires: TLS handshakes fail",
            stage=expired_certificate.stage,
        ),
        ScenarioInfo(
            name="third-party-outage",
            summary="a provider outside the cluster fails in episodes",
            stage=third_party_outage.stage,
        ),
        ScenarioInfo(
            name="no-incident", summary="nothing but everyday noise, and somebody who worries", stage=no_incident.stage
        ),
        ScenarioInfo(
            name="bad-config", summary="a setting in a ConfigMap is changed to a wrong value", stage=bad_config.stage
        ),
        ScenarioInfo(
            name="dns-throttling", summary="the resolver drops DNS queries at traffic peaks", stage=dns_throttling.stage
        ),
        ScenarioInfo(
            name="node-loss", summary="a node is lost and the others have no room for its pods", stage=node_loss.stage
        ),
        ScenarioInfo(
            name="image-pull",
            summary="the registry fails while a rollout has taken the old pods away",
            stage=image_pull.stage,
        ),
        ScenarioInfo(
            name="noisy-neighbour",
            summary="a batch worker without limits takes the CPU of its node",
            stage=noisy_neighbour.stage,
        ),
        ScenarioInfo(
            name="debug-logging-disk",
            summary="debug logging fills the nodes' disks and pods are evicted",
            stage=debug_logging_disk.stage,
        ),
        ScenarioInfo(
            name="gc-liveness",
            summary="full garbage collections make liveness probes fail, and pods are killed",
            stage=gc_liveness.stage,
        ),
        ScenarioInfo(
            name="rotated-secret",
            summary="a password is rotated and one consumer is not restarted",
            stage=rotated_secret.stage,
        ),
        ScenarioInfo(
            name="cpu-throttling",
            summary="a CPU limit throttles a service at the daily peak",
            stage=cpu_throttling.stage,
        ),
        ScenarioInfo(
            name="quota-block", summary="a quota refuses the pods an autoscaler asks for", stage=quota_block.stage
        ),
        ScenarioInfo(
            name="budget-drain",
            summary="a disruption budget blocks drains until pods are deleted all at once",
            stage=budget_drain.stage,
        ),
        ScenarioInfo(
            name="two-incidents",
            summary="two independent incidents, and a question about one of them",
            stage=two_incidents.stage,
        ),
    )
}
