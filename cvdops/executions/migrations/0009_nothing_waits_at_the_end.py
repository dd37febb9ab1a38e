"""No step of an execution that has ended waits for anybody: the database refuses it at the end of a transaction.

Only a change of a state to an end, or to waiting, is looked at, so that what is written all the time costs nothing.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION executions_nothing_waits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE execution uuid;
BEGIN
    IF TG_TABLE_NAME = 'executions_execution' THEN execution := NEW.id;
    ELSE execution := NEW.execution_id;
    END IF;
    IF EXISTS (
        SELECT FROM executions_execution e JOIN executions_steprun s ON s.execution_id = e.id
         WHERE e.id = execution AND e.finished_at IS NOT NULL AND s.state = 'waiting'
    ) THEN
        RAISE EXCEPTION 'Execution % has ended, and a step of it waits.', execution
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER execution_ends_without_waiting
    AFTER UPDATE OF state ON executions_execution DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL)
    EXECUTE FUNCTION executions_nothing_waits();
CREATE CONSTRAINT TRIGGER step_waits_before_the_end
    AFTER UPDATE OF state ON executions_steprun DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'waiting' AND OLD.state <> 'waiting')
    EXECUTE FUNCTION executions_nothing_waits();
"""
DROP = """
DROP TRIGGER step_waits_before_the_end ON executions_steprun;
DROP TRIGGER execution_ends_without_waiting ON executions_execution;
DROP FUNCTION executions_nothing_waits();
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0008_emergencies")]

    operations = [migrations.RunSQL(CREATE, DROP)]
