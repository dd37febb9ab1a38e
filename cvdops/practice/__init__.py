"""The practice CVD: a small real service on which people learn operations without harm."""
