"""Where that is read which a call has made: the `Location` of a 201."""

from collections.abc import Mapping
from urllib.parse import quote

from cvdops.lib.problems import ROOT

_CHANGE = "changes/{id}"
_ENVIRONMENT = "environments/{slug}"

# Operation id → its address below the root, with the fields of the answer and the places of the address asked.
LOCATIONS: Mapping[str, str] = {
    "accounts.open_account": "accounts/{username}",
    "catalog.review": "runbooks/{runbook_id}/versions/{number}",
    "changes.give_role": _CHANGE,
    "changes.remove_period": _CHANGE,
    "changes.set_group": _CHANGE,
    "changes.set_period": _CHANGE,
    "contacts.add": "contacts/{id}",
    "environments.set_secret": _ENVIRONMENT,
    "executions.start": "executions/{id}",
    "history.keep": "executions/filters",
    "holds.hold": "holds/{id}",
    "hosts.confirm_key": "environments/{slug}/hosts/{name}",
    "parts.add_address": _ENVIRONMENT,
    "parts.add_database": _ENVIRONMENT,
    "parts.add_group": _ENVIRONMENT,
    "parts.add_host": "environments/{slug}/hosts/{name}",
    "parts.add_variable": _ENVIRONMENT,
    "people.certify": "people/{username}/certification",
    "people.delegate": "delegations/{id}",
    "permissions.edit_matrix": _CHANGE,
    "permissions.edit_role": _CHANGE,
    "policies.set_policy": _CHANGE,
    "routines.confirm": "routines/{key}",
    "taking_part.note": "executions/{execution_id}/notes",
    "triggers.create": "triggers/{id}",
    "triggers.deliver": "executions/{execution}",
}


def location(operation: str, asked: Mapping[str, object], answer: Mapping[str, object]) -> str:
    """The address. `asked`: the places of the address that was asked; `answer`: the fields of what it said."""
    values = {name: quote(str(value), safe="") for name, value in {**asked, **answer}.items()}
    return ROOT + LOCATIONS[operation].format_map(values)
