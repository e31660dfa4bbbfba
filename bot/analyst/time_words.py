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
_ZONE = r"(?P<zone{0}>\s?z\b|\s?utc\b|\s?gmt\b|[+-]\d\d:?\d\d\b)?"
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
AGO = re.compile(rf"\b(?P<n>{COUNT})\s*(?P<unit>minutes?|mins?|hours?|hrs?|h|m)\s+ago\b", re.IGNORECASE)
FILLER = re.compile(r"\b(?:at|on|the|in|of|from|during|and|this|last|all|day|around|about)\b|[\s,.'\"]", re.IGNORECASE)
