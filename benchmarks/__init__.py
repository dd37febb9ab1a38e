"""Measures the figures that the portal is built to, on the real stack. `make bench` prints them."""
