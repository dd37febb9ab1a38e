"""The URLs of the pages. Every view says who may use it; the middleware refuses one that does not."""

from django.conf import settings
from django.urls import URLPattern, path

from cvdops.web import (
    urls_accounts,
    urls_environments,
    urls_guide,
    urls_history,
    urls_live,
    urls_permissions,
    urls_triggers,
)
from cvdops.web.views import (
    audit,
    catalog,
    contacts,
    feed,
    health,
    holds,
    home,
    importing,
    installation,
    launch,
    metrics,
    notices,
    reference,
    routines,
    rules,
    runbook,
    session,
    trying,
    versions,
)
from cvdops.web.views.styleguide import styleguide

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("login/", session.log_in, name="login"),
    path("logout/", session.log_out, name="logout"),
    path("runbooks/", catalog.runbooks, name="runbooks"),
    path("catalog/sync/", catalog.sync_now, name="sync"),
    path("runbooks/import/", importing.import_document, name="import"),
    path("runbooks/rules/<slug:code>/", rules.rule, name="rule"),
    path("runbooks/<slug:runbook_id>/", runbook.runbook, name="runbook"),
    path("runbooks/<slug:runbook_id>/run/", launch.run, name="run"),
    path("runbooks/<slug:runbook_id>/dry-run/", trying.dry_run, name="dry-run"),
    path("runbooks/<slug:runbook_id>/versions/", versions.versions, name="versions"),
    path("runbooks/<slug:runbook_id>/compare/", versions.compare, name="compare"),
    path(
        "runbooks/<slug:runbook_id>/versions/<int:number>/review/", versions.review, name="review"
    ),
    *urls_history.urlpatterns,
    *urls_permissions.urlpatterns,
    path("environments/", reference.environments, name="environments"),
    path("environments/<slug:slug>/reset/", reference.reset_practice, name="reset-practice"),
    *urls_environments.urlpatterns,
    path("calendar/<str:token>.ics", feed.calendar, name="calendar"),
    path("holds/", holds.holds, name="holds"),
    path("holds/set/", holds.set_hold, name="hold-set"),
    path("holds/<int:pk>/lift/", holds.lift, name="hold-lift"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read, name="notices-read"),
    path("notices/<int:pk>/", notices.follow, name="notice-follow"),
    path("runbooks/<slug:runbook_id>/help/", notices.ask, name="ask-for-help"),
    path("metrics/", metrics.metrics, name="metrics"),
    path("routines/", routines.routines, name="routines"),
    path("routines/<slug:key>/", routines.routine, name="routine"),
    path("routines/<slug:key>/confirm/", routines.confirm, name="routine-confirm"),
    path("doctor/", installation.doctor, name="doctor"),
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/add/<slug:kind>/", contacts.add, name="contact-add"),
    path("contacts/<int:pk>/", contacts.change, name="contact"),
    path("contacts/<int:pk>/remove/", contacts.remove, name="contact-remove"),
    *urls_accounts.urlpatterns,
    *urls_triggers.urlpatterns,
    *urls_guide.urlpatterns,
    path("audit/", audit.audit, name="audit"),
    path("audit/export/<slug:kind>/", audit.audit_export, name="audit-export"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    *urls_live.urlpatterns,
]

if not settings.PRODUCTION:
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
