"""Alertmanager's webhook: a group that fires asks for an investigation, once for each time it fires.

Alertmanager delivers at least once and again every few hours, so a firing has a key; it repeats what was answered with 5xx
and nothing else, so that is said only of what may work later. Annotations are not read: anybody's text may stand in them.

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (version 4).
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from aiohttp import web

from bot.domain.alerts import Firing
from bot.errors import RootcauseError, UsageError

log = logging.getLogger("rootcause.alerts")

PATH = "/alertmanager/webhook"
MOST_NAMES = 5
Outcome = Literal["taken", "known", "refused", "later"]
Take = Callable[[Firing], Awaitable[Outcome]]

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,98}[A-Za-z0-9])?")
_NAMESPACES = ("namespace", "exported_namespace", "kubernetes_namespace")
_WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob", "job_name", "horizontalpodautoscaler", "service", "pod", "node")  # fmt: skip


def add_alert_webhook(application: web.Application, secret: Callable[[], str], take: Take) -> None:
    """Add the address; ``secret`` gives the bearer token that is expected, ``take`` stores a firing before it returns."""

    async def webhook(request: web.Request) -> web.Response:
        if not _may(request, secret):
            return web.Response(status=401, text="a bearer token is needed\n")
        try:
            told = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400, text="this is not JSON\n")
        firing = read_firing(told)
        if firing is None:
            return web.Response(text="nothing fires here\n")
        try:
            outcome = await take(firing)
        except RootcauseError as error:
            log.warning("an alert could not be taken", extra={"error": type(error).__name__})
            outcome = "later"
        log.info("alert", extra={"outcome": outcome, "alerts": firing.count})
        return web.Response(status=503 if outcome == "later" else 200, text=f"{outcome}\n")

    application.router.add_post(PATH, webhook)


def _may(request: web.Request, secret: Callable[[], str]) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        expected = secret()
    except UsageError:
        log.exception("the webhook's secret cannot be read")
        return False
    return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode())


def read_firing(told: object) -> Firing | None:
    """Read a notification; None where nothing of it fires, or where it is none."""
    if not isinstance(told, Mapping) or not isinstance(told.get("alerts"), list):
        return None
    alerts = [each for each in told["alerts"] if isinstance(each, Mapping) and each.get("status") == "firing"]
    labels = [each["labels"] for each in alerts if isinstance(each.get("labels"), Mapping)]
    names = _values(labels, ("alertname",))
    if not alerts or not names:
        return None
    starts = sorted(at for each in alerts if (at := _instant(each.get("startsAt"))) is not None)
    group = str(told.get("groupKey") or sorted(str(each.get("fingerprint")) for each in alerts))
    named = f"{group}\n{starts[0].isoformat() if starts else ''}"
    return Firing(
        key=f"alert:{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()[:24]}",
        names=names,
        namespaces=_values(labels, _NAMESPACES),
        about=_values(labels, _WORKLOADS),
        count=len(alerts),
        since=starts[0] if starts else None,
    )


def _values(labels: Iterable[Mapping[object, object]], keys: Sequence[str]) -> tuple[str, ...]:
    found = [str(each[key]) for each in labels for key in keys if isinstance(each.get(key), str)]
    return tuple(dict.fromkeys(name for name in found if _NAME.fullmatch(name)))[:MOST_NAMES]


def _instant(told: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
