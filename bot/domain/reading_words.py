"""How a model's reading and its cost are said, once for every face; each face makes the words safe in its own way."""

from collections.abc import Sequence

from bot.domain.report import Reading, Usage, Vote

MOST_DROPPED = 4
MOST_VOTES = 6
MOST_PARTS = 6


def analyst_words(usage: Usage, reading: Reading | None = None) -> str:
    """Say who answered, and what was read, written and paid for it."""
    asked = usage.tokens_in + usage.tokens_cached or (reading is not None and reading.failure)
    if usage.analyst == "offline" and not asked:
        return "offline analyst, no model, nothing sent"
    who = (
        "offline analyst, after a model that gave no answer"
        if usage.analyst == "offline"
        else f"{usage.analyst} analyst"
    )
    return f"{who}, {cost_words(usage)}"


def cost_words(usage: Usage) -> str:
    """Say what was read, how much of it from the cache, what was written, and the price."""
    read = usage.tokens_in + usage.tokens_cached
    cached = f" ({usage.tokens_cached:,} of them cached)" if usage.tokens_cached else ""
    return f"{read:,} tokens read{cached}, {usage.tokens_out:,} written, ${usage.cost_usd:.2f}"


def reading_rows(reading: Reading) -> list[str]:
    """Say how a model's answer stood up, a sentence each; names and words in them come from the incident or the model."""
    if reading.failure:
        return [f"No answer of {reading.model}, so this is the offline analyst's: {reading.failure}"]
    partly = {source: words for source, words in reading.handed.items() if not _is_whole(words)}
    whole = (
        "all of the case" if reading.handed and not partly else "the case as far as it fits" if partly else "the case"
    )
    what = "a digest of the case" if reading.mode == "digest" else whole
    looked = f" and looked up {reading.requests} more" if reading.requests else ""
    agreed = "and names the cause that is published" if reading.agrees else "and names no cause that stands"
    rows = [f"{reading.model} read {what}{looked}, {agreed}."]
    rows += [f"In its own words: “{reading.words}”"] if reading.words else []
    rows += list(reading.differences)
    rows += [f"{one.summary}: quoted, untested ({', '.join(one.evidence)})." for one in reading.unmeasured]
    if reading.dropped:
        # what exactly stood there is the model's own text, which only the JSON report repeats
        shown = "; ".join(f"{one.kind.replace('_', ' ')} at {one.where}" for one in reading.dropped[:MOST_DROPPED])
        more = f"; and {len(reading.dropped) - MOST_DROPPED} more" if len(reading.dropped) > MOST_DROPPED else ""
        rows.append(f"Of its answer {len(reading.dropped)} did not hold: {shown}{more}.")
    if reading.votes:
        rows.append(votes_words(reading.votes))
    rows += [f"Of {source} it was handed {words}." for source, words in list(partly.items())[:MOST_PARTS]]
    if reading.redacted:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(reading.redacted.items()))
        rows.append(f"Held back from it: {counts}.")
    return rows


def _is_whole(words: str) -> bool:
    """Tell words for all of a source from those for a part of it, as the packer says them."""
    return words.startswith("all ") and not any(part in words for part in (" of ", "means", "shifts"))


def votes_words(votes: Sequence[Vote]) -> str:
    """Say how many of several readings tie what to what: those that differ by name, those that agree by their number."""
    of = votes[0].of
    split = [one for one in votes if one.agree < of]
    agreed = len(votes) - len(split)
    if not split:
        return (
            f"All {of} readings name the same {agreed} links."
            if agreed > 1
            else f"All {of} readings name the same link."
        )
    told = [f"{one.cause} → {one.effect} in {one.agree}" for one in split[:MOST_VOTES]]
    told += [f"{len(split) - MOST_VOTES} more links not in all"] if len(split) > MOST_VOTES else []
    told += [f"{agreed} other link{'s' if agreed > 1 else ''} in all {of}"] if agreed else []
    return f"Of {of} readings: {'; '.join(told)}."
