"""The URLs by which people find their way."""

from django.urls import URLPattern, path

from cvdops.web.views import guide

urlpatterns: list[URLPattern] = [
    path("find/", guide.find, name="find"),
    path("tour/", guide.tour, name="tour"),
    path("glossary/", guide.glossary, name="glossary"),
    path("shortcuts/", guide.shortcuts, name="shortcuts"),
]
