"""Sort out, before anything else is asked of them, the runs of lines that surely never came in numbers.

Thousands of kinds of lines that nobody knows are held against their background, and nearly all of them never burst. The
compiled loop asks what ``bursts`` asks and errs on the side of yes, so what it lets through is the same with it and without.
"""

import numpy as np
from numpy.typing import NDArray

from bot.native.batch import address
from bot.native.kernel import kernel
from bot.signals.bursts import Exposure, Floats, few_lines, fold_gap_s
from bot.signals.hot_bins import SCALES_BINS


def may_burst(
    times_s: Floats, bounds: NDArray[np.int64], start_s: float, end_s: float, exposure: Exposure, least: int
) -> NDArray[np.bool_]:
    """Tell of each run ``times_s[bounds[n] : bounds[n + 1]]``, in any order, whether it may hold a burst of ``least`` lines.

    No is sure; without compiled loops all of them may.
    """
    told = np.ones(len(bounds) - 1, dtype=bool)
    compiled = kernel()
    if compiled is None:
        return told
    stretches = exposure.per_stretch if exposure.stretch else np.zeros(0)
    least_sums = [exposure.least.get(width) for width in SCALES_BINS]
    code = compiled.rootcause_may_burst(
        address(times_s),
        address(bounds),
        len(told),
        few_lines(start_s, end_s),
        fold_gap_s(end_s - start_s),
        least,
        start_s,
        len(exposure.bins),
        address(exposure.bins),
        exposure.total,
        exposure.stretch,
        len(stretches),
        address(stretches),
        *(None if sums is None else address(sums) for sums in least_sums),
        address(told),
    )
    if code:
        raise MemoryError
    return told
