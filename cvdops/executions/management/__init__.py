"""Commands about runbooks."""
