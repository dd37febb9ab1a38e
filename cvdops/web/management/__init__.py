"""Commands that put the portal together."""
