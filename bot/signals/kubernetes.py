"""What Kubernetes and its usual controllers mean by their event reasons, as tables a person can read and extend.

Only data and look-ups stand here; how events become signals is told in ``event_signals``. Reasons are those of
the kubelet, the scheduler, the controller manager, the node problem detector, cluster-autoscaler, Karpenter, KEDA,
the VPA, ingress-nginx, cert-manager, Flux, Argo CD and Argo Rollouts. ``NOISE`` lists reasons that are a step of
normal life, never a cause; a Warning that no table knows is still told (as an alert), an unknown Normal is not.
"""

import re
from dataclasses import dataclass
from typing import Final

from bot.domain.signal import Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason stands for: a kind, and a short phrase without times."""

    kind: Kind
    phrase: str


NODE_PROBLEM: Final = "node problem"
"""The phrase for what the node problem detector reports, again and again while it lasts."""

ROUTE_SYNCED = "made or changed"
"""How ingress-nginx tells of an Ingress that was made or changed, and of all of them where it starts itself."""
_BY_MESSAGE: Final[tuple[tuple[str, str, Kind, str], ...]] = (
    # reason, pattern searched in the message, kind, phrase; the first that fits wins
    ("Killing", r"failed (?:liveness|startup) probe", Kind.CONTAINER_RESTART, "restarted for a failed probe"),
    ("Killing", r"definition changed|will be restarted", Kind.CONTAINER_RESTART, "restarted by the kubelet"),
    ("Sync", r"^Scheduled for sync$", Kind.CONFIG_CHANGE, ROUTE_SYNCED),
    ("BackOff", r"pulling image", Kind.IMAGE_PULL_FAILURE, "image could not be pulled"),
    ("BackOff", r"restarting failed|CrashLoop", Kind.CRASH_LOOP, "crash loop"),
    ("BackOff", r"", Kind.CRASH_LOOP, "backed off after failing"),
    (
        "Failed",
        r"pull|ErrImage|ImagePullBackOff|InvalidImageName",
        Kind.IMAGE_PULL_FAILURE,
        "image could not be pulled",
    ),
    (
        "Failed",
        r"(?:secret|configmap) .*not found|couldn't find key|CreateContainerConfigError|runAsNonRoot|non-numeric user",
        Kind.BAD_CONFIG,
        "container could not be configured",
    ),
    (
        "Failed",
        r"executable file not found|no such file or directory|permission denied|OCI runtime",
        Kind.BAD_CONFIG,
        "container could not be started",
    ),
    ("FailedCreate", r"exceeded quota|failed quota", Kind.QUOTA_EXCEEDED, "quota exceeded"),
    ("FailedCreate", r"is forbidden|denied the request", Kind.BAD_CONFIG, "pod was refused by admission"),
    ("FailedCreate", r"", Kind.ROLLOUT_STUCK, "pods could not be created"),
    ("FailedDraining", r"(?i)\bPDB\b|disruption budget", Kind.DRAIN_BLOCKED, "drain refused by a disruption budget"),
    ("ScaleDownFailed", r"(?i)\bPDB\b|disruption budget", Kind.DRAIN_BLOCKED, "drain refused by a disruption budget"),
    ("EvictionBlocked", r"", Kind.DRAIN_BLOCKED, "drain refused by a disruption budget"),
    ("Disrupted", r"(?i)bypass\w* the PDB", Kind.POD_KILL, "pod deleted as its node had to go"),
    ("ReplicaSetCreateError", r"quota", Kind.QUOTA_EXCEEDED, "quota exceeded"),
    ("EvictionThresholdMet", r"memory", Kind.MEMORY_PRESSURE, "node reclaims memory"),
    ("EvictionThresholdMet", r"", Kind.DISK_PRESSURE, "node reclaims disk space"),
    ("TaintManagerEviction", r"(?i)cancel", Kind.ALERT, "eviction cancelled"),
    ("ScaleDown", r"(?i)deleting pod|\bpod\b.* for node", Kind.EVICTION, "moved off a node that is taken away"),
    ("ScaleDown", r"(?i)\bnode\b", Kind.NODE_FAILURE, "node taken out of service"),
    ("ScaleDown", r"", Kind.EVICTION, "moved off a node that is taken away"),
    ("NodeNotReady", r"", Kind.NODE_FAILURE, "node not ready"),
    ("Failed", r"certificate|issuer|ACME|CertificateRequest", Kind.TLS_FAILURE, "certificate could not be issued"),
    ("Issuing", r"(?i)successfully issued", Kind.SECRET_CHANGE, "certificate issued"),
    ("Issuing", r"(?i)fail|error", Kind.TLS_FAILURE, "certificate could not be issued"),
    ("Progressing", r"(?i)configured|created|deleted", Kind.CONFIG_CHANGE, "configuration applied"),
    ("ResourceDeleted", r"", Kind.CONFIG_CHANGE, "object deleted"),
    ("OperationCompleted", r"(?i)sync operation.*succeeded", Kind.CONFIG_CHANGE, "configuration synced"),
    ("OperationCompleted", r"(?i)failed|error", Kind.ROLLOUT_STUCK, "sync failed"),
    ("Failed", r"", Kind.CONTAINER_RESTART, "container failed"),
)
"""Reasons whose meaning depends on the words that come with them."""

_BY_REASON: Final[tuple[tuple[Kind, str, str], ...]] = (
    # kind, phrase, reasons
    (Kind.POD_KILL, "pod stopped", "Killing ExceededGracePeriod FailedKillPod"),
    (Kind.SHUTDOWN, "preStop hook failed", "FailedPreStopHook PreStopHookError UnfinishedPreStopHook"),
    (Kind.CONTAINER_RESTART, "postStart hook failed", "FailedPostStartHook PostStartHookError"),
    (Kind.CONTAINER_RESTART, "containers were replaced", "SandboxChanged"),
    (Kind.POD_START, "pod started", "Started"),
    (Kind.PROBE_FAILURE, "probe failed", "Unhealthy ProbeWarning ProbeError"),
    (Kind.OOM_KILL, "killed for memory", "OOMKilling OOMKilled SystemOOM"),
    (Kind.CRASH_LOOP, "crash loop", "CrashLoopBackOff"),
    (
        Kind.IMAGE_PULL_FAILURE,
        "image could not be pulled",
        "ErrImagePull ImagePullBackOff ErrImageNeverPull InspectFailed ImageInspectError InvalidImageName",
    ),
    (
        Kind.EVICTION,
        "evicted",
        (
            "Evicted Evict EvictedByVPA EvictedPod Preempted Preempting PreemptContainer TaintManagerEviction Descheduled "
            "DisruptionTarget EvictionByEvictionAPI"
        ),
    ),
    (
        Kind.NODE_FAILURE,
        "node not ready",
        "NodeNotReady NodeUnreachable KubeletNotReady NodeStatusUnknown NetworkUnavailable ContainerRuntimeUnhealthy",
    ),
    (
        Kind.NODE_FAILURE,
        "node shut down or replaced",
        (
            "Rebooted NodeShutdown Shutdown NodeShutdownManager DeletingNode RemovingNode TerminatingEvictedPod "
            "SpotInterrupted SpotInterruption SpotRebalanceRecommendation InstanceTerminating InstanceStopping "
            "InstanceUnhealthy ScheduledEvent PreemptScheduled VMEventScheduled RebootScheduled TerminateScheduled"
        ),
    ),
    (
        Kind.NODE_FAILURE,
        NODE_PROBLEM,
        (
            "KernelDeadlock TaskHung KernelOops UnregisterNetDevice DockerHung CorruptDockerOverlay2 CorruptDockerImage "
            "ReadonlyFilesystem FilesystemIsReadOnly Ext4Error Ext4Warning IOError MemoryReadError XfsHasShutDown "
            "FrequentKubeletRestart FrequentDockerRestart FrequentContainerdRestart KubeletUnhealthy ContainerGCFailed "
            "NodeTerminationError CIDRNotAvailable KubeletSetupFailed"
        ),
    ),
    (Kind.NODE_FAILURE, "node taken out of service", "NodeNotSchedulable Cordon Disrupted DisruptionTerminating"),
    (Kind.NODE_FAILURE, "node taken out of service", "ScaleDownEmpty Consolidated Deprovisioned"),
    (Kind.MEMORY_PRESSURE, "node short of memory", "NodeHasInsufficientMemory MemoryPressure"),
    (
        Kind.DISK_PRESSURE,
        "node short of disk space",
        "NodeHasDiskPressure DiskPressure FreeDiskSpaceFailed ImageGCFailed",
    ),
    (Kind.RESOURCE_SHIFT, "node short of process ids", "NodeHasInsufficientPID PIDPressure"),
    (Kind.CLOCK_JUMP, "clock not in sync", "NTPProblem NTPIsDown ClockSkewDetected"),
    (
        Kind.SCHEDULING_FAILURE,
        "no node could take the pod",
        (
            "FailedScheduling NotTriggerScaleUp FailedPlacement OutOfcpu OutOfmemory OutOfpods OutOfephemeral-storage "
            "NodeAffinity NodeSelectorMismatching UnexpectedAdmissionError AdmissionError HostPortConflict "
            "FailedDaemonPod NodeUnschedulable TopologyAffinityError SchedulingGated"
        ),
    ),
    (
        Kind.SCHEDULING_FAILURE,
        "cluster could not grow",
        (
            "FailedToScaleUpGroup ScaleUpTimedOut ScaleUpFailed FailedScaleUp InsufficientCapacityError NoCompatibleInstanceTypes "
            "FailedProvisioning LaunchFailed FailedCreateInstance ProvisioningLimit"
        ),
    ),
    (
        Kind.SCHEDULING_FAILURE,
        "pod sandbox could not be created",
        (
            "FailedCreatePodSandBox FailedCreatePodSandbox NetworkNotReady FailedPodSandBoxStatus FailedCreatePodContainer "
            "FailedPrepareDynamicResources FailedSync AddNetworkFailed"
        ),
    ),
    (
        Kind.MOUNT_FAILURE,
        "volume could not be mounted",
        (
            "FailedMount FailedAttachVolume FailedDetachVolume FailedMapVolume FailedUnMount FailedUnmapDevice "
            "FailedMountOnFilesystemMismatch VolumeFailedMount AlreadyMountedVolume VolumeResizeFailed "
            "FileSystemResizeFailed FailedDetach FailedBinding VolumeMismatch ClaimMisbound ClaimLost ProvisioningFailed "
            "VolumeFailedDelete VolumeFailedRecycle VolumeConditionAbnormal"
        ),
    ),
    (Kind.QUOTA_EXCEEDED, "quota exceeded", "ExceededQuota QuotaExceeded ExceedsQuota FailedQuota"),
    (
        Kind.AUTOSCALER_FAILURE,
        "autoscaler could not read its metrics",
        (
            "FailedGetResourceMetric FailedGetObjectMetric FailedGetPodsMetric FailedGetExternalMetric "
            "FailedGetContainerResourceMetric FailedComputeMetricsReplicas FailedGetScale FailedRescale InvalidSelector "
            "SelectorRequired AmbiguousSelector InvalidMetricSourceType FailedUpdateStatus FailedConvertHPA FailedUpdateReplicas "
            "KEDAScalerFailed KEDAMetricSourceFailed ScaledObjectCheckFailed ScaledJobCheckFailed KEDAScaleTargetActivationFailed"
        ),
    ),
    (Kind.SCALE_UP, "scaled up", "KEDAScaleTargetActivated"),
    (Kind.SCALE_DOWN, "scaled down", "KEDAScaleTargetDeactivated"),
    (Kind.SCALE_UP, "cluster grew", "TriggeredScaleUp ScaledUpGroup"),
    (
        Kind.JOB_FAILURE,
        "job failed",
        (
            "BackoffLimitExceeded DeadlineExceeded PodFailurePolicy FailedIndexes MaxFailedIndexesExceeded JobFailed "
            "FailedNeedsStart WorkflowFailed WorkflowNodeFailed"
        ),
    ),
    (Kind.JOB_FAILURE, "run was missed or skipped", "MissSchedule TooManyMissedTimes JobAlreadyActive"),
    (
        Kind.BAD_CONFIG,
        "schedule could not be read",
        "InvalidSchedule UnparseableSchedule UnparseableCronJobSchedule UnknownTimeZone",
    ),
    (
        Kind.BAD_CONFIG,
        "configuration rejected",
        "Rejected InvalidConfiguration AddedOrUpdatedWithError CreateContainerConfigError",
    ),
    (Kind.BAD_CONFIG, "configuration rejected", "SecretNotFound BackendNotFound TLSSecretNotFound ValidationFailed"),
    (
        Kind.ROLLOUT,
        "rolled out",
        (
            "DeploymentRollback RollbackDone InstallSucceeded UpgradeSucceeded RollbackSucceeded RolloutUpdated "
            "RolledBack Promoted"
        ),
    ),
    (
        Kind.ROLLOUT_STUCK,
        "rollout failed",
        (
            "ProgressDeadlineExceeded InstallFailed UpgradeFailed RollbackFailed RolloutAborted RolloutDegraded "
            "AnalysisRunFailed AnalysisRunError ReconciliationFailed HealthCheckFailed BuildFailed ArtifactFailed SyncError "
            "DependencyNotReady ReplicaSetCreateError FailedUpdate SelectorOverlap RecreatingFailedPod "
            "RecreatingTerminatedPod FailedRolloutUpdate PruneFailed SelectingAll"
        ),
    ),
    (Kind.CONFIG_CHANGE, "configuration reloaded", "RELOAD ConfigurationReloaded AddedOrUpdated Reloaded"),
    (Kind.HUMAN_CHANGE, "change noted in Grafana", "GrafanaAnnotation"),
    (Kind.CONFIG_CHANGE, "resized in place", "ResizeCompleted InPlaceResizedByVPA Resized"),
    (
        Kind.TLS_FAILURE,
        "certificate could not be issued",
        (
            "ErrInitIssuer ErrVerifyACMEAccount ErrRegisterACMEAccount ErrGetKeyPair ErrValidateVault OrderFailed "
            "PresentError InvalidRequest CertificateRequestFailed IssueFailed BadKeyPair Errored DecodeFailed "
            "ErrorPresent ErrCreateOrder"
        ),
    ),
    (Kind.CERTIFICATE_EXPIRY, "certificate expired", "Expired CertificateExpired CertificateExpiring"),
    (
        Kind.UNAVAILABLE,
        "load balancer without targets",
        (
            "UnAvailableLoadBalancer SyncLoadBalancerFailed UpdateLoadBalancerFailed FailedDeployModel FailedBuildModel "
            "FailedToUpdateEndpoint FailedToUpdateEndpointSlices FailedToCreateEndpoint NoEndpoints"
        ),
    ),
)

NOISE: Final[frozenset[str]] = frozenset(
    """
    Pulling Pulled Created Scheduled AlreadyPresent NodeReady NodeSchedulable NodeHasSufficientMemory
    NodeHasNoDiskPressure NodeHasSufficientPID NodeAllocatableEnforced Starting RegisteredNode
    InvalidDiskCapacity DNSConfigForming FailedToRetrieveImagePullSecret CertificateRotation NodeUncordoned
    Uncordon ResizeStarted ResizeDeferred PossibleMemoryBackedVolumesOnDisk SuccessfulCreate SuccessfulDelete
    SuccessfulUpdate SuccessfulAttachVolume SuccessfulMountVolume SuccessfullyReconciled Completed
    SawCompletedJob Suspended Resumed NoPods NoControllers CalculateExpectedPodCountFailed EnsuringLoadBalancer
    EnsuredLoadBalancer UpdatedLoadBalancer WaitForFirstConsumer WaitForPodScheduled ExternalProvisioning
    Provisioning ProvisioningSucceeded Resizing ExternalExpanding FileSystemResizeRequired
    FileSystemResizeSuccessful VolumeResizeSuccessful LeaderElection NewReplicaSetCreated NewReplicaSetReason
    ReplicaSetUpdated IPAllocation Generated Requested Reused CertificateIssued WaitingForApproval OrderCreated
    OrderPending Presented DomainVerified ReconciliationSucceeded ArtifactUpToDate NewArtifact
    GitOperationSucceeded ResourceUpdated ResourceCreated OperationStarted RolloutStepCompleted RolloutCompleted
    RolloutPaused RolloutResumed Nominated Launched Registered Initialized Unconsolidatable DisruptionBlocked
    ScaleDownDisabled Sync CREATE UPDATE Ready KEDAScalersStarted ScaledObjectReady SuccessfulRegistration
    Exemplar
    """.split()  # noqa: SIM905 - one word after another reads better than a column of quotes
)
"""Reasons that are a step of normal life. Those told by other means (scalings, job runs, ownership) stand here too."""

_MESSAGES: Final = tuple(
    (reason, re.compile(pattern), Meaning(kind, phrase)) for reason, pattern, kind, phrase in _BY_MESSAGE
)
_REASONS: Final = {reason: Meaning(kind, phrase) for kind, phrase, reasons in _BY_REASON for reason in reasons.split()}
_MESSAGE_REASONS: Final = frozenset(reason for reason, _, _ in _MESSAGES)


_DELETED_POD = re.compile(r"Deleted pod: (?P<pod>\S+)|delete Pod (?P<set_pod>\S+) in StatefulSet \S+ success")


def deleted_pod(message: str) -> str | None:
    """Name the pod that a controller says to have deleted."""
    found = _DELETED_POD.search(message)
    return None if found is None else found["pod"] or found["set_pod"]


def meaning(reason: str, message: str, warning: bool) -> Meaning | None:
    """Tell what an event stands for; None where it is a step of normal life or an unknown Normal event."""
    if reason in _MESSAGE_REASONS:
        for named, pattern, found in _MESSAGES:
            if named == reason and pattern.search(message):
                return found
    if (known := _REASONS.get(reason)) is not None:
        return known
    if reason in NOISE or not warning:
        return None
    return Meaning(Kind.ALERT, reason)


EXIT_CODES: Final[dict[int, str]] = {
    1: "the program failed",
    2: "the program was called wrongly",
    126: "the command could not be executed",
    127: "the command was not found",
    128: "the exit code was out of range",
    129: "SIGHUP",
    130: "SIGINT",
    134: "SIGABRT, an assertion or an abort of the runtime",
    135: "SIGBUS",
    136: "SIGFPE",
    137: "SIGKILL, for memory or after the grace period",
    139: "SIGSEGV, a segmentation fault",
    143: "SIGTERM, asked to stop",
    255: "exit status out of range, or the container runtime failed",
}
"""What a container's exit code says; 128 + n is signal n."""

TERMINATION_REASONS: Final[dict[str, Kind]] = {
    "OOMKilled": Kind.OOM_KILL,
    "Error": Kind.CONTAINER_RESTART,
    "Completed": Kind.CONTAINER_RESTART,
    "ContainerCannotRun": Kind.BAD_CONFIG,
    "StartError": Kind.BAD_CONFIG,
    "DeadlineExceeded": Kind.JOB_FAILURE,
    "Evicted": Kind.EVICTION,
    "ContainerStatusUnknown": Kind.NODE_FAILURE,
    "NodeLost": Kind.NODE_FAILURE,
    "NodeShutdown": Kind.NODE_FAILURE,
    "Terminated": Kind.NODE_FAILURE,
    "Preempting": Kind.EVICTION,
}
"""``status.containerStatuses[].lastState.terminated.reason`` and ``status.reason`` of a pod."""

WAITING_REASONS: Final[dict[str, Kind]] = {
    "CrashLoopBackOff": Kind.CRASH_LOOP,
    "ImagePullBackOff": Kind.IMAGE_PULL_FAILURE,
    "ErrImagePull": Kind.IMAGE_PULL_FAILURE,
    "ErrImageNeverPull": Kind.IMAGE_PULL_FAILURE,
    "InvalidImageName": Kind.IMAGE_PULL_FAILURE,
    "CreateContainerConfigError": Kind.BAD_CONFIG,
    "CreateContainerError": Kind.BAD_CONFIG,
    "RunContainerError": Kind.BAD_CONFIG,
}
"""``status.containerStatuses[].state.waiting.reason``."""

NODE_CONDITIONS: Final[dict[str, tuple[str, Kind, str]]] = {
    "Ready": ("True", Kind.NODE_FAILURE, "node not ready"),
    "MemoryPressure": ("False", Kind.MEMORY_PRESSURE, "node short of memory"),
    "DiskPressure": ("False", Kind.DISK_PRESSURE, "node short of disk space"),
    "PIDPressure": ("False", Kind.RESOURCE_SHIFT, "node short of process ids"),
    "NetworkUnavailable": ("False", Kind.NODE_FAILURE, "node without network"),
    "KernelDeadlock": ("False", Kind.NODE_FAILURE, "node problem"),
    "ReadonlyFilesystem": ("False", Kind.NODE_FAILURE, "node problem"),
    "FrequentKubeletRestart": ("False", Kind.NODE_FAILURE, "node problem"),
    "NTPProblem": ("False", Kind.CLOCK_JUMP, "clock not in sync"),
}
"""Condition type → its healthy status, and what any other status means."""

WORKLOAD_KINDS: Final[frozenset[str]] = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicationController", "DeploymentConfig", "Rollout"}
)
"""Kinds a report names: what owns them (an operator's resource, a chart) is not followed further."""

CONTROLLERS: Final[frozenset[str]] = frozenset(
    """
         kube-controller-manager kubelet kube-scheduler cloud-controller-manager aws-cloud-controller-manager
    kube-apiserver cluster-autoscaler karpenter vpa-recommender cert-manager-cainjector metrics-server
    node-problem-detector nginx-ingress-controller horizontal-pod-autoscaler endpoint-controller
    endpointslice-controller replicaset-controller deployment-controller statefulset-controller calico-node
    cilium-agent coredns
    """.split()  # noqa: SIM905 - one word after another reads better than a column of quotes
)
"""Writers in ``managedFields`` that are the cluster's own machinery: what they write is no change somebody made."""


def is_person_or_delivery(manager: str, subresource: str | None) -> bool:
    """Tell whether a ``managedFields`` entry is a change somebody or a delivery tool made to what is desired."""
    return subresource is None and manager not in CONTROLLERS and not manager.startswith(("cert-manager", "system:"))
