"""Sixty questions as people type them into an incident's thread, over twelve incidents, and what a right answer holds.

Written from each incident's truth before any of them was asked: 27 of the first forty were right at first try, of twenty held
out 13, and 15 of these once the engine was mended on the forty alone. A row is as in ``asked_of_story``.
"""

SEED = 11
THREADS = {
    "story": (
        ("is this a mem leak", "unrelated|unknown", "no sign|not|cut|cube-build"),
        ("will it happen agian tonight?", "answered|related", "22 Nov 00:|2026-11-22T00"),
        ("how many reqs were hit", "answered", "5\\d\\d"),
        ("can i close this", "answered", "not|still|next|22 Nov|21 Nov"),
        ("compare with tuesday", "answered|related|unknown", "Tue 17 Nov 4 episodes"),
    ),
    "memory-leak": (
        ("mem leak?", "related", "loyalty"),
        ("whodunnit", "answered|related|unknown", "loyalty|nobody|who|no person"),
        ("why not the cart deploy", "answered|unrelated", "cart"),
        ("is it loyaltys heap or the node", "related|answered", "loyalty"),
        ("bump the limit?", "answered", "limit|Mi|roll"),
    ),
    "gc-liveness": (
        ("is this a mem leak", "related|answered|unknown", "heap|collection|GC"),
        ("gc?", "related|answered", "search|collection"),
        ("why does k8s keep killing search", "answered|related", "probe|liveness"),
        ("shuold we just turn off the liveness probe", "answered", "probe|timeout|liveness"),
        ("is the jvm ok", "related|answered", "search|collection|heap|GC"),
    ),
    "node-loss": (
        ("which node died", "answered|related", "^Fri 20 Nov .*aks-nodes-538ddf19-vmss000003"),
        ("did we lose capacity", "related|answered", "billing|room|node"),
        ("can I close this", "answered", "20 Nov|ended|since|over"),
        ("what about yesterday", "answered|unknown", "20 Nov"),
        ("how long were we down for", "answered", "1 h|72 min|h 1"),
    ),
    "dns-throttling": (
        ("dns again?", "related|answered", "coredns"),
        ("is it the db?", "unrelated|unknown|answered", "no sign|database|not"),
        ("show me the lines", "answered", "coredns|tariffs|cart|gateway|evidence|\\["),
        ("whats ndots got to do with it", "answered|related|unknown", "resolve"),
        ("why only during the day", "answered|related", "traffic|peak|time of day|09|UTC"),
    ),
    "quota-block": (
        ("who changed the quota", "answered|unknown|related", "namespace-budget"),
        ("what was the quota before", "answered|unknown", "namespace-budget|new|created|not|before"),
        ("what should I do now", "answered", "quota|namespace-budget"),
        ("y can't cart scale", "answered|related", "quota|namespace-budget"),
        ("when did someone touch the namespace budget", "answered|related", "19 Nov 03:00"),
    ),
    "rotated-secret": (
        ("who changed it", "answered|related|unknown", "app-db-credentials"),
        ("is it the db?", "related|answered", "app-db|sessions|password|secret"),
        ("r we good now?", "answered", "19 Nov 10:|ended|over|since"),
        ("just restart sessions?", "answered", "sessions|restart"),
        ("are all services on the new password", "answered|related|unknown", "sessions|app-db-credentials"),
    ),
    "image-pull": (
        ("registry down?", "related|answered", "registry.acme.example"),
        ("can we roll search back", "answered", "search|roll"),
        ("how many users were affected", "answered|unknown", "not counted"),
        ("is 7.1.5 bad", "related|answered|unknown", "7.1.5|image|search"),
        ("what abt the bookings rollout", "unrelated|answered", "bookings"),
    ),
    "cpu-throttling": (
        ("are we under-provisioned", "related|answered|unknown", "loyalty|CPU|limit|300m"),
        ("whats the cpu limit on loyalty", "answered", "300"),
        ("is it the traffic", "related|answered|unknown", "traffic|peak|loyalty"),
        ("would doubling cpu help?", "answered|related", "CPU|limit|600|loyalty"),
        ("does it recover at nite", "answered|related", "20:|19:|night|ended|UTC"),
    ),
    "lock-pool-retry": (
        ("whos holding the lock", "answered|related", "stats-rebuild|ALTER|orders-db"),
        ("can we move the job to sunday", "answered", "stats-rebuild"),
        ("is shipping ddosing the db", "related|answered|unknown", "shipping|retr"),
        ("eta next one", "answered", "22 Nov 00:3|2026-11-22T00:3"),
        ("which query", "answered|related", "ALTER TABLE|lock|quer"),
    ),
    "no-incident": (
        ("so are we fine?", "answered", "no incident|nothing"),
        ("why did i get paged then", "answered|unknown", "no incident|nothing|alert"),
        ("can I go back to bed", "answered", "no incident|nothing"),
        ("anything weird on thursday?", "answered|unknown", "19 Nov|nothing|none"),
    ),
    "expired-certificate": (
        ("did a cert expire", "related|answered", "shipping-tls"),
        ("why wasnt it renewed", "answered", "could not be renewed"),
        ("are you sure", "answered", "medium|high|low"),
        ("is it still broken", "answered|unknown", "21 Nov|22 Nov|window|still"),
        ("when does the new cert run out", "unknown|answered", "shipping-tls|21 Nov|not"),
        ("was it the catalog thing on tues", "unrelated|answered|unknown", "catalog"),
    ),
}  # fmt: skip
