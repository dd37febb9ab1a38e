"""The notifications app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "cvdops.notifications"
