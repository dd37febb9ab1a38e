"""Commands about executions."""
