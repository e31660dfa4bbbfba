"""What could not be read, summed into few sentences: a rule that is missing for forty lists is one Gap, not forty."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from bot.domain.items import Gap

NAMED = 4
LONGEST = 380


class Losses:
    """Collects losses by source and reason."""

    def __init__(self) -> None:
        self._lost: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._said: list[Gap] = []

    def add(self, source: str, what: str, why: str) -> None:
        """Note that something could not be read, and why."""
        self._lost[source, why].append(what)

    def say(self, source: str, what: str, *, lost: bool = True, count: int = 1) -> None:
        """Note a whole sentence."""
        self._said.append(Gap(source=source, what=what[:LONGEST], lost=lost, count=max(1, count)))

    def gaps(self) -> Iterator[Gap]:
        """Give everything noted, in a fixed order."""
        for (source, why), what in sorted(self._lost.items()):
            yield Gap(source=source, what=f"{listed(what)} could not be read: {why}"[:LONGEST], count=len(what))
        yield from self._said


def listed(names: Sequence[str]) -> str:
    """Name the first few and count the rest."""
    if len(names) <= NAMED:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
