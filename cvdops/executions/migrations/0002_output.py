"""The output table, partitioned by month, and room on a page for the row that changes most."""

from django.db import migrations

CREATE = """
CREATE TABLE executions_outputsegment (
    attempt_id uuid NOT NULL,
    "offset" bigint NOT NULL,
    length integer NOT NULL,
    source_end bigint NOT NULL,
    execution_id uuid NOT NULL,
    seq bigint NOT NULL,
    data bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (attempt_id, "offset", created_at)
) PARTITION BY RANGE (created_at);
-- a viewer asks for what came after a position
CREATE INDEX outputsegment_seq ON executions_outputsegment (execution_id, seq);
-- already compressed: do not try again
ALTER TABLE executions_outputsegment ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE executions_outputsegment_default PARTITION OF executions_outputsegment DEFAULT;
-- seq and lease change often and are in no index: updates stay on their page
ALTER TABLE executions_execution SET (fillfactor = 70);
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE, "DROP TABLE executions_outputsegment"),
    ]
