"""An API server on loopback that lists, pages, watches, streams logs, forgets, refuses, and misbehaves on demand.

It follows the pages on kubernetes.io and the conventions of the API for what is asked here, and knows nothing else: lists with
``limit`` and ``continue``, watches from a resource version with bookmarks and 410, metadata-only lists, logs with ``sinceTime``,
``previous`` and ``follow``, discovery of installed kinds, and reviews of rights.
"""

import asyncio
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import yaml
from aiohttp import web
from loopback import Loopback

TOKEN = "kube-test-token"
HTML = "<!doctype html><title>Sign in</title><p>Please sign in to continue</p>"
PLURALS = {
    "Pod": "pods", "Event": "events", "Node": "nodes", "Namespace": "namespaces", "Deployment": "deployments",
    "ReplicaSet": "replicasets", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets", "Job": "jobs",
    "CronJob": "cronjobs", "HorizontalPodAutoscaler": "horizontalpodautoscalers", "Service": "services",
    "Ingress": "ingresses", "ConfigMap": "configmaps", "ResourceQuota": "resourcequotas", "Secret": "secrets",
    "ControllerRevision": "controllerrevisions", "PodDisruptionBudget": "poddisruptionbudgets",
}  # fmt: skip
NAMELESS = {"nodes", "namespaces"}


class KubeApi(Loopback):
    """One API server. ``faults`` holds, by a part of the path, what the next requests get; ``forever`` what does not pass.

    A fault: ``hang``, ``trickle``, ``cut``, ``reset``, ``html``, ``garbage``, ``huge``, ``429:<seconds>`` or ``<status>``.
    ``forbidden`` holds ``(verb, plural)``, or with a namespace as third, or a group as ``group/plural``; ``absent`` holds such
    names of what is not served. ``kinds`` adds kinds to those that every server knows: see ``install``. ``ahead`` moves the clock of its answers.
    """

    def __init__(self, *, ahead=timedelta(0), bookmark_s=0.2):
        super().__init__()
        self.ahead = ahead
        self.bookmark_s = bookmark_s
        self.version = 1000
        self.oldest = 0
        self.objects: dict[str, dict[tuple[str, str], dict]] = defaultdict(dict)
        self.history: list[tuple[int, str, str, dict]] = []
        self.logs: dict[tuple[str, str, str, bool], bytearray] = {}
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.forever: dict[str, str] = {}
        self.forbidden: set[tuple[str, ...]] = {("list", "secrets")}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.absent: set[str] = set()
        self.kinds: dict[str, tuple[str, str, str]] = {}
        self.whole = False
        """Whether it overlooks that only metadata is asked for"""
        self.down = False

    # What a test does to the cluster

    def install(self, kind, group, version, plural):
        """Let the server know a custom kind."""
        self.kinds[kind] = (group, version, plural)
        return self

    def plural(self, kind):
        """Give what a kind is called in paths."""
        return PLURALS[kind] if kind in PLURALS else self.kinds[kind][2]

    def put(self, *items):
        """Create or change objects; watches hear of it."""
        for item in items:
            meta = item["metadata"]
            plural = self.plural(item["kind"])
            key = (meta.get("namespace", ""), meta["name"])
            if plural not in NAMELESS and key[0]:
                self.objects["namespaces"].setdefault(
                    ("", key[0]), {"metadata": {"name": key[0], "uid": f"ns-{key[0]}", "resourceVersion": "1"}}
                )
            self.version += 1
            kind = "MODIFIED" if key in self.objects[plural] else "ADDED"
            kept = {
                **item,
                "metadata": {"uid": f"{plural}-{key[0]}-{key[1]}", **meta, "resourceVersion": str(self.version)},
            }
            self.objects[plural][key] = kept
            self.history.append((self.version, plural, kind, kept))
        return self

    def drop(self, kind, namespace, name, *, heard=True):
        """Delete an object and, of a pod, its logs."""
        plural = self.plural(kind)
        gone = self.objects[plural].pop((namespace, name))
        self.version += 1
        if heard:
            kept = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version)}}
            self.history.append((self.version, plural, "DELETED", kept))
        for key in [key for key in self.logs if key[:2] == (namespace, name)]:
            del self.logs[key]

    def compact(self):
        """Forget what happened so far: a watch from before gets 410."""
        self.oldest = self.version
        self.history.clear()

    def log(self, namespace, pod, container, content, *, previous=False):
        """Append to a container's log."""
        raw = content if isinstance(content, bytes) else content.encode()
        self.logs.setdefault((namespace, pod, container, previous), bytearray()).extend(raw)
        return self

    def kubeconfig(self, folder, token=TOKEN, context="test"):
        """Write a kubeconfig that leads here."""
        return written_kubeconfig(folder, self.url, token, context)

    # The server

    @property
    def url(self):
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self):
        """Answer until it is over."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.ready(site._server)
        await self.over.wait()
        await runner.cleanup()

    async def _answer(self, request):
        path, query = request.path, dict(request.query)
        self.calls[path] += 1
        self.asked.append((path, query))
        if fault := "reset" if self.down else self._fault(path, query):
            return await self._misbehave(request, fault)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._status(401, "Unauthorized")
        if path.endswith("/selfsubjectaccessreviews"):
            return await self._review(request)
        return await self._ask(request, path, query)

    async def _ask(self, request, path, query):
        parts = path.strip("/").split("/")
        if parts[0] == "apis" and len(parts) in {1, 3}:
            return self._discovered(*parts[1:])
        group = "" if parts[0] == "api" else parts[1]
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if len(parts) > 2 and parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        plural = parts[0]
        if parts[-1] == "log":
            return await self._log(request, namespace, parts[1], query)
        verb = "watch" if query.get("watch") else "list"
        names = {plural, f"{group}/{plural}"}
        if any((verb, each) in self.forbidden or (verb, each, namespace) in self.forbidden for each in names):
            return self._status(403, f'{plural} is forbidden: User "x" cannot {verb} resource "{plural}"')
        custom = {each[2] for each in self.kinds.values()}
        if plural not in {*PLURALS.values(), *custom} or names & self.absent:
            return self._status(404, "the server could not find the requested resource")
        return await (self._watch if verb == "watch" else self._list)(request, plural, namespace, query)

    def _fault(self, path, query):
        whole = f"{path}?watch" if query.get("watch") else path
        for part, fault in self.forever.items():
            if part in whole:
                return fault
        for part, faults in self.faults.items():
            if part in whole and faults:
                return faults.pop(0)
        return ""

    def _headers(self):
        return {"Date": format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)}

    def _status(self, code, message, **more):
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code, **more}
        return web.json_response(body, status=code, headers=self._headers())

    async def _review(self, request):
        asked = (await request.json())["spec"]["resourceAttributes"]
        plural = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        names = (plural, f"{asked['group']}/{plural}")
        allowed = not any((asked["verb"], each) in self.forbidden for each in names)
        return web.json_response({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}, status=201)

    async def _list(self, request, plural, namespace, query):
        items = [item for key, item in sorted(self.objects[plural].items()) if not namespace or key[0] == namespace]
        for selector in filter(None, query.get("fieldSelector", "").split(",")):
            field, _, value = selector.partition("=")
            differs, field = field.endswith("!"), field.removesuffix("!")
            items = [item for item in items if (_at(item, field) == value) is not differs]
        for selector in filter(None, query.get("labelSelector", "").split(",")):
            label, _, value = selector.partition("=")
            items = [item for item in items if item["metadata"].get("labels", {}).get(label) == value]
        version, start = str(self.version), 0
        if token := query.get("continue"):
            version, _, begun = token.partition(":")
            if int(version) < self.oldest:
                return self._status(410, "The provided continue parameter is too old", reason="Expired")
            start = int(begun)
        end = start + int(query.get("limit") or len(items) or 1)
        meta = {"resourceVersion": version}
        if end < len(items):
            meta |= {"continue": f"{version}:{end}", "remainingItemCount": len(items) - end}
        given = [
            {key: value for key, value in item.items() if key not in {"kind", "apiVersion"}}
            for item in items[start:end]
        ]
        alone = "PartialObjectMetadataList" in request.headers.get("Accept", "") and not self.whole
        if alone:
            given = [{"metadata": item["metadata"]} for item in given]
        kind = "PartialObjectMetadataList" if alone else "List"
        body = {"kind": kind, "apiVersion": "v1", "metadata": meta, "items": given}
        return web.json_response(body, headers=self._headers())

    def _discovered(self, group="", version=""):
        """Tell the groups, or the kinds of one (https://kubernetes.io/docs/reference/using-api/api-concepts/)."""
        if not group:
            told = [
                {"name": each, "versions": [{"version": of}], "preferredVersion": {"version": of}}
                for each, of, _ in sorted(self.kinds.values())
            ]
            return web.json_response({"kind": "APIGroupList", "groups": told}, headers=self._headers())
        known = [{"name": plural, "kind": kind} for kind, (*of, plural) in self.kinds.items() if of == [group, version]]
        if not known:
            return self._status(404, "the server could not find the requested resource")
        return web.json_response({"kind": "APIResourceList", "resources": known}, headers=self._headers())

    async def _watch(self, request, plural, namespace, query):
        since = int(query.get("resourceVersion") or self.version)
        answer = web.StreamResponse(headers={**self._headers(), "Content-Type": "application/json"})
        await answer.prepare(request)
        if since < self.oldest:
            await answer.write(_line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}))
            return answer
        loop = asyncio.get_running_loop()
        beat = loop.time() + self.bookmark_s
        ends_at = loop.time() + float(query.get("timeoutSeconds") or 300)
        at = 0
        while not self.over.is_set() and not self.down and loop.time() < ends_at:
            at = min(at, len(self.history))
            batch = []
            while at < len(self.history):
                version, of, kind, item = self.history[at]
                at += 1
                if (
                    version > since
                    and of == plural
                    and (not namespace or item["metadata"].get("namespace") == namespace)
                ):
                    batch.append(_line(kind, item))
            if batch:
                await answer.write(b"".join(batch))
            if query.get("allowWatchBookmarks") and loop.time() >= beat:
                beat = loop.time() + self.bookmark_s
                await answer.write(_line("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}}))
            await asyncio.sleep(0.01)
        if self.down:
            request.transport.abort()
        return answer

    async def _log(self, request, namespace, pod, query):
        if ("get", "pods/log") in self.forbidden:
            return self._status(403, 'pods/log is forbidden: User "x" cannot get resource "pods/log"')
        key = (namespace, pod, query["container"], query.get("previous") == "true")
        if key not in self.logs:
            known = (namespace, pod) in self.objects["pods"]
            return self._status(
                400 if known else 404, f'previous terminated container "{key[2]}" in pod "{pod}" not found'
            )
        answer = web.StreamResponse(headers={**self._headers(), "Content-Type": "text/plain"})
        await answer.prepare(request)
        if most := int(query.get("limitBytes", 0)):
            await answer.write(bytes(self.logs[key][:most]))
            return answer
        sent = 0
        if since := query.get("sinceTime"):
            sent = _offset_since(self.logs[key], since[:19].encode())
        while True:
            log = self.logs.get(key)
            while log is not None and sent < len(log):
                piece = bytes(log[sent : sent + 65536])
                sent += len(piece)
                await answer.write(piece)
            if query.get("follow") != "true" or log is None or self.over.is_set() or self.down:
                return answer
            await asyncio.sleep(0.01)

    async def _misbehave(self, request, fault):
        if fault == "hang":
            await self.over.wait()
        if fault in {"hang", "reset"}:
            request.transport.abort()
            return web.Response()
        if fault in {"html", "garbage"}:
            text, kind = (HTML, "text/html") if fault == "html" else ('{"items": [{"metadata": ', "application/json")
            return web.Response(text=text, content_type=kind)
        if fault in {"trickle", "cut", "huge"}:
            return await self._badly(request, fault)
        code, _, after = fault.partition(":")
        answer = self._status(int(code), "no")
        if after:
            answer.headers["Retry-After"] = after
        return answer

    async def _badly(self, request, fault):
        answer = web.StreamResponse(headers={**self._headers(), "Content-Type": "application/json"})
        if fault == "cut":
            answer.content_length = 100_000
        await answer.prepare(request)
        if fault == "cut":
            await answer.write(b'{"items": [')
            request.transport.close()
            return answer
        if fault == "huge":
            blanks = b" " * 1024 * 1024
            for _ in range(1024):
                await answer.write(blanks)
            return answer
        while not self.over.is_set():
            await answer.write(b" ")
            await asyncio.sleep(0.05)
        return answer


def written_kubeconfig(folder, url, token=TOKEN, context="test"):
    """Write a kubeconfig that leads to an address, and give its path."""
    path = folder / "kubeconfig"
    told = {
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(told))
    return path


def _line(kind, item):
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def _at(item, field):
    for key in field.split("."):
        item = item.get(key, {}) if isinstance(item, dict) else {}
    return item if isinstance(item, str) else ""


def _offset_since(log, since):
    """Find the first line that is not older, in a log whose lines ascend."""
    at = 0
    while at < len(log):
        if bytes(log[at : at + 19]) >= since:
            return at
        end = log.find(b"\n", at)
        at = len(log) if end < 0 else end + 1
    return at
