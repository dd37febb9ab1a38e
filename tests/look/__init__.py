"""Tests of how every page looks, reads and behaves in a browser."""
