"""From tested chains to a report a person can act on, and the verifier that trusts none of it."""
