"""The URLs of who may do what: the matrix, who holds which role, and the changes of both."""

from django.urls import URLPattern, path

from cvdops.web.views import certification, changes, holders, permissions, policies

_CERTIFIED = "permissions/certification/<str:username>/"
_CHANGE = "permissions/changes/<str:change_id>/"

urlpatterns: list[URLPattern] = [
    path("permissions/", permissions.permissions, name="permissions"),
    path("permissions/matrix/", permissions.edit, name="matrix"),
    path("permissions/people/", holders.holders, name="holders"),
    path("permissions/people/<str:username>/", holders.holder, name="holder"),
    path("permissions/people/<str:username>/roles/", holders.give, name="give-role"),
    path("permissions/what-if/", permissions.what_if, name="what-if"),
    path("permissions/policies/", policies.all_policies, name="policies"),
    path("permissions/policies/choose/", policies.choose, name="policy-choose"),
    path(
        "permissions/policies/<str:environment>/<str:category>/<str:condition>/",
        policies.policy,
        name="policy",
    ),
    path("permissions/groups/<str:slug>/", policies.group, name="approver-group"),
    path("permissions/roles/<str:slug>/", policies.role, name="role-rights"),
    path("permissions/certification/", certification.certification, name="certification"),
    path(_CERTIFIED, certification.certified, name="certified"),
    path(_CERTIFIED + "grant/", certification.certify, name="certify"),
    path("permissions/changes/", changes.changes, name="changes"),
    path("permissions/history/<str:kind>/<path:key>/", changes.history, name="change-history"),
    path(_CHANGE, changes.change, name="change"),
    path(_CHANGE + "confirm/", changes.confirm, name="change-confirm"),
    path(_CHANGE + "refuse/", changes.refuse, name="change-refuse"),
    path(_CHANGE + "withdraw/", changes.withdraw, name="change-withdraw"),
]
