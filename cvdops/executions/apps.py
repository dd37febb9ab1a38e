"""The executions app."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "cvdops.executions"
