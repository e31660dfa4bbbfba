"""A cluster's API as a source; see ``source``."""

from bot.sources.kubernetes.source import KubernetesSource

__all__ = ["KubernetesSource"]
