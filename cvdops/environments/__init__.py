"""Environments, their hosts and their variables."""
