"""A small export and the case that comes of it, made once; and a home that bots have used before."""

import asyncio

import pytest
from command import kept, rootcause, small_export
from durable_stage import nursery, world

from bot.casefile.home import CaseHome
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """A small whole export."""
    return small_export(tmp_path_factory.mktemp("export") / "incident")


@pytest.fixture(scope="session")
def case(export, tmp_path_factory):
    """The case file that comes of the small export."""
    home = tmp_path_factory.mktemp("made") / "cases"
    assert rootcause(home, "analyze", export, "--quiet").code in {0, 3, 4}
    return home / kept(home)[0]


@pytest.fixture
def home(tmp_path):
    """A folder for cases that does not exist yet."""
    return tmp_path / "cases"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A home with one finished case of a small export, and databases that have been used once."""
    root = tmp_path_factory.mktemp("prepared")
    logs = root / "export" / "kubernetes" / "shop" / "api-7d9f-x2x4z"
    logs.mkdir(parents=True)
    (logs / "api.log").write_text(
        "".join(f"2026-11-0{day}T12:00:{s:02d}Z GET /cart 502 after 30s\n" for day in (2, 3, 4) for s in range(40))
    )
    home = root / "home"
    source = ExportSource(root / "export")
    investigate([source], CaseHome(home), question=None, window=None, progress=lambda *_: None)
    asyncio.run(_used_once(home, root / "bots.log"))
    return home


async def _used_once(home, log):
    async with nursery(log) as bots, world(bots, home) as first:
        bot = await first.born()
        await first.listening(bot)
        await bot.stop()
