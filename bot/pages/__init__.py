"""The report as a page for other systems: Markdown, and what Jira takes; pure functions that more than one face needs."""
