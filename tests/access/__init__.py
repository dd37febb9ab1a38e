"""Tests of the rules about who may do what."""
