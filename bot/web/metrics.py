"""Counts for operators, in Prometheus' text format; no label carries what people wrote or where."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_WORK_S = (0.5, 1, 2, 5, 10, 20, 60, 180, 600, 1800)
_STAGE_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Metrics:
    """Implements the desk's ``Meter``, and counts calls to Slack; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._work = Histogram(
            "rootcause_work_seconds",
            "From the question to the answer, by kind and outcome; its count is the number of investigations.",
            ("kind", "outcome"),
            buckets=_WORK_S,
            registry=self.registry,
        )
        self._stages = Histogram(
            "rootcause_stage_seconds", "Stages of investigations.", ("stage",), buckets=_STAGE_S, registry=self.registry
        )
        self._queued = Gauge("rootcause_queued", "Investigations that wait for their turn.", registry=self.registry)
        self._running = Gauge("rootcause_running", "Investigations that run.", registry=self.registry)
        self._tokens = Counter(
            "rootcause_tokens",
            "Tokens a model read (input) and wrote (output).",
            ("direction",),
            registry=self.registry,
        )
        self._calls = Counter(
            "rootcause_slack_calls",
            "Calls to Slack by method and outcome.",
            ("method", "outcome"),
            registry=self.registry,
        )
        for direction in ("input", "output"):
            self._tokens.labels(direction)
        for outcome in ("done", "failed", "cancelled"):
            self._work.labels("investigate", outcome)

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a piece of work that came to its end."""
        self._work.labels(kind, outcome).observe(max(0.0, seconds))

    def took(self, stage: str, seconds: float) -> None:
        """Note how long a stage took."""
        self._stages.labels(stage).observe(seconds)

    def waiting(self, queued: int, running: int) -> None:
        """Note how much work waits and runs."""
        self._queued.set(queued)
        self._running.set(running)

    def spent(self, direction: str, tokens: int) -> None:
        """Add tokens."""
        self._tokens.labels(direction).inc(tokens)

    def called(self, method: str, outcome: str) -> None:
        """Count a call to Slack."""
        self._calls.labels(method, outcome).inc()

    def page(self) -> bytes:
        """Give everything counted in the text format."""
        return generate_latest(self.registry)
