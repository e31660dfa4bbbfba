"""A cluster's API as a source; see ``source``, and ``glance`` for a look at one object."""

from bot.sources.kubernetes.glance import Glance, KubernetesGlance
from bot.sources.kubernetes.source import KubernetesSource

__all__ = ["Glance", "KubernetesGlance", "KubernetesSource"]
