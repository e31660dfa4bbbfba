"""Signals and links as JSON bodies and back: what was concluded from a case, kept beside the evidence it rests on."""

import json
from typing import Any

from bot.domain.entity import Entity
from bot.domain.items import Gap, ItemId
from bot.domain.link import Dose, Lag, Link, LinkTest
from bot.domain.signal import Kind, Occurrence, Signal, SignalId


def signal_json(signal: Signal) -> str:
    """Give a signal as a JSON body."""
    return json.dumps(
        {
            "id": signal.id,
            "kind": signal.kind.value,
            "entity": _entity_json(signal.entity),
            "label": signal.label,
            "source": signal.source,
            "occurrences": [
                [one.start_s, one.end_s, one.size, list(one.refs), one.note, one.waited_s] for one in signal.occurrences
            ],
            "total": signal.total,
            "subject": signal.subject,
            "period_s": signal.period_s,
            "nodes": sorted(signal.nodes),
            "mentions": [_entity_json(entity) for entity in signal.mentions],
            "attributes": dict(signal.attributes),
            "levels": signal.levels,
            "pods": dict(signal.pods),
        }
    )


def json_signal(body: str) -> Signal:
    """Undo ``signal_json``."""
    read = json.loads(body)
    return Signal(
        id=SignalId(read["id"]),
        kind=Kind(read["kind"]),
        entity=_json_entity(read["entity"]),
        label=read["label"],
        source=read["source"],
        occurrences=tuple(
            Occurrence(
                start_s=start, end_s=end, size=size, refs=tuple(map(ItemId, refs)), note=note, waited_s=sum(waited)
            )
            for start, end, size, refs, note, *waited in read["occurrences"]
        ),
        total=read["total"],
        subject=read["subject"],
        period_s=read["period_s"],
        nodes=frozenset(read["nodes"]),
        mentions=tuple(map(_json_entity, read["mentions"])),
        attributes=read["attributes"],
        levels=tuple(tuple((low, high) for low, high in level) for level in read.get("levels", ())),
        pods=read.get("pods", {}),
    )


def link_json(link: Link) -> str:
    """Give a link as a JSON body."""
    test, lag, dose = link.test, link.test.lag, link.test.dose
    return json.dumps(
        {
            "cause": link.cause,
            "effect": link.effect,
            "mechanism": link.mechanism,
            "scope": link.scope,
            "plausibility": link.plausibility,
            "status": test.status,
            "test": test.test,
            "hits": test.hits,
            "misses": test.misses,
            "unexplained": test.unexplained,
            "lag": None if lag is None else [lag.p10, lag.median, lag.p90],
            "p_value": test.p_value,
            "lag_range_s": list(test.lag_range_s),
            "dose": None if dose is None else [dose.rho, dose.p_value, dose.pairs],
            "reason": test.reason,
        }
    )


def json_link(body: str) -> Link:
    """Undo ``link_json``."""
    read = json.loads(body)
    lag, dose = read["lag"], read["dose"]
    least, most = read["lag_range_s"]
    return Link(
        cause=SignalId(read["cause"]),
        effect=SignalId(read["effect"]),
        mechanism=read["mechanism"],
        scope=read["scope"],
        plausibility=read["plausibility"],
        test=LinkTest(
            status=read["status"],
            test=read["test"],
            hits=read["hits"],
            misses=read["misses"],
            unexplained=read["unexplained"],
            lag=None if lag is None else Lag(p10=lag[0], median=lag[1], p90=lag[2]),
            p_value=read["p_value"],
            lag_range_s=(least, most),
            dose=None if dose is None else Dose(rho=dose[0], p_value=dose[1], pairs=dose[2]),
            reason=read["reason"],
        ),
    )


def gap_key(gap: Gap) -> tuple[str, str, str, bool]:
    """Give what makes two gaps one, in the order they are listed."""
    return (gap.source, gap.path or "", gap.what, gap.lost)


def _entity_json(entity: Entity) -> list[str | None]:
    return [entity.kind, entity.name, entity.namespace]


def _json_entity(read: Any) -> Entity:  # noqa: ANN401 - any JSON value comes in
    kind, name, namespace = read
    return Entity(kind, name, namespace)
