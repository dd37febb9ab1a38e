"""People who use the portal."""
