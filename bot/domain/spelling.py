"""How lengths of time are spelled wherever a person reads them: in sentences, on the terminal, in a ticket.

Only as exact as anybody can use; the exact numbers stand in the JSON report. Leaves out what is true.
"""

from bot.domain.link import Lag

_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
_ABOUT = ((120, 10), (3_600, 60))
"""Below so many seconds a rough length is told to so many; five minutes from there on."""
_AT_ONCE_S = 1.0
_SAME_SHARE = 0.1
"""A spread below this share of the median is none that anybody would act on."""


def length(seconds: float) -> str:
    """Spell a length of time: ``350 ms``, ``4.2 s``, ``4 min 10 s``, ``43 min``, ``6 h``, ``2 d 3 h``.

    Two units while the larger one is below ten, one from there on, rounded.
    """
    if seconds < 0:
        return "-" + length(-seconds)
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    for size, unit, below, smaller in _UNITS:
        grain = size if seconds >= 10 * size else below
        rounded = round(seconds / grain) * grain
        if rounded >= size:
            rest = rounded % size // below
            return f"{rounded // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{round(seconds)} s"


def about(seconds: float) -> str:
    """Spell a length that is said to be about so long: ``1 min 30 s``, ``4 min``, ``1 h``, ``5 h 25 min``."""
    grain = next((grain for below, grain in _ABOUT if seconds < below), 300)
    return length(round(seconds / grain) * grain) if seconds >= _ABOUT[0][1] else length(seconds)


def period(seconds: float) -> str:
    """Spell a period as people name it: a measured 5 h 59 min is ``6 h``, to the quarter of an hour within a hundredth."""
    quarters = round(seconds / 900) * 900
    near = quarters and abs(seconds - quarters) <= 0.01 * seconds
    return length(quarters if near else seconds)


def beat(seconds: float) -> str:
    """Name a beat as people do: ``the hour``, ``the week``, ``a beat of 6 h``."""
    spelled = period(seconds)
    return {"1 h": "the hour", "7 d": "the week"}.get(spelled, f"a beat of {spelled}")


def lag_words(lag: Lag | None, resolution_s: float = 0.0) -> str:
    """Spell a lag: its median, with its tenth and ninetieth percentile where they differ.

    Below ``resolution_s``, the step of a series that one end was seen in, an order cannot be told, and none is claimed.
    """
    if lag is None:
        return "after an unknown time"
    low, high = sorted((lag.p10, lag.p90))
    if resolution_s and max(abs(low), abs(high)) <= resolution_s:
        return f"within a scrape step ({length(resolution_s)})"
    if abs(lag.median) < _AT_ONCE_S and high - low < 2 * _AT_ONCE_S:
        return "at once"
    alike = high - low < max(_AT_ONCE_S, _SAME_SHARE * abs(lag.median))
    if lag.median <= -_AT_ONCE_S:
        said = f"seen {length(-lag.median)} earlier"
    else:
        said = "at once" if abs(lag.median) < _AT_ONCE_S else f"{length(lag.median)} later"
    return said if alike else f"{said} ({length(low)} to {length(high)})"
