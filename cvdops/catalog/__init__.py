"""The runbooks, every version of them, and where they come from."""
