"""A local workspace: enough of Slack's Web API and Socket Mode, and a page, to run the real app without an account.

Knows nothing of the app it serves and shares no code with it: what the app sends is judged here from Slack's published
limits alone. Leaves out what the app does not use: search, streaming, canvases, lists, calls, workflows.
"""
