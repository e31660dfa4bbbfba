"""The calls to Jira that are made here: REST v3 of Cloud, v2 of Data Center, through one session that ends on the clock.

The client library joins addresses and knows the two deployments' headers; it is asked for whole responses, because it takes
a page that is no JSON for text that is well.
"""
# ruff: noqa: ANN401 - decoded JSON may be anything

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from atlassian import Jira

from bot.settings.live import JiraSettings
from bot.wire import BrokenError, Deadline, Limits, Login, RejectedError, WireSession, json_of

PAGE = 100
"""Issues or comments a call; Cloud gives no more of either (https://developer.atlassian.com/cloud/jira/platform/rest/v3/)."""

FIELDS = "summary,description,created,updated,reporter,creator,security,comment"


def restricted(issue: Mapping[str, Any]) -> bool:
    """Tell whether an issue has a security level: who asks here may be outside of it."""
    return bool(mapping(issue.get("fields")).get("security"))


def mapping(value: Any) -> Mapping[str, Any]:
    """Give a JSON object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Mapping[str, Any]]:
    """Give the objects of a JSON array, and of anything else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


class JiraApi:
    """One conversation with Jira; use it as a context manager."""

    def __init__(self, settings: JiraSettings, deadline_s: float, *, attempts: int = 3) -> None:
        secret = settings.token.read() if settings.token is not None else None
        named = settings.user is not None
        login = Login(
            headers={name: value.read() for name, value in settings.headers.items()},
            token=None if named else secret,
            user=settings.user,
            password=secret if named else None,
            ca_file=settings.ca_file,
        )
        self.cloud = settings.deployment == "cloud"
        self.url = settings.url.rstrip("/")
        self.deadline = Deadline(deadline_s)
        self.session = WireSession(self.deadline, login=login, limits=Limits(attempts=attempts))
        self._jira = Jira(
            self.url,
            session=self.session,
            cloud=self.cloud,
            api_version="3" if self.cloud else "2",
            retry_with_header=False,  # the session retries, within the deadline
        )

    def __enter__(self) -> Self:
        self.deadline.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()
        self.deadline.__exit__(kind, error, trace)

    def get(self, resource: str, **params: Any) -> Mapping[str, Any]:
        """Ask for something; raises WireError."""
        return self._call("GET", resource, params=params or None)

    def post(self, resource: str, body: Any) -> Mapping[str, Any]:
        """Send something; raises WireError."""
        return self._call("POST", resource, json=body)

    def me(self) -> str:
        """Give the id of the account that asks."""
        me = self.get("myself")
        found = me.get("accountId") if self.cloud else me.get("key") or me.get("name")
        if not found:
            raise BrokenError("it does not say whose the token is")
        return str(found)

    def author(self, comment: Mapping[str, Any]) -> str:
        """Give the id of a comment's author, as ``me`` gives it."""
        told = mapping(comment.get("author"))
        return str(told.get("accountId") if self.cloud else told.get("key") or told.get("name"))

    def search(self, jql: str) -> Iterator[Mapping[str, Any]]:
        """Give the issues that a query finds, page by page, with comments and changes."""
        return self._search_by_token(jql) if self.cloud else self._search_by_start(jql)

    def _search_by_token(self, jql: str) -> Iterator[Mapping[str, Any]]:
        """Read Cloud's pages: each names the next by a token, and none tells how many there are."""
        token, seen = None, set()
        while True:
            params = {"jql": jql, "fields": FIELDS, "expand": "changelog", "maxResults": PAGE}
            page = self.get("search/jql", **params, **({"nextPageToken": token} if token else {}))
            if not isinstance(page.get("issues"), list):
                raise BrokenError("its answer to a search holds no issues")
            yield from listed(page["issues"])
            token = page.get("nextPageToken")
            if not token or page.get("isLast") is True:
                return
            if token in seen:
                raise BrokenError("its pages go round in a circle")
            seen.add(token)

    def _search_by_start(self, jql: str) -> Iterator[Mapping[str, Any]]:
        start = 0
        while True:
            page = self.get("search", jql=jql, fields=FIELDS, expand="changelog", maxResults=PAGE, startAt=start)
            if not isinstance(page.get("issues"), list):
                raise BrokenError("its answer to a search holds no issues")
            issues = listed(page["issues"])
            yield from issues
            start += len(issues)
            if not issues or start >= _whole(page.get("total")):
                return

    def issue(self, key: str) -> Mapping[str, Any] | None:
        """Give one issue; None where there is none that this account may see."""
        try:
            return self.get(f"issue/{key}", fields=FIELDS, expand="changelog")
        except RejectedError as error:
            if error.status == 404:
                return None
            raise

    def comments(self, key: str, most: int) -> Iterator[Mapping[str, Any]]:
        """Give an issue's comments, the newest first."""
        start = 0
        while start < most:
            page = self.get(f"issue/{key}/comment", startAt=start, maxResults=PAGE, orderBy="-created")
            found = listed(page.get("comments"))
            yield from found
            start += len(found)
            if not found or start >= _whole(page.get("total")):
                return

    def changes(self, key: str, most: int) -> Iterator[Mapping[str, Any]]:
        """Give an issue's changes, the oldest first; Data Center sends them all with the issue."""
        start = 0
        while start < most:
            page = self.get(f"issue/{key}/changelog", startAt=start, maxResults=PAGE)
            found = listed(page.get("values"))
            yield from found
            start += len(found)
            if not found or start >= _whole(page.get("total")):
                return

    def _call(self, method: str, resource: str, **sent: Any) -> Mapping[str, Any]:
        answer = self._jira.request(method, self._jira.resource_url(resource), advanced_mode=True, **sent)
        if not answer.ok:
            status = answer.status_code
            raise RejectedError(f"it refuses the question (HTTP {status})", status=status, body=answer.content[:2000])
        told = json_of(answer)
        if not isinstance(told, dict):
            raise BrokenError("the answer is no JSON object", status=answer.status_code)
        return told


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
