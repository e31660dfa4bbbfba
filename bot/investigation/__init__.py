"""The use cases: investigate, follow up."""
