"""Speaking to language models: the one adapter of the port, and the one table of what models are known to be.

Everything that speaks the Messages protocol is asked the same way: Claude, MiniMax, and servers of one's own. Prompts,
schemas and what answers are worth live elsewhere.
"""
