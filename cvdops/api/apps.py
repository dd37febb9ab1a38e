"""The API's app: it keeps the answers of calls that may be sent twice."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "cvdops.api"
