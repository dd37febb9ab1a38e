"""What all tests share."""

import pytest
from django.db import connection

import cvdops.celery  # noqa: F401 — the application through which wake-ups are sent
from tests.faults.chance import SEED

# Failures of shared tests are explained like any other, whoever imports them first.
pytest.register_assert_rewrite("tests.runners.conformance", "tests.runners.bench")


def pytest_report_header() -> str:
    return f"seed of the random faults: {SEED} (CVDOPS_SEED={SEED} plays them again)"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Between two tests the tables are emptied, which the audit log's triggers would refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("audit_auditentry", "audit_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate")
