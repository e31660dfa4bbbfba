"""One packing under way: what it packs, through which gate, and what it has left out so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.analyst.packing_material import Material, Section
from bot.analyst.packing_parts import Outlet
from bot.analyst.packing_tokens import Family, estimate

_ELEMENT = 40
"""Tokens of a section's element and title."""


@dataclass(slots=True, kw_only=True)
class Work:
    """``read`` says for each source how much of it is in; ``order`` is 0 for the natural order."""

    material: Material
    outlet: Outlet
    family: Family
    order: int
    read: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    all_or_nothing: bool = False
    """Whether this is the try to pack everything, which ends as soon as something does not fit."""

    def section(self, name: str, title: str, rows: Sequence[str], *, untrusted: bool = True) -> Section:
        """Make a section of rows."""
        tokens = self.tokens(rows, name) + _ELEMENT
        return Section(name=name, title=title, text="\n".join(rows), tokens=tokens, untrusted=untrusted)

    def tokens(self, rows: Sequence[str], name: str) -> int:
        """Estimate what rows of the section ``name`` cost."""
        return estimate("\n".join(rows), self.family, name)

    def fits(self, rows: Sequence[str], room: int, name: str) -> bool:
        """Tell whether rows of the section ``name`` stay within ``room`` tokens."""
        return self.tokens(rows, name) <= room
