"""Pictures of a window: lanes, episodes and lags as characters."""
