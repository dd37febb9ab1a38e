"""What each field and parameter of the API is, where its name does not say it: for the description.

`name` stands for every field and parameter of that name, `Shape.name` or `module.call.name` for one of them.
"""

from collections.abc import Mapping

from cvdops.api.fields.accounts import ACCOUNTS
from cvdops.api.fields.environments import ENVIRONMENTS
from cvdops.api.fields.executions import EXECUTIONS
from cvdops.api.fields.rights import RIGHTS
from cvdops.api.fields.runbooks import RUNBOOKS
from cvdops.api.fields.shared import SHARED

FIELDS: Mapping[str, str] = {
    **ACCOUNTS,
    **ENVIRONMENTS,
    **EXECUTIONS,
    **RIGHTS,
    **RUNBOOKS,
    **SHARED,
}
