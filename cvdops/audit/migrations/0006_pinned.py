"""What runs as the owner looks names up nowhere but in the catalog: nobody can plant others there."""

from django.db import migrations

CREATE = """
DO $do$ BEGIN EXECUTE format($sql$
CREATE OR REPLACE FUNCTION %1$I.audit_seal_entry(wanted bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e %1$I.audit_auditentry;
    last bigint;
    previous bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(1129727236);
    SELECT number, hash INTO last, previous FROM %1$I.audit_seal ORDER BY number DESC LIMIT 1;
    last := coalesce(last, 0) + 1;
    SELECT * INTO STRICT e FROM %1$I.audit_auditentry WHERE id = wanted;
    INSERT INTO %1$I.audit_seal (number, entry_id, hash) VALUES (last, e.id, sha256(
        coalesce(previous, '') || convert_to(concat(
            last, ' ', e.id, ' ', (extract(epoch FROM e.at) * 1000000)::bigint,
            ' ', coalesce(e.actor_id::text, '-'), ' ', e.allowed::text, ' ', coalesce(e.address::text, '-'),
            ' ', octet_length(e.action), ' ', e.action, ' ', octet_length(e.subject), ' ', e.subject,
            ' ', octet_length(e.subject_id), ' ', e.subject_id, ' ', e.data::text
        ), 'UTF8')));
END $$;
CREATE OR REPLACE FUNCTION %1$I.audit_put_on_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO %1$I.audit_unsealed VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION %1$I.audit_seal_from_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM %1$I.audit_seal_entry(NEW.entry_id);
    DELETE FROM %1$I.audit_unsealed WHERE entry_id = NEW.entry_id;
    RETURN NULL;
END $$;
$sql$, current_schema()); END $do$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_at")]

    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
