"""One case's way to a model: packed and redacted on the way out, pseudonyms turned back on the way in."""

from collections.abc import Mapping

from bot.analyst.packing_text import unescape
from bot.casefile.case import Case
from bot.domain.model import TextBlock
from bot.investigation.model_analyst import Handed
from bot.investigation.packing import pack_case
from bot.redaction.gate import Gate


class CaseEgress:
    """The gate of a case, and the case packed through it."""

    def __init__(self, case: Case, gate: Gate) -> None:
        self._case = case
        self._gate = gate

    @property
    def removed(self) -> Mapping[str, int]:
        """What was taken out so far, by kind."""
        return dict(self._gate.removed)

    def clean(self, text: str) -> str:
        """Take out what must not leave."""
        return self._gate.mask(text)

    def restore(self, text: str) -> str:
        """Turn pseudonyms back."""
        return self._gate.unmask(text)

    def verbatim(self, quote: str, original: str) -> str | None:
        """Give the stored words behind a quote, as far as no secret lies over them."""
        found = self._gate.locate(unescape(quote), original)
        return found.clean if found is not None else None

    def pack(self, tokens: int, order: int, *, digest: bool) -> Handed:
        """Pack the case; what a follow-up packs from the kept case is the same, byte for byte."""
        packed = pack_case(self._case, self._gate, budget=tokens, economy=digest, order=order)
        *first, last = packed.blocks
        prefix = (*(TextBlock(text=text) for text in first), TextBlock(text=last, cacheable=True))
        return Handed(prefix=prefix, read=packed.read, tokens=packed.tokens, withheld=packed.withheld)
