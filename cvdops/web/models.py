"""The models whose tables this app has."""

from cvdops.doctor.models import Examination

__all__ = ["Examination"]
