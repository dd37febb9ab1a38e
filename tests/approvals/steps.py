"""Steps of the runbooks of these tests."""

from tests.executions.test_engine import block

__all__ = ["block", "gate"]


def gate(key: str, approvers: str = "", attributes: str = "", more: str = "") -> str:
    """An approval step; without approvers, those of the policy."""
    body = (f"approvers: [{approvers}]\n" if approvers else "message: go?\n") + more
    return f"#### {key}\n\n```approval {{#{key} {attributes}}}\n{body}```\n\n"
