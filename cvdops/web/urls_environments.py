"""The URLs of one environment."""

from django.urls import URLPattern, path

from cvdops.web.views import environments, hosts, periods, vault

_ONE = "environments/<str:slug>/"
_HOST = _ONE + "hosts/<str:name>/"
_PERIOD = _ONE + "windows/<int:pk>/"
_PART = _ONE + "<str:kind>/<int:pk>/"

urlpatterns: list[URLPattern] = [
    path(_ONE, environments.environment, name="environment"),
    path(_ONE + "add/<str:kind>/", environments.add, name="environment-add"),
    path(_ONE + "windows/add/<str:kind>/", periods.add, name="period-add"),
    path(_PERIOD, periods.change, name="period"),
    path(_PERIOD + "remove/", periods.remove, name="period-remove"),
    path(_ONE + "secret/", vault.secret, name="secret"),
    path(_ONE + "secret/remove/", vault.remove, name="secret-remove"),
    path(_ONE + "health/", vault.health, name="environment-health"),
    path(_HOST, hosts.host, name="host"),
    path(_HOST + "test/", hosts.test, name="host-test"),
    path(_HOST + "keys/", hosts.confirm_key, name="host-key"),
    path(_PART + "change/", environments.change, name="environment-change"),
    path(_PART + "remove/", environments.remove, name="environment-remove"),
]
