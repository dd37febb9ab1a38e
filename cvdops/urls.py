"""Every URL of the portal."""

from django.urls import include, path

urlpatterns = [path("", include("cvdops.web.urls"))]
