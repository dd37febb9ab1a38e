"""Approval requests and the decisions on them."""
