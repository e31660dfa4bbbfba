"""How much of a log store is read, and in which order: what every store's source shares. No store's language is known here."""
