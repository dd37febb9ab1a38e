"""Requests that the portal sends itself, to the very address that was looked up and judged."""

from cvdops.runners.http.exchange import Answer, Exchange
from cvdops.runners.http.trouble import Broken, NotSent, Wait

__all__ = ["Answer", "Broken", "Exchange", "NotSent", "Wait"]
