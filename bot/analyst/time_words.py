"""The words and patterns of times as people write them; what they mean is read in ``times``."""

import re

DAY_S = 86_400
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
UNITS = {"m": 60, "h": 3_600, "d": DAY_S, "w": 7 * DAY_S}
PARTS = {
    "morning": (5, 12),
    "afternoon": (12, 18),
    "evening": (17, 23),
    "night": (18, 30),
}
"""Parts of a day in hours from its midnight; a night runs into the next day."""

_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
UNIT = r"(?:minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)"
COUNT = rf"(?:\d{{1,3}}|an?|{'|'.join(NUMBERS)})"
DAY_WORDS = re.compile(
    r"(?P<iso>\b(?:19|20)\d\d-\d\d-\d\d)(?!\d)"
    r"|\b(?:on\s+)?day[\s-]*(?:no\.?\s*|#)?(?P<number>\d{1,3}|" + "|".join(NUMBERS) + r")\b"
    r"|\b(?:the\s+)?(?P<ordinal>" + "|".join(ORDINALS) + r"|\d{1,2}(?:st|nd|rd|th))\s+day\b"
    r"|\bthe\s+last\s+day\b(?P<final>)"
    rf"|\b{_MONTH}\s+(?P<mday>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>20\d\d))?\b(?!:)"
    rf"|\b(?:the\s+)?(?P<mday2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH.replace('month', 'month2')}"
    r"(?:,?\s+(?P<year2>20\d\d))?\b"
    r"|\bthe\s+(?P<mday3>\d{1,2})(?:st|nd|rd|th)\b(?!\s+(?:percentile|time|step|attempt|replica|pod|restart))"
    r"|\b(?:the\s+)?day\s+before\s+yesterday\b(?P<before>)"
    r"|\byest(?:e?r?d|u?r?d)[a-z]*\b(?P<yesterday>)"
    r"|\b(?P<today>today|tonight|this(?=\s+(?:morning|afternoon|evening|night)))\b"
    r"|\blast(?=\s+(?:night|evening)\b)(?P<lastnight>)"
    r"|\b(?:(?:last|the|this|at\s+the|over\s+the)\s+)?week-?end\b(?P<weekend>)"
    rf"|\b(?P<ago>{COUNT})\s+(?P<agounit>days?|weeks?)\s+ago\b"
    r"|\b(?P<last>last\s+|this\s+|on\s+)?(?P<weekday>(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)day)s?\b"
    r"|\b(?P<last2>last\s+|this\s+|on\s+)?(?P<weekday2>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun|tue|tues|weds?|thurs?|fri)\b",
    re.IGNORECASE,
)
ZONE_HOURS = {
    "wet": 0, "bst": 1, "cet": 1, "met": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3, "sgt": 8, "hkt": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "edt": -4, "est": -5, "cdt": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
"""Hours ahead of UTC of the zone names that mean one thing only, as tzdata has them."""
UNCLEAR_ZONE = re.compile(r"(?<=\d|m)\s?(?P<name>cst|ist|ast|sst)\b", re.IGNORECASE)
"""Names that mean several zones: China's or Central, India's, Israel's or Ireland's, Atlantic or Arabia's."""
_ZONE = (
    rf"(?P<zone{{0}}>\s?(?:utc|gmt)\s?[+-]\d{{{{1,2}}}}(?::?\d\d)?\b|\s?(?:z|utc|gmt|{'|'.join(ZONE_HOURS)})\b"
    r"|\s?\+\d\d:?\d\d\b)?"
)
_CLOCK = (
    r"(?:(?P<h{0}>[01]?\d|2[0-4]):(?P<m{0}>[0-5]\d)(?::(?P<s{0}>[0-5]\d)(?:[.,]\d{{1,9}})?)?\s?(?P<half{0}>[ap]\.?m\b\.?)?"
    r"|(?P<hh{0}>1[0-2]|0?[1-9])\s?(?P<half2{0}>[ap]\.?m\b\.?)"
    r"|(?P<h4{0}>[01]\d|2[0-3])(?P<m4{0}>[0-5]\d)(?=\s?(?:z|utc)\b)"
    r"|(?P<word{0}>noon|mid-?day|midnight)\b)" + _ZONE
)
CLOCK_WORDS = re.compile(
    r"(?:(?P<range>between|from)\s+)?(?:(?P<fuzzy>around|about|approx\w*\.?|near(?:ly)?|circa|ca\.?|~|roughly|like)\s*)?"
    r"(?:(?P<side>before|until|after|since|past|from)\s+)?(?:at\s+)?(?<![\d:.])"
    + _CLOCK.format("")
    + r"(?:\s*(?:-|\u2013|\.\.|\bto\b|\band\b|\buntil\b|\btill\b)\s*(?<!\d:)"
    + _CLOCK.format("b")
    + r")?(?![\d:])"
    r"|\b(?:in\s+the\s+|at\s+|during\s+the\s+)?(?P<part>morning|afternoon|evening|night)\b",
    re.IGNORECASE,
)
ISO_T = re.compile(r"(?<=\d{4}-\d\d-\d\d)T(?=\d\d:)", re.IGNORECASE)
SPOKEN = re.compile(
    rf"\b(?:a )?(?P<part>quarter|half|five|ten|[1-5]?\d) (?P<side>past|to) (?P<hour>{'|'.join(NUMBERS)}|1?\d|2[0-3])\b(?!:)"
    rf"|\b(?P<sharp>{'|'.join(NUMBERS)}|1?\d|2[0-3]) ?o'?clock\b",
    re.IGNORECASE,
)
BEHIND_UTC = re.compile(r"(?<=\d{4}-\d\d-\d\d \d\d:\d\d)((?::\d\d(?:\.\d+)?)?)(?=-\d\d:?\d\d\b)")
"""Where a stamp's offset begins: without its date, ``09:00-10:00`` is an hour and no place in the Atlantic."""
PAST = re.compile(
    rf"\b(?:last|previous)\s+(?P<span>week|month|year)\b|\b(?P<n>{COUNT})\s*(?P<unit>month|year)s?\s+ago\b",
    re.IGNORECASE,
)
AGO = re.compile(rf"\b(?P<n>{COUNT})\s*(?P<unit>minutes?|mins?|hours?|hrs?|h|m)\s+ago\b", re.IGNORECASE)
FILLER = re.compile(r"\b(?:at|on|the|in|of|from|during|and|this|last|all|day|around|about)\b|[\s,.'\"]", re.IGNORECASE)


def plain_stamps(text: str) -> str:
    """Write stamps and spoken times as clocks show them: ``2026-11-19 16:20utc-05:00``, ``quarter to eleven`` as ``10:45``."""
    return SPOKEN.sub(_spoken, BEHIND_UTC.sub(r"\1utc", ISO_T.sub(" ", text)))


def _spoken(match: re.Match[str]) -> str:
    word = (match["hour"] or match["sharp"]).lower()
    hour = int(word) if word.isdigit() else NUMBERS.index(word) + 1
    if match["sharp"]:
        return f"{hour % 24:02}:00"
    part = match["part"].lower()
    minutes = {"quarter": 15, "half": 30}.get(part) or (int(part) if part.isdigit() else NUMBERS.index(part) + 1)
    since = hour * 60 + (minutes if match["side"].lower() == "past" else -minutes)
    return f"{since // 60 % 24:02}:{since % 60:02}"
