"""What people say they did: changes announced in chat and tickets, as causes to be tested like any other.

A sentence counts when it tells of a change that is made, not of one that is suspected, planned or asked for, and names
something the case knows. Theories about causes are no changes; they are judged as claims elsewhere. Bots are not
people: what they tell of is seen in the cluster itself.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bot.domain.entity import Entity
from bot.domain.items import ChatMessage, ItemId, TicketEntry
from bot.domain.signal import Kind, Occurrence, Signal, Topology, signal_id
from bot.domain.window import Window

LONGEST = 4000
LONGEST_NOTE = 120
LEAST_NAME = 3

_DONE = re.compile(
    r"\b(?:deployed|deploying|redeployed|rolled (?:out|back)|rolling (?:out|back)|reverted|merged|applied|pushed|shipped|"
    r"released|changed|updated|bumped|raised|lowered|increased|decreased|doubled|halved|scaled|restarted|rebooted|"
    r"failed over|failing over|rotated|renewed|enabled|disabled|turned (?:on|off)|switched|flipped|toggled|migrated|"
    r"ran (?:the |a )?(?:migration|backfill|script|job|vacuum|reindex)|running (?:the |a )?(?:migration|backfill|reindex)|"
    r"started (?:the |a )?(?:migration|backfill|load test|reindex)|upgraded|patched|drained|cordoned|deleted|dropped|"
    r"removed|added|moved|resized|truncated)\b",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\?|\b(?:think|guess|maybe|perhaps|probably|suspect|might|could|should|would|wonder|theory|hypothesis|if|unless|"
    r"did(?:n't| not)|has(?:n't| not)|have(?:n't| not)|was(?:n't| not)|nobody|no one|never|will|going to|plan(?:ning)?|"
    r"want|let's|can we|can you|please|did it|caused|because|since|after|looks like|seems|same time|"
    r"(?:hpa|(?:auto-?)?scaler|kubelet|scheduler|controller|cluster|kubernetes|it|they)(?: has| have| had|'s| just| already| then)* "
    r"(?:scaled|restarted|rebooted|moved|added|removed|drained|failed over)|"
    r"(?:is|are|was|were|feels?) (?:\w+ )?(?:slow|down|broken|dead|stuck|failing|unreachable|timing out))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!\n]+(?:[.!](?=\S)[^.!\n]*)*[.!?]?")
"""Up to a full stop with a blank behind it: a version has stops of its own."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]+")


def chat_signals(
    messages: Iterable[tuple[ItemId, ChatMessage]],
    tickets: Iterable[tuple[ItemId, TicketEntry]],
    window: Window,
    topology: Topology,
) -> list[Signal]:
    """Give a signal for each person and thing changed, ascending by id; ``entity`` is the person, ``mentions`` the thing."""
    names = _names(topology)
    said = [
        (item, message.at.timestamp(), message.author, message.text) for item, message in messages if not message.is_bot
    ]
    said += [(item, entry.at.timestamp(), entry.author, entry.text) for item, entry in tickets]
    found: dict[tuple[str, Entity], list[Occurrence]] = defaultdict(list)
    for item, at_s, author, text in sorted(said, key=lambda one: (one[1], one[0])):
        if not window.contains(at_s):
            continue
        for sentence in _SENTENCE.findall(text[:LONGEST]):
            if _DONE.search(sentence) and not _NOT_DONE.search(sentence):
                note = sentence.strip()[:LONGEST_NOTE]
                for entity in _named(sentence, names):
                    found[author, entity].append(Occurrence(start_s=at_s, end_s=at_s, refs=(item,), note=note))
    return [
        Signal(
            id=signal_id(Kind.HUMAN_CHANGE, Entity("Person", author), str(entity)),
            kind=Kind.HUMAN_CHANGE,
            entity=Entity("Person", author),
            label=f"changed {entity}",
            source="slack" if ones[0].refs[0].startswith("C") else "jira",
            occurrences=tuple(ones),
            total=len(ones),
            subject=str(entity),
            mentions=(entity,),
        )
        for (author, entity), ones in sorted(found.items())
    ]


def _names(topology: Topology) -> dict[str, list[Entity]]:
    """Index what a sentence may name: the workloads a report names, by name."""
    known = {topology.root(entity) for entity in (*topology.owner, *topology.owner.values(), *topology.nodes)}
    known |= {callee for _, callee in topology.calls}
    names: dict[str, list[Entity]] = defaultdict(list)
    for entity in sorted(known):
        if len(entity.name) >= LEAST_NAME and entity.kind != "Pod":
            names[entity.name.lower()].append(entity)
    return names


def _named(sentence: str, names: dict[str, list[Entity]]) -> Sequence[Entity]:
    words = {word.lower() for word in _WORD.findall(sentence)}
    return sorted({entity for word in words for entity in names.get(word, [])})
