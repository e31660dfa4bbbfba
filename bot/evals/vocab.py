"""Names a simulated company could use, drawn by seed; nothing here is read by the program that analyses incidents."""

from dataclasses import dataclass

from bot.evals.randomness import Dice

COMPANIES = (
    "acme",
    "northwind",
    "fjordline",
    "papaya",
    "quillon",
    "tessera",
    "oakmont",
    "brightlane",
    "lumenco",
    "harbor",
)
APP_SPACES = ("prod", "shop", "platform", "core", "storefront", "live", "checkout", "web", "main", "customer")
BATCH_SPACES = ("data", "batch", "analytics", "warehouse", "bi", "data-platform", "pipelines")
EDGES = ("api-gateway", "edge", "gateway", "public-api", "frontdoor", "ingress-edge", "api-edge")
SLOW_SERVICES = (
    "reports",
    "quote-engine",
    "pdf-render",
    "statements",
    "exports",
    "route-planner",
    "valuation",
    "doc-builder",
)
SERVICES = (
    "orders", "catalog", "accounts", "search", "inventory", "billing", "profile", "pricing", "notifications", "cart", "shipping",
    "sessions", "media", "loyalty", "bookings", "tickets", "ledger", "tariffs", "recommendations", "addresses", "fulfilment",
)  # fmt: skip
ETL_JOBS = (
    "sales-rollup",
    "etl-orders",
    "warehouse-sync",
    "clickstream-etl",
    "cube-build",
    "daily-facts",
    "dwh-load",
    "segment-refresh",
)
BACKUP_JOBS = ("pg-backup", "nightly-backup", "db-dump", "snapshot-nightly", "wal-archive")
WEEKLY_JOBS = ("cert-audit", "weekly-digest", "vacuum-weekly", "image-prune", "license-report")
SIDE_SERVICES = (
    "thumbnailer",
    "mail-relay",
    "geoip-cache",
    "feature-flags",
    "audit-sink",
    "webhook-sender",
    "translator",
    "avatar-proxy",
)
DATABASES = ("postgres", "pg-main", "orders-db", "app-db", "pgsql", "maindb")
TABLES = ("orders", "bookings", "invoices", "customers", "stock_levels", "payments", "subscriptions", "shipments")
EXTERNAL = {
    "payment": ("api.paystream.example", "gw.cardlane.example", "secure.tillpay.example", "api.acquira.example"),
    "geo": ("geo.placefind.example", "api.mapquarry.example"),
    "email": ("smtp-api.postwing.example", "api.mailroost.example"),
    "tax": ("rates.taxmeter.example", "api.vatbridge.example"),
    "fraud": ("score.riskwell.example", "api.sentrascore.example"),
}
PEOPLE = (
    ("Maren Holt", "maren"), ("Jiho Park", "jiho"), ("Priya Nair", "priya"), ("Tomasz Zielinski", "tomasz"), ("Amara Obi", "amara"),
    ("Lucas Ferreira", "lucas"), ("Ines Duarte", "ines"), ("Oskar Lind", "oskar"), ("Yuki Tanaka", "yuki"), ("Dana Weiss", "dana"),
    ("Samir Haddad", "samir"), ("Chloe Martin", "chloe"), ("Ravi Menon", "ravi"), ("Greta Voss", "greta"),
)  # fmt: skip
NODE_STYLES = (
    "ip-10-0-{a}-{b}.eu-central-1.compute.internal",
    "gke-{c}-pool-1-{h}",
    "aks-nodes-{h}-vmss00000{i}",
    "worker-{i}",
    "{c}-node-{i}",
)
STYLES = ("pino", "zap", "logback", "logfmt", "python", "log4j")
RESOURCES = ("items", "quotes", "sessions", "prices", "baskets", "offers", "slots", "addresses", "preferences", "hints")


@dataclass(slots=True, kw_only=True)
class Cast:
    """The names one seed uses."""

    company: str
    app: str
    batch: str
    edge: str
    slow: str
    services: list[str]
    etl: str
    backup: str
    weekly: str
    side: list[str]
    database: str
    table: str
    people: list[tuple[str, str]]
    node_style: str
    channel: str
    project: str


def cast(rng: Dice) -> Cast:
    """Draw the names of one company."""
    company = rng.choice(COMPANIES)
    services: list[str] = rng.sample(SERVICES, 6)
    channel = rng.choice(("incident-{n}", "inc-{n}", "incidents", "ops-war-room", "sre-incidents")).format(
        n=rng.randrange(118, 990)
    )
    return Cast(
        company=company,
        app=rng.choice(APP_SPACES),
        batch=rng.choice(BATCH_SPACES),
        edge=rng.choice(EDGES),
        slow=rng.choice(SLOW_SERVICES),
        services=services,
        etl=rng.choice(ETL_JOBS),
        backup=rng.choice(BACKUP_JOBS),
        weekly=rng.choice(WEEKLY_JOBS),
        side=rng.sample(SIDE_SERVICES, 3),
        database=rng.choice(DATABASES),
        table=rng.choice(TABLES),
        people=rng.sample(PEOPLE, 7),
        node_style=rng.choice(NODE_STYLES),
        channel=channel,
        project=rng.choice(("OPS", "SRE", "INC", "PLAT", "INFRA")),
    )


def node_name(style: str, index: int, company: str, rng: Dice) -> str:
    """Name a node in the style of a cloud or a bare cluster."""
    return style.format(a=rng.randrange(10, 90), b=rng.randrange(4, 250), c=company, h=rng.hex(8), i=index)
