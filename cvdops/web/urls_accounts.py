"""The URLs of one's own account and, for administrators, of everybody's."""

from django.urls import URLPattern, path

from cvdops.web.views import account, accounts

_ONE = "people/<str:username>/"

urlpatterns: list[URLPattern] = [
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/sessions/end/", account.end_others, name="sessions-end"),
    path("account/sessions/<slug:public_id>/end/", account.end_one, name="session-end"),
    path("account/tokens/", account.make_token, name="token-make"),
    path("account/tokens/<int:pk>/revoke/", account.revoke_token, name="token-revoke"),
    path("people/", accounts.people, name="people"),
    path("people/add/", accounts.add, name="person-add"),
    path(_ONE, accounts.one, name="person"),
    path(_ONE + "close/", accounts.close, name="person-close"),
    path(_ONE + "reopen/", accounts.reopen, name="person-reopen"),
    path(_ONE + "password/", accounts.new_password, name="person-password"),
    path(_ONE + "log-out/", accounts.log_out, name="person-log-out"),
]
