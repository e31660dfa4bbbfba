"""The page in Chromium, with a scripted app behind it: read, ask, press, fill in; by mouse and by keyboard alone."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import page_app
import pytest
from browser import AXE, findings, tab

from bot.playground.demo import run_demo

ROOT = Path(__file__).parents[2]
STORY = ROOT / "fixtures" / "incidents" / "story.tar.zst"
PICTURES = ROOT / ".cache" / "live" / "pictures"
WIDE, NARROW = (1280, 800), (390, 844)


@contextlib.asynccontextmanager
async def demo(serve=page_app.serve):
    """Run the demo with an app and give the page's address."""
    address = asyncio.get_running_loop().create_future()

    def heard(line):
        address.set_result(next(word for word in line.split() if word.startswith("http")))

    running = asyncio.get_running_loop().create_task(
        run_demo(serve, port=0, open_browser=False, export=STORY, say=heard)
    )
    try:
        async with asyncio.timeout(20):
            found = await address
        yield found
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def browse(visit, **options):
    """Visit the page with a browser; whatever it was, nothing left this machine and no script failed."""

    async def run():
        async with tab() as page, demo() as address:
            await page.open(address, **options)
            await page.until("document.querySelectorAll('#messages .message').length > 20")
            await visit(page)
            hosts = {urlsplit(each).hostname for each in page.requests if not each.startswith(("data:", "about:"))}
            assert {"127.0.0.1"} == hosts
            assert [] == page.errors

    asyncio.run(run())


async def ask_by_command(page):
    """Give the command and wait for the picture, which comes last."""
    await page.run("document.querySelector('#say').focus()")
    await page.type("/rootcause 5d")
    await page.press("Enter")
    await page.until(
        "document.querySelector('.replies:last-child') && [...document.querySelectorAll('.replies')].at(-1).innerText.startsWith('3')"
    )
    if await page.run("document.querySelector('#thread').hidden"):
        await page.click("#messages .replies")
    await page.until("document.querySelector('#replies figure img')?.complete")


def test_axe_was_there_to_measure():
    """Without axe-core the pages below are visited all the same, but not measured."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run tests/live/install_live.sh")


@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [
        ("wide", WIDE, False),
        pytest.param("narrow", NARROW, False, marks=pytest.mark.full),
        pytest.param("dark", WIDE, True, marks=pytest.mark.full),
    ],
)
def test_an_incident_is_read_asked_and_answered(name, size, dark):
    """Transcript, command, plan that moves, answer, evidence paged, a follow-up; pictures of each; axe finds nothing."""

    async def visit(page):
        assert "HighErrorRate" in await page.text("#messages")
        await page.picture(PICTURES / f"{name}-1-transcript.png")
        found = await findings(page)
        await ask_by_command(page)
        await page.until("document.querySelector('#replies').innerText.includes('Reading 3 of 3')")
        assert "segment-refresh" in await page.text("#replies")
        await page.picture(PICTURES / f"{name}-2-answer.png")
        found += await findings(page)
        await page.click("#replies [data-action=evidence]")
        await page.until("document.querySelector('dialog[open] h2')?.innerText == 'Evidence 1 of 3'")
        await page.click("dialog [data-action=turn]")
        await page.until("document.querySelector('dialog[open] h2')?.innerText == 'Evidence 2 of 3'")
        await page.picture(PICTURES / f"{name}-3-evidence.png")
        found += await findings(page)
        await page.press("Escape")
        await page.until("!document.querySelector('dialog[open]')")
        await page.run("document.querySelector('#reply').focus()")
        await page.type("was the day-3 restart related?")
        await page.press("Enter")
        await page.until("[...document.querySelectorAll('#replies .message')].at(-1).innerText.includes('No.')")
        await page.picture(PICTURES / f"{name}-4-follow-up.png")
        assert [] == found

    browse(visit, width=size[0], height=size[1], dark=dark)


def test_foreign_text_stays_text():
    """Log lines with markup, in mrkdwn, preformatted text and modals, make no elements and run nothing."""

    async def visit(page):
        await ask_by_command(page)
        await page.click("#replies summary")
        assert page_app.HOSTILE in " ".join((await page.text("#replies details")).split())
        assert 0 == await page.run(
            "document.querySelectorAll('#replies script, #replies img[onerror], a[href^=javascript]').length"
        )
        assert "owned" != await page.run("document.title")
        await page.run("document.querySelector('#say').focus()")
        await page.type("<b>x</b> *bold* `code` https://example.org/?a=1&b=<2>")
        await page.press("Enter")
        html = await page.until(
            "[...document.querySelectorAll('#messages .message')].at(-1).querySelector('strong') ? 1 : 0"
        )
        assert html
        last = await page.run("[...document.querySelectorAll('#messages .text')].at(-1).innerText")
        assert "<b>x</b> bold code https://example.org/?a=1&b=<2>" == last

    browse(visit)


def test_everything_is_done_by_keyboard():
    """Completion, sending, a thread, a button with its confirmation, a modal with an error, and back again."""

    async def visit(page):
        await page.run("document.querySelector('#say').focus()")
        await page.type("@roo")
        await page.until("!document.querySelector('#say-list').hidden")
        await page.press("Enter")
        assert "@rootcause " == await page.run("document.querySelector('#say').value")
        await page.run("document.querySelector('#say').value = ''")
        await ask_by_command(page)
        await page.run("document.querySelector('#replies [data-action=stop]').focus()")
        await page.press("Enter")
        await page.until("document.querySelector('#confirm').open")
        assert "Stop?" in await page.text("#confirm")
        await page.press("Escape")
        await page.until("!document.querySelector('#confirm').open")
        await page.run("document.querySelector('#replies [data-action=evidence]').focus()")
        await page.press("Enter")
        await page.until("document.querySelector('dialog[open]')")
        await page.press("Escape")
        await page.until("document.activeElement?.dataset.action == 'evidence'")
        await page.press("Escape")
        await page.until("document.querySelector('#thread').hidden")
        assert await page.run("document.activeElement.matches('.replies')")

    browse(visit)


def test_a_form_says_what_is_wrong_and_then_works():
    """Empty fields are named in the page, the app's own errors beside their fields; the good form closes."""

    async def visit(page):
        await page.until("document.querySelector('.shortcuts option[value=new_investigation]')")
        await page.run(
            "(() => { const menu = document.querySelector('.shortcuts'); menu.value = 'new_investigation'; menu.dispatchEvent(new Event('change')); })()"
        )
        await page.until("document.querySelector('dialog[open] form')")
        await page.picture(PICTURES / "form.png")
        await page.click("dialog .submit")
        await page.until("document.querySelector('dialog .error:not([hidden])')?.innerText == 'Please fill this in.'")
        choose = "(() => { const menu = document.querySelector('dialog select'); menu.value = [...menu.options].find((each) => each.text == '#incidents').value; const box = document.querySelector('dialog input'); box.value = '%s'; })()"
        await page.run(choose % "soon")
        await page.click("dialog .submit")
        await page.until("document.querySelector('dialog').innerText.includes('Give a window like 5d.')")
        await page.run(choose % "5d")
        await page.click("dialog .submit")
        await page.until("!document.querySelector('dialog[open]')")
        await page.until("document.querySelector('#messages').innerText.includes('Started from a form')")

    browse(visit)


def test_only_the_asker_sees_an_ephemeral_answer():
    """It says so and can be dismissed; App Home is shown in its tab."""

    async def visit(page):
        await page.click("#say-form .chip:last-child")
        await page.until("document.querySelector('#messages').innerText.includes('Only visible to you')")
        await page.click("#messages .only button")
        await page.until("!document.querySelector('#messages').innerText.includes('Only visible to you')")
        await page.click("#channels li:last-child button")
        await page.until("!document.querySelector('#tabs').hidden")
        await page.click("#tabs [data-tab=home]")
        await page.until("document.querySelector('#home').innerText.includes('Recent')")

    browse(visit)
