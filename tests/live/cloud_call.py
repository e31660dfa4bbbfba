"""Asks a model through a cloud, as the program does: settings from the environment, one question, what came of it as JSON.

Runs in an environment of its own, which has the clouds' libraries; see ``test_clouds``.
"""

import json
import sys
from dataclasses import asdict

from bot.domain.model import ModelRequest, SealedBlock, TextBlock, Tool, ToolCall, says
from bot.errors import ModelError
from bot.models.messages import MessagesModel, Patience
from bot.settings.models import ModelSettings

PREFIX = "the evidence, ünïcödé included\n" * 200
TOOL = Tool(
    name="search", description="Find words.", schema={"type": "object", "properties": {"words": {"type": "string"}}}
)


def main(deadline_s):
    """Ask, and print what came."""
    model = MessagesModel(
        ModelSettings.from_environment(), Patience(first_pause_s=0.01, largest_pause_s=0.02, least_s=0.05)
    )
    request = ModelRequest(
        system="You are the analyst.",
        prefix=(TextBlock(text=PREFIX, cacheable=True),),
        turns=(says("why?"),),
        tools=(TOOL,),
        deadline_s=deadline_s,
    )
    counted = model.count_tokens(request)
    try:
        reply = model.reply(request)
    except ModelError as error:
        return {"error": type(error).__name__, "words": str(error), "counted": counted}
    kinds = {TextBlock: "text", ToolCall: "call", SealedBlock: "sealed"}
    parts = [kinds[type(part)] for part in reply.parts]
    calls = [dict(call.arguments or {}) for call in reply.calls]
    told = {"text": reply.text, "parts": parts, "calls": calls, "stop": reply.stop, "tries": reply.tries}
    return told | {"spend": asdict(reply.spend), "host": model.host, "counted": counted}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(float(sys.argv[1]))))
