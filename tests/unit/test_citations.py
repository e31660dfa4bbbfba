"""Citations are numbered as needed, word for word, once each."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.analyst.citations import Citations, stored_entity
from bot.domain.entity import Entity
from bot.domain.items import ItemId

AT = datetime(2026, 11, 19, 3, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """A stored item."""

    id: ItemId
    at: datetime | None
    source: str
    entity: str
    text: str
    raw: bytes
    url: str | None = None
    locator: str = "api.log:7"


LINE = Item(
    ItemId("L1"), AT, "kubernetes/logs", "shop/api-1/app", "boom\nat line 2", b"2026-11-19T03:12:00Z boom\nat line 2"
)
SERIES = Item(ItemId("M1"), AT, "prometheus", 'up{pod="api-1"}', 'up{pod="api-1"}', b'{"__name__":"up"}')


class Store:
    """Evidence in memory."""

    def item(self, item):
        """Look one up."""
        return {one.id: one for one in (LINE, SERIES)}.get(item)

    def items(self, items):
        """Look several up."""
        return (one for one in map(self.item, items) if one is not None)


def test_the_first_line_is_quoted_and_located():
    """The quote stands in the bytes, the locator begins with the item's id."""
    cited = Citations(Store())
    assert cited.cite(ItemId("L1")) == "E1"
    entry = cited.entries["E1"]
    assert (entry.quote, entry.at, entry.locator) == ("boom", AT, "L1 api.log:7")
    assert entry.entity == Entity("Pod", "api-1", "shop")


def test_a_manifest_is_quoted_where_it_tells_something():
    """The reason of a kill is quoted, not the first line of the document."""
    raw = b'{\n "apiVersion": "v1",\n "exitCode": 137,\n "reason": "OOMKilled"\n}'
    pod = Item(ItemId("O1"), None, "kubernetes/objects", "Pod shop/api-1", raw.decode(), raw)
    store = Store()
    store.item = lambda _item: pod
    cited = Citations(store)
    cited.cite(ItemId("O1"))
    assert cited.entries["E1"].quote == '"reason": "OOMKilled"'


def test_the_same_words_are_cited_once():
    """A second use gets the first key; unknown items and words that are not there get none."""
    cited = Citations(Store())
    assert cited.cite_all([(ItemId("L1"), 0.0), (ItemId("L1"), 5.0), (ItemId("L9"), 0.0)]) == ("E1",)
    assert cited.cite(ItemId("L1"), quote="bang") is None
    assert len(cited.entries) == 1


def test_a_series_is_dated_by_what_it_is_cited_for():
    """A series' samples share one item, so the citation carries the sample's time and its raw words."""
    cited = Citations(Store())
    assert cited.cite_all([(ItemId("M1"), AT.timestamp() + 60)]) == ("E1",)
    assert (cited.entries["E1"].at - AT).total_seconds() == 60
    assert cited.entries["E1"].quote.encode() in SERIES.raw


@pytest.mark.parametrize(
    ("source", "name", "entity"),
    [
        ("slack", "Ann Lee", Entity("Person", "Ann Lee")),
        ("jira", "INC-1", Entity("Ticket", "INC-1")),
        ("kubernetes/events", "Deployment shop/api", Entity("Deployment", "api", "shop")),
        ("kubernetes/objects", "Node n1", Entity("Node", "n1")),
    ],
)
def test_a_stored_name_becomes_an_entity(source, name, entity):
    """Each kind of item names its entity its own way."""
    assert stored_entity(Item(ItemId("X1"), None, source, name, "", b"")) == entity
