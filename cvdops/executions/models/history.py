"""What the history is searched by: the words of stored output, and the filters that people have kept."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from cvdops.executions.models.execution import Execution, StepAttempt


class OutputWords(models.Model):
    """A piece of an attempt's output as it is searched: masked as it is stored, so no secret is found."""

    pk = models.CompositePrimaryKey("attempt_id", "begin")
    # No foreign keys, as the output itself has none.
    attempt = models.ForeignKey(
        StepAttempt,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="words",
    )
    begin = models.BigIntegerField()  # of the first byte, in the stored output
    end = models.BigIntegerField()
    execution = models.ForeignKey(
        Execution,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="words",
    )
    answer = models.BooleanField()  # what came back to a request, which not everybody may read
    written_at = models.DateTimeField()  # its output goes with that month
    # The words find the pieces by their index; what was asked must stand in the text (see lib/words).
    words = ArrayField(models.TextField(db_collation="C"))
    text = models.TextField(db_collation="C")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # history: which executions wrote a rare word; whether the newest ones wrote a frequent one
            GinIndex(fields=["words"], name="outputwords_words"),
            models.Index(fields=["-execution"], name="outputwords_execution"),
        ]

    def __str__(self) -> str:
        return f"{self.begin}–{self.end}"


class SavedFilter(models.Model):
    """A filter of the history under a name. Whoever has its address sees what they may see."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)  # of the address
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_filter_name")
        ]

    def __str__(self) -> str:
        return self.name
