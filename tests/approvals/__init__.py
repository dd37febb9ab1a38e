"""Tests of approvals: who has to agree, and what a decision is worth."""
