"""One thing that was seen to happen, and how many of them become a signal.

Events and objects both tell acts; acts of one kind on one entity that lie close together are one occurrence, since
a controller that stops five pods writes five events within a second. Nothing here knows where an act was read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.domain.entity import Entity
from bot.domain.items import ItemId
from bot.domain.signal import Kind, Occurrence, Signal, signal_id
from bot.domain.window import Window

FOLD_S = 60.0
"""Acts no further apart belong to one occurrence: controllers and kubelets sync within about ten seconds, and a
default readiness probe needs thirty to fail."""

MAX_REFS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What happened to ``entity`` in ``[start_s, end_s]``, told by item ``ref``.

    ``what`` tells acts apart that are counted (a pod's name, a message); the same one told twice counts once.
    """

    kind: Kind
    entity: Entity
    label: str
    start_s: float
    end_s: float
    ref: ItemId
    note: str = ""
    subject: str = ""
    what: str = ""
    count: int = 1
    nodes: frozenset[str] = frozenset()
    mentions: tuple[Entity, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    pod: str = ""
    more_refs: tuple[ItemId, ...] = field(default=())


def signals_of(acts: Iterable[Act], window: Window, source: str, fold_s: float = FOLD_S) -> list[Signal]:
    """Group acts to signals by kind, entity and subject, leaving out what lies outside the window."""
    grouped: defaultdict[tuple[Kind, Entity, str], list[Act]] = defaultdict(list)
    for act in acts:
        if act.end_s >= window.start_s and act.start_s < window.end_s:
            grouped[act.kind, act.entity, act.subject].append(act)
    signals = []
    for (kind, entity, subject), group in grouped.items():
        group.sort(key=lambda act: (act.start_s, act.end_s, act.what, act.ref))
        occurrences = tuple(_occurrence(fold, window) for fold in _folds(group, fold_s))
        signals.append(
            Signal(
                id=signal_id(kind, entity, subject),
                kind=kind,
                entity=entity,
                label=Counter(act.label for act in group).most_common(1)[0][0],
                source=source,
                occurrences=occurrences,
                total=round(sum(occurrence.size for occurrence in occurrences)),
                subject=subject,
                nodes=frozenset().union(*(act.nodes for act in group)),
                mentions=tuple(dict.fromkeys(mention for act in group for mention in act.mentions)),
                attributes=dict(pair for act in reversed(group) for pair in act.attributes),
                pods=_pods(group),
            )
        )
    return sorted(signals, key=lambda signal: (signal.occurrences[0].start_s, signal.id))


def _pods(acts: Sequence[Act]) -> dict[str, int]:
    """Count acts by the pod they happened to; empty where that is not known of all of them."""
    counts = Counter[str]()
    for act in acts:
        counts[act.pod] += act.count
    return {} if "" in counts else dict(sorted(counts.items()))


def _folds(acts: Sequence[Act], fold_s: float) -> Iterator[list[Act]]:
    fold: list[Act] = []
    end_s = float("-inf")
    for act in acts:
        if fold and act.start_s > end_s + fold_s:
            yield fold
            fold = []
        end_s = max(end_s, act.end_s) if fold else act.end_s
        fold.append(act)
    if fold:
        yield fold


def _occurrence(fold: Sequence[Act], window: Window) -> Occurrence:
    counts: dict[str, int] = {}
    for act in fold:
        counts[act.what] = max(counts.get(act.what, 0), act.count)
    refs = dict.fromkeys(ref for act in fold for ref in (act.ref, *act.more_refs))
    notes = list(dict.fromkeys(act.note for act in fold if act.note))
    more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
    return Occurrence(
        start_s=max(fold[0].start_s, window.start_s),
        end_s=min(max(act.end_s for act in fold), window.end_s),
        size=float(sum(counts.values())),
        refs=tuple(refs)[:MAX_REFS],
        note=(notes[0] if notes else "") + more,
    )
