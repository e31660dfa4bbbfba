"""Pieces that every section of the HTML page shares: names in sentences, evidence marks, commands, headings."""

import re
from collections.abc import Iterable, Mapping

from bot.charts.markup import Child, Markup, element, joined
from bot.cli import words
from bot.domain.entity import Entity
from bot.domain.report import Evidence

_PLAIN = frozenset({"Person", "Ticket", "Host", "Series"})
"""Kinds that a name alone makes plain."""
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


def name_of(entity: Entity) -> str:
    """Name an entity as people do."""
    return words.short(entity.name if entity.kind in _PLAIN else str(entity))


def told(entity: Entity, summary: str, between: str = ": ") -> Markup:
    """Say of whom and what, the name marked, and once."""
    name, said = name_of(entity), words.short(summary)
    marked = element("span", name, class_="name")
    before, found, after = said.partition(name) if name else (said, "", "")
    return joined(before, marked, after) if found else joined(marked, between, said)


def sentence(text: str) -> str:
    """End a sentence with a full stop where it has no end."""
    text = words.short(text)
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."


def anchor(evidence_id: str) -> str:
    """Give the place of an evidence entry in the page."""
    return "ev-" + _UNFIT.sub("_", evidence_id)


def refs(ids: Iterable[str], known: Mapping[str, Evidence]) -> Markup | None:
    """Mark what a line rests on; each mark opens its evidence below the line, or leads to it without the script."""
    marks = [
        element("a", each, class_="ref", href=f"#{anchor(each)}", title=f"Show evidence {each}")
        for each in ids
        if each in known
    ]
    return element("span", marks, class_="refs") if marks else None


def section(key: str, title: str, aside: str, *children: Child, hint: str = "") -> Markup:
    """Make a section that the navigation can lead to; ``hint`` says how it is used on a screen, and is not printed."""
    use = element("span", f" {hint}", class_="hint") if hint else None
    under = element("p", aside, use, class_="aside")
    return element(
        "section", element("h2", title, id=f"{key}-title"), under, *children, id=key, aria_labelledby=f"{key}-title"
    )


def command(text: str, label: str) -> Markup:
    """Show lines to copy, with a button that does."""
    lines = "\n".join(" " * (len(line) - len(line.lstrip(" "))) + words.visible(line) for line in text.splitlines())
    return element(
        "div",
        element("pre", element("code", lines), tabindex=0, aria_label=label),
        element("button", "Copy", type="button", data_copy=True, aria_label=f"Copy: {label}"),
        class_="cmd",
    )


def pill(text: str, tone: str = "") -> Markup:
    """Make a small label; ``tone`` is ``good``, ``warn``, ``bad`` or nothing."""
    return element("span", text, class_=f"pill {tone}".strip())
