"""The HTML face in Chromium: it asks nobody for anything, evidence opens in place, the timeline zooms, nothing is hidden."""

import asyncio
from dataclasses import replace

import pytest
from browser import findings, tab
from sample_report import REPORT

from bot.cli.render_html import render_html

VIEW = "document.querySelector('.track').getAttribute('viewBox')"
HOSTILE = "<img src=https://evil.example/x onerror='window.caught = 1'></script><script>window.caught = 2</script>"


def browse(folder, report, visit, **options):
    """Open a report from a file and visit it; no script failed and no request left the file."""
    source = folder / "report.html"
    source.write_text(render_html(report), encoding="utf-8")

    async def run():
        async with tab() as page:
            await page.open(source.as_uri(), **options)
            await page.until("document.documentElement.classList.contains('js') && document.readyState === 'complete'")
            await visit(page)
            assert [] == page.errors
            assert {source.as_uri()} == set(page.requests)

    asyncio.run(run())


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_the_page_fits_and_is_accessible(tmp_path, width, dark):
    """No sideways scrolling at desk or phone width, and nothing for axe to say, light or dark."""

    async def visit(page):
        assert await page.run("document.documentElement.scrollWidth") <= width
        assert [] == await findings(page)

    browse(tmp_path, REPORT, visit, width=width, height=900, dark=dark)


def test_evidence_opens_where_it_is_cited(tmp_path):
    """A mark opens the quote below its step, by mouse or by keyboard, and closes it again."""

    async def visit(page):
        first = "a.ref[href='#ev-E2']"
        await page.click(first)
        assert "still waiting for AccessShareLock" in await page.text(".chain .opened")
        assert "true" == await page.run(f"document.querySelector(\"{first}\").getAttribute('aria-expanded')")
        await page.run(f'document.querySelector("{first}").focus()')
        await page.press(" ")
        assert await page.run("document.querySelector('.opened')") is None

    browse(tmp_path, REPORT, visit)


def test_the_timeline_zooms_to_an_episode_and_back(tmp_path):
    """The buttons zoom, go to an episode with what led to it, and show the whole window again."""

    async def visit(page):
        whole = await page.run(VIEW)
        await page.click("button[data-act='n']")
        start, _, length, _ = map(float, (await page.run(VIEW)).split())
        assert start < 2 * 3600 < 2 * 3600 + 95 < start + length < 3 * 3600
        assert (await page.text(".readout")).startswith("Episode 1 of 13")
        await page.click("button[data-act='0']")
        assert whole == await page.run(VIEW)

    browse(tmp_path, REPORT, visit)


def test_hostile_words_run_nothing(tmp_path):
    """Markup in a summary and in a quote is shown as text, even where it is copied to open in place."""

    async def visit(page):
        await page.click("a.ref[href='#ev-E1']")
        assert HOSTILE in await page.text(".chain .opened")
        assert await page.run("window.caught === undefined && document.images.length === 0")

    evidence = {**REPORT.evidence, "E1": replace(REPORT.evidence["E1"], quote=HOSTILE)}
    browse(tmp_path, replace(REPORT, summary=HOSTILE, question=HOSTILE, evidence=evidence), visit)


def test_on_paper_nothing_is_cut_off_and_nothing_asks_to_be_clicked(tmp_path):
    """Print hides what only a screen can do; a table is as wide as the page, for paper does not scroll."""

    async def visit(page):
        await page.send("Emulation.setEmulatedMedia", media="print")
        assert await page.run("document.documentElement.scrollWidth") <= 700
        wide = (
            "[...document.querySelectorAll('table')].every((one) => one.scrollWidth <= one.parentElement.clientWidth)"
        )
        assert await page.run(wide)
        assert "Pinch" not in await page.text("#timeline")
        assert "Open a mark" not in await page.text("#cascade")

    browse(tmp_path, REPORT, visit, width=700, height=900)
