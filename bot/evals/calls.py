"""Public routes, the calls services make to answer them, and the status a failed call turns into."""

from dataclasses import dataclass, field

from bot.evals.workloads import Workload


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """A dependency of a service: another workload, a database, or a host outside."""

    host: str
    op: str
    target: Workload | None = None
    port: int = 8080
    timeout_s: float = 10.0
    share: float = 1.0
    p: float = 0.0
    kind: str = "timeout"
    background: float = 0.00002
    expired_at: float = 0.0
    effective: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class Route:
    """A public path, the service behind it, and requests that clients send again."""

    op: str
    service: Workload
    rate: float
    again: dict[int, float] = field(default_factory=dict)
    now_rate: float = 0.0


def status_of(kind: str, seconds: float) -> int:
    """Give the HTTP status users get when a call failed this way after so long; edges give up at 30 s."""
    if seconds >= 29:
        return 504
    return {
        "pool": 503,
        "http503": 503,
        "statement": 500,
        "tls": 500,
        "reset": 502,
        "timeout": 504,
        "auth": 500,
        "bug": 500,
    }.get(kind, 503)
