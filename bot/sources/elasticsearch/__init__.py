"""Reads an Elasticsearch or an OpenSearch into a case."""

from bot.sources.elasticsearch.source import ElasticsearchSource

__all__ = ["ElasticsearchSource"]
