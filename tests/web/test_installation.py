"""What a new installation holds after its first person was made."""

import pytest
from django.core.management import call_command

from cvdops.access.models import MatrixCell
from cvdops.approvals.models import ApprovalPolicy
from cvdops.environments.models import Environment, Host, Period

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("person", "ada", "--role", "admin")


def test_the_first_person_finds_matrix_environments_windows_and_policies(first: None) -> None:
    assert MatrixCell.objects.count() == 45
    assert set(Environment.objects.values_list("pk", flat=True)) == {
        "development",
        "staging",
        "production",
    }
    assert set(Period.objects.values_list("environment", flat=True)) == {"staging", "production"}
    assert ApprovalPolicy.objects.filter(environment="production").count() == 5


def test_there_is_no_practice_system_outside_the_one_command_system(first: None) -> None:
    assert not Environment.objects.filter(practice=True).exists()
    assert not Host.objects.exists()


def test_the_second_person_changes_none_of_it(first: None) -> None:
    Period.objects.all().delete()
    MatrixCell.objects.filter(role="developer", category="security").update(level=0)
    call_command("person", "bo", "--role", "operations-lead")
    assert not Period.objects.exists()
    assert MatrixCell.objects.get(role="developer", category="security").level == 0
