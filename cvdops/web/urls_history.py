"""The URLs of the history. They come before those of one execution, whose id could be any word."""

from django.urls import path

from cvdops.web.views import comparing, evidence, history

urlpatterns = [
    path("executions/", history.executions, name="executions"),
    path("executions/compare/", comparing.compare, name="executions-compare"),
    path("executions/export/<slug:kind>/", history.executions_export, name="executions-export"),
    path("executions/filters/save/", history.save_filter, name="filter-save"),
    path("executions/filters/<int:pk>/remove/", history.remove_filter, name="filter-remove"),
    path("executions/<str:execution_id>/evidence/", evidence.evidence, name="execution-evidence"),
]
