"""How much CPU a throttled workload asked for: what its limit hides, judged by its requests and by when nothing held it.

While it is throttled its use says only "the limit or more". Its use per request is measured where it was not throttled, and
how often it is throttled at which share of its limit is measured over the whole window; both are taken to hold under another
limit. Leaves out which limit to choose.
"""

from collections.abc import Callable

import numpy as np

from bot.domain.entity import Entity
from bot.domain.measured import Throttling
from bot.domain.ports import SeriesShelf
from bot.domain.signal import Topology
from bot.signals.folding import Folded
from bot.signals.levels import Floats
from bot.signals.series_of import counts_requests, quantity, uses_cores

FREE = 0.02
"""Up to this share of throttled periods a sample counts as not throttled."""
LEAST_SAMPLES = 30
BINS = 60
ERRORS = 2.0
"""Standard errors that a demand may lie off: the range within which nineteen of twenty samples fall."""


def demand_of(
    shelf: SeriesShelf, entity: Entity, topology: Topology, limit: float, *, felt_at: Entity
) -> Throttling | None:
    """Measure an entity under a limit of so many cores in all; None where nobody counted its periods.

    The requests are its own where somebody counts them, else those where the incident is felt.
    """
    periods = quantity(shelf, entity, topology, lambda name: name == "container_cpu_cfs_periods_total")
    throttled = quantity(shelf, entity, topology, lambda name: name == "container_cpu_cfs_throttled_periods_total")
    if periods is None or throttled is None:
        return None
    counts = np.nan_to_num(periods.values) * periods.step
    hit = np.minimum(_laid(throttled, periods.times) * periods.step, counts)
    share = np.divide(hit, counts, out=np.zeros_like(counts), where=counts > 0)
    known = Throttling(periods=float(counts.sum()), throttled=float(hit.sum()))
    used = quantity(shelf, entity, topology, uses_cores)
    own = quantity(shelf, entity, topology, counts_requests)
    asked = own or quantity(shelf, felt_at, topology, counts_requests)
    if used is None or asked is None:
        return known
    cores, rate = _laid(used, periods.times), _laid(asked, periods.times)
    slope = _per_request(rate, cores, share)
    if slope is None:
        return known
    whose = entity if own is not None else felt_at
    demand, error = slope(np.nan_to_num(rate))
    readings = [np.maximum(np.nan_to_num(cores), demand + ERRORS * sign * error) / limit for sign in (-1.0, 0.0, 1.0)]
    risen = [(load, _risen(load, share, counts)) for load in readings]

    def spared(times: float) -> tuple[float, float]:
        found = []
        for load, knots in risen:
            less = np.interp(load, *knots) - np.interp(load / max(1.0, times), *knots)
            found.append(float(np.dot(counts, np.maximum(less, 0.0))))
        return min(found), max(found)

    return Throttling(
        periods=known.periods,
        throttled=known.throttled,
        spared=spared,
        assumption=(
            f"a request of {whose} needs as much CPU at the peak as when nothing is throttled, and throttling sets in at the same "
            "share of any limit"
        ),
    )


def _laid(folded: Folded, times: Floats) -> Floats:
    seen = np.isfinite(folded.values)
    return np.interp(times, folded.times[seen], folded.values[seen]) if seen.any() else np.zeros(len(times))


def _per_request(rate: Floats, cores: Floats, share: Floats) -> Callable[[Floats], tuple[Floats, Floats]] | None:
    """Fit use = idle + per request × requests where nothing was throttled; None where that says nothing.

    What is given maps requests to the cores they need and the standard error of such a prediction (for one new sample of a
    simple regression: Draper and Smith, Applied Regression Analysis, 1.4).
    """
    free = (share <= FREE) & (rate > 0) & (cores > 0)
    count = int(free.sum())
    if count < LEAST_SAMPLES or float(np.ptp(rate[free])) == 0.0:
        return None
    asked, used = rate[free], cores[free]
    each, idle = np.polyfit(asked, used, 1)
    if each <= 0:
        return None
    left = used - (idle + each * asked)
    scatter = float(np.dot(left, left)) / (count - 2)
    middle, spread = float(asked.mean()), float(((asked - asked.mean()) ** 2).sum())

    def needed(requests: Floats) -> tuple[Floats, Floats]:
        return idle + each * requests, np.sqrt(scatter * (1 + 1 / count + (requests - middle) ** 2 / spread))

    return needed


def _risen(load: Floats, share: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Give the throttled share by load as a line that never falls (pool adjacent violators, Ayer et al. 1955)."""
    order = np.argsort(load, kind="stable")
    pieces: list[list[float]] = []
    for chunk in np.array_split(order, min(BINS, len(order))):
        weight = float(counts[chunk].sum())
        if weight <= 0:
            continue
        pieces.append([float(load[chunk].mean()), float(np.dot(share[chunk], counts[chunk]) / weight), weight, 1.0])
        while len(pieces) > 1 and pieces[-2][1] > pieces[-1][1]:
            later, earlier = pieces.pop(), pieces.pop()
            whole = earlier[2] + later[2]
            joined = [(earlier[at] * earlier[2] + later[at] * later[2]) / whole for at in (0, 1)]
            pieces.append([*joined, whole, earlier[3] + later[3]])
    return np.array([one[0] for one in pieces]), np.array([one[1] for one in pieces])
