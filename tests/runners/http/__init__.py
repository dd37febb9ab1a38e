"""Requests that the portal sends itself."""
