"""The Celery task of the catalog."""

import logging

from celery import shared_task

from cvdops.catalog.sync import sync
from cvdops.lib.errors import UserError

log = logging.getLogger(__name__)


@shared_task(name="catalog.look", ignore_result=True)
def look() -> None:
    """Look at the source. What stands in the way is kept with it and shown on pages."""
    try:
        sync()
    except UserError as error:
        log.warning("The runbooks could not be read: %s", error)
