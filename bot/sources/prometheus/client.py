"""Ask Prometheus's HTTP API through its client library, with what the library drops kept: warnings and partial answers.

The library is given a session with a wall-clock deadline, a byte cap and no retries of its own (``wire``); a hook of that
session sees the whole answers. Exemplars and Alertmanager are not in the library and are asked through the same session.

API: https://prometheus.io/docs/prometheus/latest/querying/api/
"""
# ruff: noqa: ANN401 - decoded JSON may be anything

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect

from bot.wire import BrokenError, Deadline, Limits, Login, RejectedError, WireSession, json_of

LIMITS = Limits(answer_bytes=96 * 1024 * 1024, total_bytes=2 * 1024**3, at_once=4)
PARTIAL = {"partial_response": "true"}
"""Thanos: rather a part, with a warning that is kept, than nothing where one of its stores is away. Others overlook it."""
_MOST_WARNINGS = 40
_WARNED = (b'"warnings"', b'"isPartial":true', b'"isPartial": true')


class Client:
    """One Prometheus under one deadline; every method raises WireError where no answer came.

    ``warnings`` counts what the server said about answers that were not whole. Call from several threads if you like.
    """

    def __init__(self, url: str, deadline: Deadline, login: Login, limits: Limits = LIMITS) -> None:
        self.session = WireSession(deadline, login=login, limits=limits)
        self.session.hooks["response"].append(self._note_warnings)
        self.url = url.rstrip("/")
        self.warnings: Counter[str] = Counter()
        self.odd: Counter[str] = Counter()
        """What was odd in answers, counted by whoever reads them"""
        self._connect = PrometheusConnect(url=self.url, session=self.session)

    def names(self, matcher: str, start: datetime, end: datetime) -> Sequence[str]:
        """Give the names of the metrics that a selector matches within a span."""
        params = {"match[]": matcher, "start": start.timestamp(), "end": end.timestamp()} | PARTIAL
        return [str(name) for name in self._list(lambda: self._connect.get_label_values("__name__", params))]

    def series(self, matcher: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        """Give the label sets of the series that a selector matches within a span."""
        found = self._list(lambda: self._connect.get_series(start, end, {"match[]": matcher} | PARTIAL))
        return [each for each in found if isinstance(each, dict)]

    def at(self, query: str, at: datetime) -> Sequence[Mapping[str, Any]]:
        """Give an instant query's result."""
        found = self._list(lambda: self._connect.custom_query(query, {"time": at.timestamp()} | PARTIAL))
        return [each for each in found if isinstance(each, dict)]

    def over(self, query: str, start_s: int, end_s: int, step_s: int) -> Sequence[Mapping[str, Any]]:
        """Give a range query's series; ``end_s`` is included."""
        # the library rounds aware times to seconds, which is what these are
        start, end = (datetime.fromtimestamp(each).astimezone() for each in (start_s, end_s))
        found = self._list(lambda: self._connect.custom_query_range(query, start, end, f"{step_s}s", PARTIAL))
        return [each for each in found if isinstance(each, dict)]

    def exemplars(self, query: str, start: datetime, end: datetime) -> Sequence[Mapping[str, Any]]:
        """Give the exemplars of a selector's series."""
        params = {"query": query, "start": str(start.timestamp()), "end": str(end.timestamp())}
        told = self.document("/api/v1/query_exemplars", params)
        found = told.get("data") if isinstance(told, dict) else None
        return [each for each in found or () if isinstance(each, dict)]

    def document(self, path: str, params: Mapping[str, str] | None = None, base: str | None = None) -> Any:
        """Give the JSON at a path."""
        answer = self.session.get((base or self.url).rstrip("/") + path, params=dict(params or {}))
        if not answer.ok:
            raise RejectedError(f"it answers HTTP {answer.status_code}", status=answer.status_code)
        return json_of(answer)

    def _list(self, ask: Any) -> Sequence[Any]:
        try:
            found = ask()
        except PrometheusApiClientException as error:
            raise RejectedError(_rejected(str(error))) from error
        except (ValueError, RecursionError, requests.RequestException) as error:
            raise BrokenError("the answer is not whole JSON") from error
        except (KeyError, TypeError) as error:
            raise BrokenError("the answer is not Prometheus's") from error
        if not isinstance(found, list):
            raise BrokenError("the answer is not Prometheus's")
        return found

    def _note_warnings(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        body = answer.content if answer.ok else b""
        if not any(mark in body for mark in _WARNED):
            return
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return
        if not isinstance(told, dict):
            return
        if told.get("isPartial") is True:
            self.warnings["the answer is partial: not all storage nodes gave theirs"] += 1
        warnings = told.get("warnings")
        for warning in warnings if isinstance(warnings, list) else ():
            if len(self.warnings) < _MOST_WARNINGS:
                self.warnings[" ".join(str(warning).split())[:200]] += 1


def _rejected(told: str) -> str:
    """Give the reason that stands in the body of a 4xx, as far as it can be read."""
    start = told.find('"error":"')
    reason = told[start + 9 :].split('"', 1)[0].replace("\\", "") if start >= 0 else ""
    status = told.partition("HTTP Status Code ")[2][:3]
    return f"it rejects the query (HTTP {status}){': ' + reason[:160] if reason else ''}"
