"""Which requests ever succeeded: what was refused each time it was asked for has not been broken by anything.

A burst of 404s for a page that nobody was ever given is somebody looking for it, not a page that was lost. Requests are
compared as their masked lines tell them; leaves out who asked.
"""

import re
from collections.abc import Iterable, Sequence

from bot.signals.lexicon import Classification

_STATUS = re.compile(r"(?<![\d.])[1-5]\d\d(?![\d.])")
_LINE = re.compile(r"[\"']?(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ")


def asked_for(template: str, status: str) -> str:
    """Give what a request line asks for: the line up to its status, or all of it but the status where it has fields."""
    head, found, _rest = template.partition(f" {status}")
    if found and (line := _LINE.search(head)) is not None:
        return head[line.start() :]
    return _STATUS.sub("", template)


def request_of(template: str, meaning: Classification) -> str:
    """Give what a template's requests ask for, whatever came of them; empty where it is no request line with a status."""
    status = meaning.attributes.get("status", "")
    return asked_for(template, status) if status else ""


def succeeded(meaning: Classification) -> bool:
    """Tell a request that was answered, or sent on."""
    return meaning.attributes.get("status", "")[:1] in ("2", "3")


def served(templates: Sequence[str], meanings: Sequence[Classification]) -> frozenset[str]:
    """Give every request that succeeded, or was sent on, at least once in the case."""
    known = zip(templates, meanings, strict=True)
    return frozenset(asked_for(line, meaning.attributes["status"]) for line, meaning in known if succeeded(meaning))


def never_served(templates: Iterable[str], status: str, ever: frozenset[str]) -> bool:
    """Tell whether none of these failed requests ever succeeded."""
    return not any(asked_for(template, status) in ever for template in templates)
