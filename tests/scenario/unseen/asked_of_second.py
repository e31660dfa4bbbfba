"""What engineers ask in the threads of the second examination (``incidents_second_*``), and what a right answer must hold.

Written from each incident's truth before any question was put. A row as in ``asked_of_story``.
"""

from asked_of_story import DUNNO, NO, NOT_YES, OPEN, SHOWN, TOLD, YES

SECOND = {
    "wal-left-behind": (
        ("was ledger-api 6.3.0 the reason?", NO, "ledger-api"),
        ("when did the disk begin to fill?", f"{SHOWN}|{TOLD}", "Tue 03 Mar 09:|3 Mar 09:|09:2"),
    ),
    "poison-orders": (
        ("is invoicer 2.2.0 to blame?", NO, "invoicer"),
        ("which exception did the consumer throw?", SHOWN, "deserializ|Mismatched"),
    ),
    "lock-queue": (
        ("did finance-report cause it?", NOT_YES, "finance-report"),
        ("was payments-ui 11.1.0 related?", NO, "payments-ui"),
    ),
    "evicted-sessions": (
        ("is accounts 5.6.0 the cause?", NO, "accounts"),
        ("why did redis evict keys?", f"{SHOWN}|{TOLD}|{YES}", "memory|maxmemory|recos"),
    ),
    "conntrack-full": (
        ("is thumbs-gc related?", NO, "thumbs-gc"),
        ("when will it happen again?", OPEN, "04:|Thu|12 Mar"),
    ),
    "clock-drift": (
        ("which pods issued the refused tokens?", SHOWN, "auth|node-c"),
        ("what ended it?", f"{SHOWN}|{TOLD}", "chrony|node-c"),
    ),
    "ceiling-lowered": (
        ("does rolling back menu help?", f"{TOLD}|{NO}|{DUNNO}", r"\bnot\b|no "),
        ("what was maxReplicas before?", f"{SHOWN}|{TOLD}|{DUNNO}", "12|not"),
    ),
    "short-keepalive": (
        ("since when do we have them?", f"{SHOWN}|{TOLD}", "14:1|Tue"),
        ("is gzip in nginx the reason?", NOT_YES, "gzip|ConfigMap|ingress"),
    ),
    "provider-down": (
        ("so was it checkout 9.10.0?", NOT_YES, "checkout"),
        ("is stripe down?", f"{YES}|{SHOWN}|{TOLD}", "stripe"),
    ),
    "outside-database": (
        ("is score-leads the culprit?", NOT_YES, "score-leads"),
        ("how often did score-leads run without harm?", f"{SHOWN}|{TOLD}|{NO}", "2[34]"),
    ),
    "lost-logs": (
        ("was guide down after 6.1.0?", f"{NO}|{TOLD}|{DUNNO}", r"\bno\b|\bnot\b|none"),
        ("are there no logs between 11:02 and 12:12?", f"{SHOWN}|{TOLD}", r"\bno\b|nothing|gap|none"),
    ),
    "scanned": (
        ("who got the 404s?", SHOWN, "45.155|one address|wp-login"),
        ("is 77.1.0 to blame for the 4xx?", NOT_YES, "site"),
    ),
    "paused-consumer": (
        ("is uploads 4.5.0 to blame?", NO, "uploads"),
        ("when did the queue begin to grow?", f"{SHOWN}|{TOLD}", "10:1"),
    ),
    "expired": (
        ("was docs-api 12.1.0 related?", NOT_YES, "docs-api"),
        ("which certificate expired?", f"{SHOWN}|{TOLD}|{YES}", "vault"),
    ),
    "sixty-seconds": (
        ("so it is not reports 2.1.0?", NOT_YES, "reports"),
        ("how long did the failed requests take?", f"{SHOWN}|{TOLD}", "60|1 min"),
    ),
    "pooler-scaled": (
        ("does tariffs 4.1.0 leak connections?", NOT_YES, "tariffs"),
        ("who was scaled?", f"{SHOWN}|{TOLD}|{YES}", "pgbouncer"),
    ),
    "both-at-once": (
        ("is it the cache?", f"{DUNNO}|{YES}", "cache"),
        ("is it offers 1.1.0?", f"{DUNNO}|{YES}", "offers"),
    ),
    "unscraped": (
        ("was tiles down?", f"{NO}|{TOLD}|{DUNNO}", r"\bno\b|\bnot\b|none"),
        ("are there samples between 09:01 and 09:13?", f"{SHOWN}|{TOLD}", r"\bno\b|nothing|gap|none"),
    ),
}  # fmt: skip

AMISS = frozenset(
    {
        ("wal-left-behind", "when did the disk begin to fill?"),
        ("lock-queue", "was payments-ui 11.1.0 related?"),  # none of its lines were read
        ("evicted-sessions", "is accounts 5.6.0 the cause?"),
        ("conntrack-full", "is thumbs-gc related?"),
        ("clock-drift", "which pods issued the refused tokens?"),
        ("lost-logs", "was guide down after 6.1.0?"),
        ("clock-drift", "what ended it?"),
        ("paused-consumer", "is uploads 4.5.0 to blame?"),
        ("sixty-seconds", "so it is not reports 2.1.0?"),
        ("sixty-seconds", "how long did the failed requests take?"),
        ("pooler-scaled", "does tariffs 4.1.0 leak connections?"),
        ("unscraped", "was tiles down?"),
        ("unscraped", "are there samples between 09:01 and 09:13?"),
    }
)
"""The questions that are answered wrongly so far."""
