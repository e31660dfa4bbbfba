"""What operators look at: health, readiness, metrics and logs. Knows nothing of Slack beyond a connection to watch."""
