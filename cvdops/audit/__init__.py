"""Who did what: an append-only log, written in the same transaction as what it records."""
