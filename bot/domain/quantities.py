"""Quantities as Kubernetes writes them, as numbers (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""

import re

_QUANTITY = re.compile(r"(?P<number>-?\d+(?:\.\d+)?)(?P<unit>m|s|h|ms|%|[KMGTPE]i|[kMGTPE])?")
_FACTORS = {
    "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def number_of(shown: str, name: str = "") -> float | None:
    """Read a quantity as a number: CPU in cores, memory in bytes, durations in seconds, percentages as they stand.

    ``m`` is a thousandth in a CPU quantity and a minute in a duration; the setting's name decides.
    """
    found = _QUANTITY.fullmatch(shown)
    if found is None:
        return _duration_s(shown)
    number, unit = float(found["number"]), found["unit"]
    if unit in (None, "%", "s"):
        return number
    if unit in {"h", "ms"}:
        return number * (3600.0 if unit == "h" else 0.001)
    if unit == "m" and not re.search(r"cpu|averageValue|value$", name, re.IGNORECASE):
        return number * 60.0
    return number * _FACTORS[unit]


def _duration_s(shown: str) -> float | None:
    found = re.fullmatch(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?", shown)
    if found is None or not any(found.groups()):
        return None
    return float(found["h"] or 0) * 3600 + float(found["m"] or 0) * 60 + float(found["s"] or 0)
