"""Which of a server's metrics matter, and how each is asked for: decided from the names it has, not from a fixed list.

What a metric means is the digest's table (cAdvisor, kube-state-metrics, node_exporter, ingress controllers, Envoy, the JVM,
Go, PostgreSQL, Redis, Kafka …); a name that the table passes over is not read, one that it reads only with certain labels
is read with those, and names that only its last rows know come last when not everything fits.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.signals.metrics import METRICS, Metric, is_counter

KNOWN, RECORDED, WORDED, OTHER = range(4)
"""How much is known of a metric: an exporter's, a recording rule, a telling word in the name, nothing."""

_SPELT_OTHERWISE = ("kubernetes_namespace", "k8s_namespace_name")
"""Labels that tell a namespace where neither of the usual two does: older scrape configurations, OpenTelemetry."""
_ANY_NAME = ".*"
_WORDS_FROM = next(at for at, row in enumerate(METRICS) if row.name.pattern.startswith(".*(retries"))
_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A metric to be read. ``filters``: label matchers, of which each gives a part; one empty text for all of it."""

    metric: str
    rank: int
    filters: tuple[str, ...]
    counter: bool
    fold: Literal["sum", "max", "min"]
    over: Literal["max", "min"]
    """Which of several samples within a step tells it"""


def wanted(names: Iterable[str]) -> list[Wanted]:
    """Choose among names and order them: the best known first, then by name."""
    found = [one for name in set(names) if (one := _wanted(name)) is not None]
    return sorted(found, key=lambda one: (one.rank, one.metric))


def _wanted(name: str) -> Wanted | None:
    if not _PLAIN.fullmatch(name):
        return None
    filters: list[str] = []
    rows: list[Metric] = []
    rank = OTHER
    for at, row in enumerate(METRICS):
        if not row.name.fullmatch(name):
            continue
        if row.how == "skip" and not row.labels:
            break
        if row.how != "skip":
            rows.append(row)
            rank = min(rank, _rank(at, row, name))
            filters.append(matchers({label: value.pattern for label, value in row.labels.items()}))
        if not row.labels:
            break
    if not rows:
        return None
    first = rows[-1]
    whole = "" in filters
    return Wanted(
        metric=name,
        rank=rank,
        filters=("",) if whole else tuple(dict.fromkeys(filters)),
        counter=is_counter(name) is True,
        fold=first.fold,
        over="min" if first.how in {"falls", "zero", "expiry"} else "max",
    )


def _rank(at: int, row: Metric, name: str) -> int:
    if at < _WORDS_FROM:
        return KNOWN
    if ":" in name:
        return RECORDED
    return OTHER if row.name.pattern == _ANY_NAME else WORDED


def matchers(labels: dict[str, str]) -> str:
    """Write regular expressions of labels as PromQL does, without braces."""
    return ",".join(f"{label}=~{quoted(value)}" for label, value in sorted(labels.items()))


def quoted(text: str) -> str:
    """Write a text as a PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def selector(*parts: str) -> str:
    """Join matchers to a selector."""
    return "{" + ",".join(part for part in parts if part) + "}"


def named(metrics: Sequence[str]) -> str:
    """Match metrics by name; names hold nothing that a regular expression would read otherwise."""
    return f'__name__="{metrics[0]}"' if len(metrics) == 1 else f'__name__=~"{"|".join(metrics)}"'


def scopes(namespaces: Sequence[str]) -> tuple[str, ...]:
    """Give matchers that take in the namespaces, and what belongs to none (nodes, and exporters that name no namespace)."""
    if not namespaces:
        return ("",)
    names = "|".join(re.escape(name).replace("\\-", "-") for name in sorted(namespaces))
    these, or_none = quoted(names), quoted(f"|{names}")
    return (
        f"namespace=~{these}",
        f"exported_namespace=~{these},namespace!~{these}",
        ",".join(('namespace="",exported_namespace=""', *(f"{label}=~{or_none}" for label in _SPELT_OTHERWISE))),
    )
