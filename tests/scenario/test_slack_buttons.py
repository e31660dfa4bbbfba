"""What happens when people press things, open views, react and open App Home, with the real Bolt app."""

import json

from slack_stage import ADA, GRACE, HOSTS, INCIDENTS, VISITOR, play

from bot.playground.blockcheck import check_blocks, check_view
from bot.playground.seed import GUEST


async def answered(stage):
    """Ask, and wait for the answer; gives the answer's message."""
    await stage.say(ADA, "<@U0ROOTCAUSE> 3d")
    await stage.until(lambda: stage.desk.works)
    await stage.settled()
    return next(each for each in stage.texts() if "Cause found" in each["text"])


async def opened(stage, user, action):
    """Press something and give the view it opens."""
    await stage.server.press(user, INCIDENTS, action)
    return await stage.until(lambda: next(iter(stage.server.workspace.views.values()), None))


def written(view):
    """Give everything one reads in a view."""
    return json.dumps(view, ensure_ascii=False)


def test_evidence_pages_through_verbatim_lines_with_neighbours():
    """Each page holds one citation as stored, its neighbours, and a link where its host is configured."""

    async def scenario(stage):
        await answered(stage)
        view = await opened(stage, ADA, "answer_evidence")
        assert "E1, 1 of 6" in written(view)
        assert "the line before" in written(view)
        assert "▶ Created job ledger-vacuum-29541240" in written(view)
        for number in (2, 3):
            await stage.server.acts.press_in_view(ADA, view["id"], "evidence_page")
            view = await stage.until(
                lambda number=number: next(
                    (each for each in stage.server.workspace.views.values() if f"{number} of 6" in written(each)), None
                )
            )
        assert "https://logs.example.com/q?a=1&b=[2]" in written(view)
        assert HOSTS == {"logs.example.com"}
        await stage.server.acts.press_in_view(ADA, view["id"], "evidence_page_back")
        await stage.until(lambda: any("E2, 2 of 6" in written(each) for each in stage.server.workspace.views.values()))

    play(scenario)


def test_the_timeline_opens():
    """The symptom's episodes above a lane for each step."""

    async def scenario(stage):
        await answered(stage)
        view = await opened(stage, ADA, "answer_timeline")
        assert "symptom" in written(view)
        assert "S1 ledger-vacuum" in written(view)

    play(scenario)


def test_ask_why_takes_a_question():
    """The question is answered in the thread with who asked it; an empty one is refused in the form."""

    async def scenario(stage):
        await answered(stage)
        view = await opened(stage, GRACE, "answer_ask")
        typed = {"question": {"text": {"type": "plain_text_input", "value": "was the restart related?"}}}
        await stage.server.acts.submit(GRACE, view["id"], typed)
        await stage.until(lambda: any("No, unrelated" in each["text"] for each in stage.texts()))
        await stage.settled()
        reply = stage.texts()[-1]
        assert "grace asked: was the restart related?" in json.dumps(reply["blocks"])

    play(scenario)


def test_wider_window_runs_once_however_often_it_is_pressed():
    """Twice the length, the same end."""

    async def scenario(stage):
        await answered(stage)
        await stage.server.press(ADA, INCIDENTS, "answer_wider")
        await stage.server.press(ADA, INCIDENTS, "answer_wider")
        await stage.settled()
        _, wider = stage.desk.asks
        assert "2026-02-27T00:00Z..2026-03-05T00:00Z" == wider.window

    play(scenario)


def test_feedback_by_button_and_by_thumb():
    """Both reach the desk, with the thread they are about."""

    async def scenario(stage):
        answer = await answered(stage)
        await stage.server.press(ADA, INCIDENTS, "answer_right")
        await stage.server.press(GRACE, INCIDENTS, "answer_wrong")
        stage.server.acts.react_as(VISITOR, INCIDENTS, answer["ts"], "+1")
        await stage.until(lambda: len(stage.desk.feedback) == 3)
        assert [(ADA, "right"), (GRACE, "wrong"), (VISITOR, "right")] == [each[1:] for each in stage.desk.feedback]
        assert {answer["thread_ts"]} == {each[0].thread_ts for each in stage.desk.feedback}

    play(scenario)


def test_stop_and_jira_say_what_they_do():
    """Stop reaches the desk; Jira says how."""

    async def scenario(stage):
        await answered(stage)
        await stage.server.press(ADA, INCIDENTS, "answer_jira")
        await stage.until(lambda: stage.server.ephemerals(INCIDENTS, ADA))
        told = stage.server.ephemerals(INCIDENTS, ADA)[-1]["text"]
        assert "--format markdown" in told
        assert "rootcause.yaml" in told
        assert [] == [ask for ask in stage.desk.asks if ask.kind == "ticket"]

    play(scenario)


def test_post_to_jira_proposes_an_issue_and_hands_the_chosen_one_to_the_desk():
    """The form proposes keys of the allowed projects; another project, no key and a guest are refused in words."""

    def typed(key):
        return {"ticket": {"text": {"type": "plain_text_input", "value": key}}}

    async def scenario(stage):
        answer = await answered(stage)
        view = await opened(stage, ADA, "answer_jira")
        assert '"initial_value": "OPS-7"' in written(view)
        assert "`OPS-9`" in written(view)
        assert "UTF-8" not in written(view)
        for wrong, word in (("PAY-1", "only post to these projects: OPS"), ("later", "by its key"), ("", "by its key")):
            refused = await stage.server.acts.submit(ADA, view["id"], typed(wrong))
            assert word in str(refused.answer)
        assert "may not post" in str((await stage.server.acts.submit(GUEST, view["id"], typed("OPS-9"))).answer)
        await stage.server.acts.submit(ADA, view["id"], typed(" https://jira.example.com/browse/ops-9?x=1 "))
        await stage.until(lambda: any("Posted to OPS-9" in each["text"] for each in stage.texts()))
        ask = stage.desk.asks[-1]
        assert ("ticket", "OPS-9", "c-20260305-lock", answer["thread_ts"]) == (
            ask.kind,
            ask.ticket,
            ask.case,
            ask.place.thread_ts,
        )
        assert "<https://logs.example.com/t|See it there.>" in stage.texts()[-1]["text"]

    play(scenario, projects=("OPS",))


def test_app_home_lists_only_what_the_person_may_see():
    """An investigation of a private channel is not listed for who is not in it, and a guest is told why not."""

    async def scenario(stage):
        await stage.say(VISITOR, "<@U0ROOTCAUSE> 3d", channel="C0PRIVATE")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        for user, listed in ((VISITOR, True), (ADA, False)):
            await stage.server.acts.open_home(user)
            home = await stage.until(lambda user=user: stage.server.workspace.homes.get(user))
            assert listed is ("C0PRIVATE" in written(home))
        await stage.server.acts.open_home(GUEST)
        home = await stage.until(lambda: stage.server.workspace.homes.get(GUEST))
        assert "guests" in written(home)

    play(scenario)


def test_a_form_starts_an_investigation_or_says_what_is_wrong():
    """The global shortcut's form checks the window and the channel."""

    async def scenario(stage):
        await stage.server.acts.global_shortcut(ADA, "new_investigation")
        view = await stage.until(lambda: next(iter(stage.server.workspace.views.values()), None))

        def typed(window, channel):
            return {
                "channel": {"conversation": {"type": "conversations_select", "selected_conversation": channel}},
                "window": {"text": {"type": "plain_text_input", "value": window}},
                "question": {"text": {"type": "plain_text_input", "value": "why 503s?"}},
                "namespaces": {"text": {"type": "plain_text_input", "value": "billing, Ingress"}},
            }

        wrong = await stage.server.acts.submit(ADA, view["id"], typed("5x", INCIDENTS))
        assert "errors" == wrong.answer["response_action"]
        assert "window" in wrong.answer["errors"]
        foreign = await stage.server.acts.submit(ADA, view["id"], typed("5d", "C0PRIVATE"))
        assert "channel" in foreign.answer["errors"]
        absent = await stage.server.acts.submit(ADA, view["id"], typed("5d", "C0GENERAL"))
        assert "invite" in absent.answer["errors"]["channel"].lower()
        assert [] == stage.desk.asks
        await stage.server.acts.submit(ADA, view["id"], typed("5d", INCIDENTS))
        await stage.settled()
        (ask,) = stage.desk.asks
        assert ("why 503s?", "5d", ("billing", "ingress")) == (ask.question, ask.window, ask.namespaces)

    play(scenario)


def test_the_message_shortcut_investigates_the_thread():
    """The answer comes into the thread the shortcut was used in."""

    async def scenario(stage):
        spoken = await stage.say(GRACE, "checkout returns 503 since 09:00, anyone?")
        await stage.server.acts.message_shortcut(ADA, INCIDENTS, spoken["ts"], "investigate_thread")
        await stage.until(lambda: stage.desk.works)
        await stage.settled()
        (ask,) = stage.desk.asks
        assert (spoken["ts"], "since 09:00", ADA) == (ask.place.thread_ts, ask.window, ask.asker.user)

    play(scenario)


def test_everything_shown_keeps_slacks_limits():
    """Blocks and views of the answer pass the limits' check."""

    async def scenario(stage):
        answer = await answered(stage)
        check_blocks(answer["blocks"])
        for action in ("answer_evidence", "answer_timeline", "answer_ask"):
            stage.server.workspace.views.clear()
            view = await opened(stage, ADA, action)
            shown = {name: value for name, value in view.items() if value is not None}
            check_view(shown, "modal")

    play(scenario)
