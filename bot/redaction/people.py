"""People and addresses: what is put under a pseudonym, not thrown away, so that the same one is known again.

E-mail addresses always; IP addresses, names and payment numbers when asked. Left out: guessing names in prose.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

Person = Literal["email", "ip", "name", "card", "iban"]

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+@/-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}"
    r"(?![A-Za-z0-9@-])"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_CARD = re.compile(r"(?<![\w.-])(?:4\d{3}|5[1-5]\d\d|3[47]\d\d|6011)(?:[ -]?\d{4,6}){2}(?:[ -]?\d{0,5})(?![\w.-])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")

Found = tuple[int, int, Person]


def names_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Compile the names to hide, the longest first; None where there are none."""
    told = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=lambda name: (-len(name), name))
    if not told:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(name) for name in told) + r")(?!\w)", re.IGNORECASE)


def people_spans(text: str, asked: frozenset[Person], names: re.Pattern[str] | None) -> Iterator[Found]:
    """Find people and addresses of the kinds asked for."""
    if "email" in asked and "@" in text:
        yield from _each(_EMAIL, text, "email", _anything)
    if "ip" in asked:
        yield from _each(_IPV4, text, "ip", _is_ip)
        if "::" in text or text.count(":") >= 7:
            yield from _each(_IPV6, text, "ip", _is_ip)
    if "name" in asked and names is not None:
        yield from _each(names, text, "name", _anything)
    if "card" in asked:
        yield from _each(_CARD, text, "card", _is_card)
    if "iban" in asked:
        yield from _each(_IBAN, text, "iban", _is_iban)


def _each(pattern: re.Pattern[str], text: str, person: Person, holds: Callable[[str], bool]) -> Iterator[Found]:
    for found in pattern.finditer(text):
        if holds(found[0]):
            yield found.start(), found.end(), person


def _anything(_text: str) -> bool:
    return True


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # "a::" is an address, too, and more often the end of a word
    return any(sign.isdigit() for sign in text)


def _is_card(text: str) -> bool:
    """Check the sum of a card's number (Luhn, ISO/IEC 7812-1)."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    if not 14 <= len(digits) <= 16:
        return False
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """Check an account number's sum (ISO 13616, mod 97)."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1
