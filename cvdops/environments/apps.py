"""The environments app."""

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "cvdops.environments"
