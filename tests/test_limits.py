"""What waits without an end fails where it waits."""

import threading

import pytest

from tests import limits


def test_a_wait_without_an_end_fails(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:  # and not for the end of this test, or of the run
        short.setattr(limits, "PATIENCE", 0.1)
        part = limits.limited(request.node, "the trial")
        next(part)
    with pytest.raises(pytest.fail.Exception, match=r"the trial of .*: not over within 0.1 s"):
        threading.Event().wait(60)
    part.close()
