"""Every URL of the portal."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("cvdops.api.urls")), path("", include("cvdops.web.urls"))]

handler400 = "cvdops.web.errors.bad_request"
handler403 = "cvdops.web.errors.forbidden"
handler404 = "cvdops.web.errors.not_found"
handler500 = "cvdops.web.errors.server_error"
