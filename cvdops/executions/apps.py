"""The executions app."""

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "cvdops.executions"

    def ready(self) -> None:
        from cvdops.executions import checks  # noqa: F401, PLC0415 (it registers them)
