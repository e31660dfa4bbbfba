"""Nodes that failed in the same minute: one outage, of a zone or a rack or a switch, in which none is another's rival."""

from dataclasses import replace

from bot.analyst.findings import Findings
from bot.domain.link import Chain
from bot.domain.signal import Kind, Signal

TOGETHER_S = 60.0
"""Within so many seconds a control plane notices nodes that went at once."""


def one_outage(one: Signal, other: Signal) -> bool:
    """Tell whether two nodes failed together."""
    nodes = one.kind is other.kind is Kind.NODE_FAILURE
    return nodes and abs(one.occurrences[0].start_s - other.occurrences[0].start_s) <= TOGETHER_S


def with_its_outage(findings: Findings, chain: Chain) -> Chain:
    """Give a chain whose root says how many nodes failed with its own, where any did and it was the one time."""
    root = chain.root
    if root.kind is not Kind.NODE_FAILURE or "others" in root.attributes or len(root.occurrences) > 1:
        return chain
    alike = (one for one in findings.signals.values() if one.label == root.label and len(one.occurrences) == 1)
    nodes = {one.entity for one in alike if one.entity.kind == "Node" and one_outage(root, one)} - {root.entity}
    if not nodes or root.entity.kind != "Node":
        return chain
    told = replace(root, attributes={**root.attributes, "others": str(len(nodes))})
    return replace(chain, signals=(told, *chain.signals[1:]))
