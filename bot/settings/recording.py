"""What ``rootcause record`` is told: which cluster, where it writes, how much it keeps."""

from dataclasses import dataclass
from pathlib import Path

from bot.settings.base import Settings
from bot.settings.environment import count, text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings:
    """How a cluster is recorded."""

    archive: Path
    """``ROOTCAUSE_ARCHIVE``: the file that is written; default ``recorder.sqlite`` beside the cases."""

    in_cluster: bool = False
    """Whether this runs as a pod of the cluster (``KUBERNETES_SERVICE_HOST`` is set by the kubelet)."""

    kubeconfig: Path | None = None
    """``ROOTCAUSE_KUBECONFIG``; default kubectl's own. Outside of a cluster only."""

    context: str | None = None
    """``ROOTCAUSE_CONTEXT``: a context of the kubeconfig; default its current one."""

    namespaces: tuple[str, ...] = ()
    """``ROOTCAUSE_RECORD_NAMESPACES``, comma-separated; empty: the whole cluster, which needs a ClusterRole."""

    follow: tuple[str, ...] = ()
    """``ROOTCAUSE_FOLLOW``: namespaces whose logs are kept whole, for clusters without a log store; empty: none."""

    most_mib: int = 2048
    """``ROOTCAUSE_RECORD_MIB``: bytes on disk; a thousand pods without followed logs fill about a tenth of it in a week."""

    most_days: int = 7
    """``ROOTCAUSE_RECORD_DAYS``: an incident is asked about within a week, or has another report already."""

    @classmethod
    def from_environment(cls) -> "RecordSettings":
        """Read the settings from the process's environment."""
        named, kubeconfig = text("ROOTCAUSE_ARCHIVE"), text("ROOTCAUSE_KUBECONFIG")
        return cls(
            archive=Path(named).expanduser() if named else Settings.from_environment().home / "recorder.sqlite",
            in_cluster=text("KUBERNETES_SERVICE_HOST") is not None and kubeconfig is None,
            kubeconfig=Path(kubeconfig).expanduser() if kubeconfig else None,
            context=text("ROOTCAUSE_CONTEXT"),
            namespaces=texts("ROOTCAUSE_RECORD_NAMESPACES"),
            follow=texts("ROOTCAUSE_FOLLOW"),
            most_mib=count("ROOTCAUSE_RECORD_MIB", 2048),
            most_days=count("ROOTCAUSE_RECORD_DAYS", 7),
        )
