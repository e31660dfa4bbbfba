"""A Jira on this machine: the calls that the app makes, as Cloud (REST v3) and as Data Center (REST v2) answer them.

Only 127.0.0.1 is listened on. It knows one account, checks credentials and bodies, pages, and speaks the JQL that a search by
projects and times needs; anything else it refuses, as Jira does. One page shows an issue to a person. Faults are planned by tests.
"""

import asyncio
import base64
import copy
import html
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from bot.domain.tickets import document_text
from bot.playground.delivery import break_connection
from bot.playground.seed import export_files
from bot.playground.workspace import Json

HOST = "127.0.0.1"
ME = "557058:rootcause"
MOST_A_PAGE = 100
WITH_AN_ISSUE = 20
"""Comments that come with an issue of a search; the rest is asked for page by page."""
LONGEST_COMMENT = 32_767

Kind = Literal["500", "429", "401", "403", "hang", "lost", "login"]
"""``lost``: the call is carried out and its answer is not sent. ``login``: a page comes in place of an answer."""

_JQL = re.compile(
    r'project in \((?P<projects>[^)]*)\)(?: AND updated >= "(?P<since>[^"]*)")?(?: AND created <= "(?P<until>[^"]*)")?'
    r"(?: ORDER BY updated (?P<order>ASC|DESC))?"
)
_NODES = frozenset({
    "doc", "paragraph", "heading", "text", "bulletList", "orderedList", "listItem", "codeBlock", "table", "tableRow",
    "tableHeader", "tableCell", "mention", "rule", "blockquote", "hardBreak", "inlineCard",
})  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next ``count`` calls of a method whose path holds ``path``, after ``skip`` that go well."""

    kind: Kind
    method: str = ""
    path: str = ""
    skip: int = 0
    count: int = 1


class JiraServer:
    """Serves issues while its context is open; ``issues`` are as REST gives them, with comments and changelog."""

    def __init__(
        self, issues: Iterable[Json] = (), *, cloud: bool = True, port: int = 0, page: int = MOST_A_PAGE
    ) -> None:
        self.cloud = cloud
        self.issues = {issue["key"]: copy.deepcopy(issue) for issue in issues}
        self.hidden: set[str] = set()
        self.faults: list[Fault] = []
        self.calls: list[tuple[str, str]] = []
        self.user, self.token = "bot@example.com", "jira-token"
        self._port = port
        self._page = page
        self._runner: web.AppRunner | None = None
        self._over = asyncio.Event()
        self._next_id = 90_000

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{HOST}:{self._port}"

    def comments(self, key: str) -> list[Json]:
        """List an issue's comments, the oldest first."""
        return _comments_of(self.issues[key])

    def written(self, key: str) -> list[str]:
        """Give the text of what the app wrote to an issue."""
        mine = [each for each in self.comments(key) if (each.get("author") or {}).get("accountId") == ME]
        return [document_text(each["body"]) for each in mine]

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._guarded], client_max_size=4 * 1024 * 1024)
        root = f"/rest/api/{'3' if self.cloud else '2'}"
        application.router.add_get(f"{root}/myself", self._myself)
        application.router.add_get(f"{root}/search/jql" if self.cloud else f"{root}/search", self._search)
        application.router.add_get(f"{root}/project/{{key}}", self._project)
        application.router.add_get(f"{root}/issue/{{key}}", self._issue)
        application.router.add_get(f"{root}/issue/{{key}}/comment", self._comments)
        application.router.add_post(f"{root}/issue/{{key}}/comment", self._comment)
        application.router.add_get(f"{root}/issue/{{key}}/changelog", self._changelog)
        application.router.add_get("/browse/{key}", self._browse)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Commit a planned fault, check who asks, then answer."""
        if request.path.startswith("/browse/"):
            return await handler(request)
        self.calls.append((request.method, request.path))
        fault = self._due(request)
        if fault == "hang":
            await self._over.wait()
        if fault == "login":
            return web.Response(text="<html>Log in</html>", content_type="text/html")
        if fault is not None and fault.isdigit():
            return _refused(int(fault), "no", {"Retry-After": "3600"} if fault == "429" else None)
        if request.headers.get("Authorization") != self._expected():
            return _refused(401, "You are not authenticated.")
        answer = await handler(request)
        if fault == "lost" and request.transport is not None:
            break_connection(request.transport)
        return answer

    def _due(self, request: web.Request) -> str | None:
        for fault in self.faults:
            if fault.method in ("", request.method) and fault.path in request.path:
                if fault.skip > 0:
                    fault.skip -= 1
                elif fault.count > 0:
                    fault.count -= 1
                    return fault.kind
        return None

    def _expected(self) -> str:
        basic = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        return f"Basic {basic}" if self.cloud else f"Bearer {self.token}"

    async def _myself(self, _request: web.Request) -> web.Response:
        return web.json_response(self._me())

    def _me(self) -> Json:
        return {"accountId": ME, "displayName": "rootcause"} if self.cloud else {"key": ME, "name": "rootcause"}

    async def _project(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        if not any(each.startswith(f"{key}-") for each in self.issues):
            return _refused(404, f"No project could be found with key '{key}'.")
        return web.json_response({"key": key})

    async def _search(self, request: web.Request) -> web.Response:
        found = _JQL.fullmatch(request.query.get("jql", ""))
        if found is None:
            return _refused(400, "Error in the JQL Query")
        matching = [each for each in self.issues.values() if _matches(each, found) and each["key"] not in self.hidden]
        matching.sort(key=lambda each: str(_at(each, "updated")), reverse=found["order"] == "DESC")
        token = request.query.get("nextPageToken", "t0") if self.cloud else f"t{request.query.get('startAt', '0')}"
        start = int(token.removeprefix("t"))
        end = start + min(int(request.query.get("maxResults", "50")), self._page)
        page: Json = {"issues": [self._shown(each, request, whole=not self.cloud) for each in matching[start:end]]}
        if not self.cloud:
            return web.json_response(page | {"startAt": start, "maxResults": end - start, "total": len(matching)})
        more = {"nextPageToken": f"t{end}"} if end < len(matching) else {}
        return web.json_response(page | more | {"isLast": not more})

    async def _issue(self, request: web.Request) -> web.Response:
        issue = self._visible(request)
        return issue if isinstance(issue, web.Response) else web.json_response(self._shown(issue, request, whole=True))

    def _shown(self, issue: Json, request: web.Request, *, whole: bool) -> Json:
        wanted = request.query.get("fields", "").split(",") if self.cloud or request.query.get("fields") else None
        shown = copy.deepcopy(issue)
        fields = shown.get("fields") or {}
        shown["fields"] = {name: value for name, value in fields.items() if wanted is None or name in wanted}
        if "comment" in shown["fields"]:
            comments = _comments_of(issue)
            came = comments if whole else comments[:WITH_AN_ISSUE]
            shown["fields"]["comment"] = {
                "comments": came,
                "total": len(comments),
                "maxResults": len(came),
                "startAt": 0,
            }
        if "changelog" not in request.query.get("expand", ""):
            shown.pop("changelog", None)
        elif "changelog" in shown:
            changes = shown["changelog"].get("histories") or []
            came = changes if whole else changes[:WITH_AN_ISSUE]
            shown["changelog"] = {"histories": came, "total": len(changes), "maxResults": len(came), "startAt": 0}
        return shown

    async def _comments(self, request: web.Request) -> web.Response:
        issue = self._visible(request)
        if isinstance(issue, web.Response):
            return issue
        found = _comments_of(issue)
        if request.query.get("orderBy") == "-created":
            found = found[::-1]
        return web.json_response(self._paged(request, found, "comments"))

    async def _changelog(self, request: web.Request) -> web.Response:
        issue = self._visible(request)
        if isinstance(issue, web.Response):
            return issue
        changes = (issue.get("changelog") or {}).get("histories") or []
        return web.json_response(self._paged(request, changes, "values"))

    def _paged(self, request: web.Request, found: list[Json], name: str) -> Json:
        start = int(request.query.get("startAt", "0"))
        most = min(int(request.query.get("maxResults", "50")), self._page)
        return {name: found[start : start + most], "startAt": start, "maxResults": most, "total": len(found)}

    async def _comment(self, request: web.Request) -> web.Response:
        issue = self._visible(request)
        if isinstance(issue, web.Response):
            return issue
        body = (await request.json()).get("body")
        if not (_is_document(body) if self.cloud else isinstance(body, str) and body.strip()):
            return _refused(400, "Comment body is not valid!")
        if len(body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))) > LONGEST_COMMENT:
            return _refused(400, "CONTENT_LIMIT_EXCEEDED: The entered text is too long.")
        self._next_id += 1
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        author = self._me() | {"displayName": "rootcause", "accountId": ME}
        kept = {"id": str(self._next_id), "author": author, "body": body, "created": at, "updated": at}
        _comments_of(issue).append(kept)
        return web.json_response(kept, status=201)

    def _visible(self, request: web.Request) -> Json | web.Response:
        key = request.match_info["key"]
        if key not in self.issues or key in self.hidden:
            return _refused(404, "Issue does not exist or you do not have permission to see it.")
        return self.issues[key]

    async def _browse(self, request: web.Request) -> web.Response:
        """Show an issue to a person."""
        issue = self._visible(request)
        if isinstance(issue, web.Response):
            return issue
        fields = issue.get("fields") or {}
        parts = [f"<h1>{_safe(issue['key'])}: {_safe(fields.get('summary'))}</h1>", _box(fields.get("description"))]
        for each in _comments_of(issue):
            who = str((each.get("author") or {}).get("displayName") or "")
            anchor = f"comment-{each.get('id')}"
            parts.append(
                f"<h2 id='{_safe(anchor)}'>{_safe(who)}, {_safe(each.get('created'))}</h2>{_box(each.get('body'))}"
            )
        style = "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}pre{white-space:pre-wrap}"
        head = f"<meta charset=utf-8><title>{_safe(issue['key'])}</title><style>{style}</style>"
        return web.Response(text=f"<!doctype html><html lang=en>{head}{''.join(parts)}", content_type="text/html")


def issues_from_export(path: Path) -> list[Json]:
    """Give the Jira issues that an incident export holds."""
    found = []
    for name, body in export_files(path):
        try:
            issue = json.loads(body) if name.suffix == ".json" and b'"fields"' in body else None
        except ValueError:
            continue
        if isinstance(issue, dict) and isinstance(issue.get("key"), str) and isinstance(issue.get("fields"), dict):
            found.append(issue)
    return found


def _comments_of(issue: Json) -> list[Json]:
    fields = issue.setdefault("fields", {})
    found: list[Json] = fields.setdefault("comment", {}).setdefault("comments", [])
    return found


def _matches(issue: Json, jql: re.Match[str]) -> bool:
    projects = re.findall(r"[A-Z][A-Z0-9_]*", jql["projects"])
    if issue["key"].partition("-")[0] not in projects:
        return False
    updated, created = _at(issue, "updated"), _at(issue, "created")
    late = jql["since"] is None or updated is None or updated >= _written(jql["since"])
    return late and (jql["until"] is None or created is None or created <= _written(jql["until"]))


def _at(issue: Json, name: str) -> datetime | None:
    told = (issue.get("fields") or {}).get(name)
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def _written(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _is_document(body: object) -> bool:
    """Hold a document against the schema's outline: known nodes, and no text node without text."""
    if not isinstance(body, dict) or body.get("type") != "doc" or body.get("version") != 1:
        return False
    waiting: list[Any] = [body]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Mapping) or node.get("type") not in _NODES:
            return False
        if node["type"] == "text" and not (isinstance(node.get("text"), str) and node["text"]):
            return False
        waiting += node.get("content") or ()
    return bool(body.get("content"))


def _refused(status: int, why: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"errorMessages": [why], "errors": {}}, status=status, headers=headers)


def _safe(text: object) -> str:
    return html.escape(str(text or ""))


def _box(body: object) -> str:
    return f"<pre>{_safe(document_text(body))}</pre>"
