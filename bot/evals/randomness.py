"""Reproducible randomness for the simulator: named streams, so that a new draw in one part shifts no other part."""

import math
import random

KUBE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters Kubernetes makes name suffixes of (apimachinery ``rand.String``)."""


class Dice(random.Random):
    """A seeded generator with the few distributions the simulation needs."""

    def poisson(self, mean: float) -> int:
        """Draw a Poisson count; the normal approximation serves above 40."""
        if mean <= 0:
            return 0
        if mean > 40:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def suffix(self, length: int = 5) -> str:
        """Make a name suffix as the API server does."""
        return "".join(self.choice(KUBE_ALPHABET) for _ in range(length))

    def hex(self, length: int) -> str:
        """Make a string of hexadecimal digits."""
        return f"{self.getrandbits(4 * length):0{length}x}"

    def uid(self) -> str:
        """Make an object uid."""
        h = self.hex(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def skewed(self, median: float, sigma: float) -> float:
        """Draw a log-normal value with the given median."""
        return median * math.exp(self.gauss(0.0, sigma))


def dice(*parts: object) -> Dice:
    """Make the stream that belongs to the given parts, the same on every machine."""
    return Dice("/".join(str(part) for part in parts))
