"""How people type into a chat at three in the morning, written out, so that everything behind this reads plain English.

Only words that mean one thing are in the table; names of the case stay as they are, and so does what stands in quotes.
"""

import re
from collections.abc import Container

_WRITTEN: dict[str, str] = {
    "about": "abt abut",
    "again": "agian agin agan",
    "and": "adn nad",
    "are": "r",
    "aren't": "arent",
    "because": "bc cuz coz b/c becuase becasue beacuse becaus",
    "before": "b4 befor befroe",
    "can't": "cant",
    "could": "cld coudl",
    "couldn't": "couldnt",
    "cause": "casue cuase",
    "caused": "casued cuased",
    "deploy": "depoy deplyo deply",
    "didn't": "didnt ddint",
    "don't": "dont dnt",
    "doesn't": "doesnt",
    "exactly": "exaclty",
    "give me": "gimme",
    "going to": "gonna",
    "happen": "happne hapen",
    "happened": "happend happned hapened happenned",
    "hasn't": "hasnt",
    "haven't": "havent",
    "how": "hwo hoe ohw hw",
    "how's": "hows",
    "isn't": "isnt",
    "let me": "lemme",
    "memory": "mem",
    "night": "nite",
    "people": "ppl",
    "please": "pls plz",
    "probably": "prolly prob",
    "right now": "rn",
    "root cause": "rca",
    "should": "shld shoudl",
    "show": "shwo hsow",
    "something": "smth sth smthg",
    "start": "strat satrt",
    "the": "teh hte",
    "there's": "theres",
    "wasn't": "wasnt",
    "weren't": "werent",
    "who did it": "whodunnit whodunit",
    "what": "wat wut waht wht whta hwat",
    "what's": "whats wats",
    "when": "wehn whne whn",
    "when's": "whens",
    "where": "wehre",
    "where's": "wheres",
    "which": "whcih wich",
    "who's": "whos",
    "why": "hwy y",
    "why's": "whys",
    "with": "w w/ wiht wtih",
    "without": "w/o witout",
    "would": "wld woudl",
    "wouldn't": "wouldnt",
    "yesterday": "yday yest ystrday",
    "you": "u yuo",
    "you're": "youre ur",
}
_LONG = {short: word for word, shorts in _WRITTEN.items() for short in shorts.split()}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_STEP = re.compile(rf"(?:\bthe\s+)?\b(?P<place>{'|'.join(_ORDINALS)}|[1-9](?:st|nd|rd|th))\s+step\b", re.IGNORECASE)
_TOKEN = re.compile(r"(?<![\w./:-])[A-Za-z](?:[A-Za-z4]*/?[A-Za-z]*)(?![\w/:-])")
_QUOTED = re.compile(r"([\"\u201c`][^\"\u201d`]*[\"\u201d`])")


def expanded(text: str, names: Container[str] = frozenset()) -> str:
    """Write a question out; ``names`` (lower case) are things of the case, which may look like shorthand."""
    plain = text.replace("\u2019", "'").replace("\u2018", "'")
    parts = _QUOTED.split(plain)
    return "".join(part if place % 2 else _written_out(part, names) for place, part in enumerate(parts))


def _written_out(text: str, names: Container[str]) -> str:
    def long(word: re.Match[str]) -> str:
        short = word[0].lower()
        return word[0] if short in names else _LONG.get(short, word[0])

    return _STEP.sub(_numbered, _TOKEN.sub(long, text))


def _numbered(match: re.Match[str]) -> str:
    place = match["place"].lower()
    return f"step {_ORDINALS.index(place) + 1 if place in _ORDINALS else place[0]}"
