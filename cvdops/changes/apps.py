"""The changes app."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "cvdops.changes"
