"""The Slack app: listeners, understanding, blocks, limits and delivery; no reasoning about incidents here."""
