"""The addresses in notices are those of the pages."""

from uuid import uuid4

from django.urls import reverse

from cvdops.notifications import addresses


def test_they_are_those_of_the_pages() -> None:
    pk = uuid4()
    assert addresses.execution(pk) == reverse("execution", args=[pk])
    assert addresses.approval(pk) == reverse("approval", args=[pk])
    assert addresses.change(pk) == reverse("change", args=[pk])
    assert addresses.holds() == reverse("holds")
    assert addresses.certified("dana") == reverse("certified", args=["dana"])
    assert addresses.launch("deployment") == reverse("run", args=["deployment"])
