"""Which requests ever succeeded: what was refused each time it was asked for has not been broken by anything.

A burst of 404s for a page that nobody was ever given is somebody looking for it, not a page that was lost. Requests are
compared as their masked lines tell them; leaves out who asked.
"""

import re
from collections.abc import Iterable, Sequence

from bot.signals.lexicon import Classification

_STATUS = re.compile(r"(?<![\d.])[1-5]\d\d(?![\d.])")
_LINE = re.compile(r"[\"']?(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ")
_LINE_BEHIND = re.compile(r"\"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^\"]{1,2000}\"")
"""HAProxy and AWS's load balancers write the request line behind the status."""
_FIELD = re.compile(
    r"(?<![\w.-])(?P<key>(?:request_?|http_?|cs-)?(?:method|verb|host|authority|path|ur[il](?:-stem)?|route|endpoint))[\"']?\s{0,2}[=:]\s{0,2}"
    r"(?P<value>\"[^\"]{0,2000}\"|[^\s,}\"]{1,2000})",
    re.IGNORECASE,
)
_NO_PATH = ("method", "verb", "host", "authority")


def asked_for(template: str, status: str) -> str:
    """Give what a request line asks for: the line up to its status, or the fields that say it, or all of it but the status."""
    head, found, rest = template.partition(f" {status}")
    if found and (line := _LINE.search(head)) is not None:
        return head[line.start() :]
    if found and (line := _LINE_BEHIND.search(rest)) is not None:
        return line[0]
    fields = list(_FIELD.finditer(template))
    if not all(field["key"].lower().endswith(_NO_PATH) for field in fields):
        return " ".join(field["value"] for field in fields)
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
