"""An organisation's own patterns: taken only where they cannot hang, for they meet text that strangers write.

A backtracking engine takes exponential time where a repetition stands inside a repetition, and quadratic time where one is
unbounded. So neither is let in: repetitions need an upper bound, and may not be nested; back references and look-arounds
that repeat are refused. Method: the parsed expression is walked, nothing is guessed from its text.
"""

import re
from collections.abc import Iterable
from re import _parser  # type: ignore[attr-defined]  # the only parser of expressions as `re` reads them
from typing import Any

from bot.errors import UsageError

LONGEST_PATTERN = 500
MOST_REPEATED = 4096
_MOST_PATTERNS = 50
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def own_patterns(sources: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Compile patterns; raises UsageError for one that does not compile or could take long."""
    told = tuple(sources)
    if len(told) > _MOST_PATTERNS:
        raise UsageError(f"{len(told)} patterns of secrets are too many: give at most {_MOST_PATTERNS}.")
    return tuple(_compiled(source) for source in told)


def _compiled(source: str) -> re.Pattern[str]:
    if len(source) > LONGEST_PATTERN:
        raise UsageError(f"The pattern {source[:40]!r}… is longer than {LONGEST_PATTERN} characters: shorten it.")
    try:
        compiled = re.compile(source)
        problem = _problem(_parser.parse(source), inside=False)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"The pattern {source!r} is no regular expression: {error}.") from error
    if problem is None and compiled.search("") is not None:
        problem = "it matches the empty text"
    if problem is not None:
        raise UsageError(f"The pattern {source!r} is refused: {problem}.")
    return compiled


def _problem(parsed: Any, *, inside: bool) -> str | None:  # noqa: ANN401 - the parser's own type has no public name
    """Say what could make an expression slow; None where nothing can."""
    for code, argument in parsed:
        found = _one_problem(str(code), argument, inside=inside)
        if found is not None:
            return found
    return None


def _one_problem(code: str, argument: object, *, inside: bool) -> str | None:
    if code in _REPEATS and isinstance(argument, tuple):
        _, most, body = argument
        if int(most) > MOST_REPEATED:
            return f"a repetition without an upper bound (write {{1,200}} instead of + or *; at most {MOST_REPEATED})"
        if inside and int(most) > 1:
            return "a repetition inside a repetition"
        return _problem(body, inside=inside or int(most) > 1)
    if code.startswith("GROUPREF"):
        return "a reference back to a group"
    if isinstance(argument, (tuple, list)):
        return _nested(argument, inside=inside)
    return None


def _nested(argument: Iterable[object], *, inside: bool) -> str | None:
    """Look into groups, alternatives and look-arounds, however the parser wraps them."""
    for part in argument:
        if isinstance(part, _parser.SubPattern):
            found = _problem(part, inside=inside)
        elif isinstance(part, list):
            found = _nested(part, inside=inside)
        else:
            found = None
        if found is not None:
            return found
    return None
