"""The URLs of triggers."""

from django.urls import URLPattern, path

from cvdops.web.views import triggers

_ONE = "triggers/<str:trigger_id>/"

urlpatterns: list[URLPattern] = [
    path("triggers/", triggers.triggers, name="triggers"),
    path(_ONE, triggers.trigger, name="trigger"),
    path(_ONE + "rotate/", triggers.rotate, name="trigger-rotate"),
    path(_ONE + "disable/", triggers.disable, name="trigger-disable"),
    path(_ONE + "enable/", triggers.enable, name="trigger-enable"),
]
