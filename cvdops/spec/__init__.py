"""The runbook format: parse, plan, lint, render. Pure: no Django, no I/O, never raises on any document."""
