"""The real app behind the page: a newcomer asks for five days, reads the cascade, its evidence, and asks on."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import findings, tab

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".cache" / "live" / "pictures"


@contextlib.asynccontextmanager
async def demo(home):
    """Run ``rootcause demo`` and give the page's address."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0"),
        stdout=pipe,
        cwd=ROOT,
        env={**os.environ, "ROOTCAUSE_HOME": str(home)},  # noqa: TID251 - the child's environment is this one and its home
    )
    try:
        async with asyncio.timeout(60):
            line = ""
            while "http://" not in line:
                line = (await process.stdout.readline()).decode()
        yield re.search(r"http://\S+", line).group()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(20):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [("story-wide", 1280, 800), pytest.param("story-narrow", 390, 844, marks=pytest.mark.full)],
)
def test_a_newcomer_gets_the_cascade_its_evidence_and_an_answer(tmp_path, shown, name, width, height):
    """`/rootcause 5d` moves a plan and ends in the cascade; Evidence opens a modal; day 3's restart was not part of it."""
    took = {}

    async def run():
        async with tab() as page, demo(tmp_path) as address:
            await page.open(address, width=width, height=height)
            await page.until("document.querySelectorAll('#messages .message').length > 20")
            await page.run("document.querySelector('#say').focus()")
            await page.type("/rootcause 5d")
            asked = time.monotonic()
            await page.press("Enter")
            await page.until(
                "[...document.querySelectorAll('#messages .replies')].at(-1)?.closest('.message').innerText.includes('Investigating')"
            )
            took["first word"] = time.monotonic() - asked
            if await page.run("document.querySelector('#thread').hidden"):
                await page.click("#messages .replies")
            await page.until("document.querySelector('#replies [data-action=answer_evidence]')", 60)
            took["answer"] = time.monotonic() - asked
            await page.until("document.querySelector('#replies figure img')?.complete", 20)
            answer = await page.text("#replies")
            assert "Cause found" in answer
            assert "CronJob data-platform/segment-refresh" in answer
            await page.picture(PICTURES / f"{name}-answer.png")
            found = await findings(page)
            await page.click("#replies [data-action=answer_evidence]")
            await page.until(
                "document.querySelector('dialog[open]') && !document.querySelector('dialog[open]').innerText.includes('Loading')"
            )
            await page.picture(PICTURES / f"{name}-evidence.png")
            found += await findings(page)
            await page.press("Escape")
            await page.until("!document.querySelector('dialog[open]')")
            before = await page.run("document.querySelectorAll('#replies .message').length")
            await page.run("document.querySelector('#reply').focus()")
            await page.type("was the day-3 restart related?")
            asked = time.monotonic()
            await page.press("Enter")
            await page.until(f"document.querySelectorAll('#replies .message').length > {before + 1}")
            took["follow-up"] = time.monotonic() - asked
            said = await page.run("[...document.querySelectorAll('#replies .message')].at(-1).innerText")
            await page.picture(PICTURES / f"{name}-follow-up.png")
            assert re.search(r"\bNo\b", said)
            assert re.search(r"OOM|killed", said)
            assert {"127.0.0.1"} == {urlsplit(each).hostname for each in page.requests if each.startswith("http")}
            assert [] == page.errors
            assert [] == found

    asyncio.run(run())
    shown(" ".join([f"page, {name}:", *(f"{each} {seconds:.1f} s" for each, seconds in took.items())]))
    assert took["answer"] < 30
    assert took["follow-up"] < 10
