"""The log stores and Jira in every situation they can be in; ``over_http`` opens a source at a server of faults."""

from store_http import LINES, MANY, STORES, PlayedJira, jira_source


def rows(situation, over_http, failing_first, busy, slowed):
    """Give the rows, made of what ``situations`` makes its own of."""
    made = {name: (make, lambda lines, played=played: played(lines)) for name, (make, played) in STORES.items()}
    made["jira"] = (jira_source, lambda lines: PlayedJira(len(lines)))
    for name, (make, played) in made.items():
        few = LINES[:6] if name == "jira" else LINES

        def row(case, items, reply=None, *, make=make, name=name, played=played, few=few, **more):
            opened = over_http(make, reply or played(few))
            return situation(source=name, name=case, opened=opened, items=items, **more)

        yield row("happy", len(few))
        yield row("empty", 0, reply=played([]))
        yield row("429", len(few), reply=failing_first(played(few), slowed, slowed))
        yield row("5xx", len(few), reply=failing_first(played(few), busy, busy))
        huge = MANY[:200] if name == "jira" else MANY
        yield row("huge", len(huge), reply=played(huge), within_s=20.0)
