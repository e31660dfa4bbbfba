"""A home that bots have used before, made once for all tests of the durable side."""

import asyncio

import pytest
from durable_stage import nursery, world

from bot.casefile.home import CaseHome
from bot.investigation.investigate import investigate
from bot.sources.export import ExportSource


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
