"""What engineers ask in the threads of the examined incidents (``incidents_examined*``), and what a right answer must hold.

Written from each incident's truth before any question was put. A row as in ``asked_of_story``.
"""

from asked_of_story import DUNNO, NO, NOT_YES, OPEN, SHOWN, TOLD, YES

EXAMINED = {
    "flag-for-some": (
        ("was tax-rates 2.4.0 related?", NO, "tax-rates"),
        ("did somebody turn a feature flag on?", f"{YES}|{SHOWN}", "pricing"),
        ("which tenants are hit?", f"{SHOWN}|{TOLD}", "-eu|acme|borealis|cordoba"),
    ),
    "search-domains": (
        ("did reader 3.2.0 cause the 502s?", NO, "reader"),
        ("is coredns the root cause or just a victim?", f"{YES}|{TOLD}", "crawler"),
        ("why was coredns killed?", f"{SHOWN}|{TOLD}|{YES}", "memory|OOM"),
    ),
    "synced-together": (
        ("is it stock 12.0.0?", DUNNO, "prices|cannot|not"),
        ("was it prices then?", DUNNO, "stock|cannot|not"),
        ("what would tell the two apart?", TOLD, "back|alone|one"),
    ),
    "never-happened": (
        ("so did payments time out on Wednesday night or not?", f"{NO}|{TOLD}|{DUNNO}", r"\bno\b|\bnot\b|none"),
        ("is the settlement job to blame?", NOT_YES, "settlement"),
        ("was payments 7.0.3 the reason?", NOT_YES, "payments"),
    ),
    "ids-run-out": (
        ("does rolling back ingest help?", f"{TOLD}|{NO}", r"\bnot\b|still|no "),
        ("what did the database say?", SHOWN, "nextval|reached maximum"),
        ("is postgres to blame?", YES, "postgres"),
    ),
    "busy-hourly-job": (
        ("is overdue-scan behind the 502s?", NO, "overdue-scan"),
        ("are the deadlocks related?", NOT_YES, "deadlock"),
        ("how often does overdue-scan run?", f"{TOLD}|{SHOWN}", "hour|1 h|60 min|40 "),
    ),
    "daily-quota": (
        ("is crm-enrich related?", YES, "crm-enrich"),
        ("is the catalog export part of it?", NO, "catalog-export"),
        ("when does it get better on its own?", OPEN, "."),
    ),
}  # fmt: skip

AMISS: frozenset[tuple[str, str]] = frozenset()
"""The questions that are answered wrongly so far."""
