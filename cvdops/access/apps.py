"""The access app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "cvdops.access"
