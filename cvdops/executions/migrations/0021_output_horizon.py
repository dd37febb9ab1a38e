"""Where all words of a phrase are frequent and it stands nowhere, each text with them would be looked through.

So a page looks through so many bytes of them, newest first, and this says how far that is. Where more `pieces`
have the words than are worth to be counted, it counts all output. The index of the words comes first, whatever
the planner thinks: to test the words of a row takes a hundred times as long as it believes.
"""

from django.db import migrations

_CREATE = """
    CREATE FUNCTION output_horizon(wanted text[], before uuid, pieces bigint, bytes bigint) RETURNS uuid
    LANGUAGE sql STABLE SET enable_seqscan = off AS $$
        WITH counted AS MATERIALIZED (
            SELECT execution_id, "end" - begin AS size FROM executions_outputwords
             WHERE words @> wanted AND execution_id < before LIMIT pieces + 1
        )
        SELECT CASE WHEN (SELECT count(*) FROM counted) > pieces THEN (
            SELECT execution_id FROM (
                SELECT execution_id, sum("end" - begin) OVER newest FROM executions_outputwords
                 WHERE execution_id < before
                WINDOW newest AS (ORDER BY execution_id DESC ROWS UNBOUNDED PRECEDING)) AS all_of_it
             WHERE sum >= bytes LIMIT 1
        ) ELSE (
            SELECT execution_id FROM (
                SELECT execution_id, sum(size) OVER newest FROM counted
                WINDOW newest AS (ORDER BY execution_id DESC ROWS UNBOUNDED PRECEDING)) AS those
             WHERE sum >= bytes LIMIT 1
        ) END
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0020_output_as_it_is_searched")]

    operations = [migrations.RunSQL(_CREATE, "DROP FUNCTION output_horizon")]
