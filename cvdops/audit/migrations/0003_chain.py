"""Entries are chained by hashes: a seal for each, made by the database when the transaction commits.

An entry puts itself on a list at the end of its transaction, and what is on the list is sealed after that: behind
all other checks of the commit, so that whoever holds the lock of the chain waits for nothing else. The functions
run as their owner: an application that may not write seals has them written all the same.
"""

from django.db import migrations, models

CREATE = """
CREATE TABLE audit_unsealed (entry_id bigint NOT NULL);

CREATE FUNCTION audit_seal_entry(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e audit_auditentry;
    last bigint;
    previous bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(1129727236);
    SELECT number, hash INTO last, previous FROM audit_seal ORDER BY number DESC LIMIT 1;
    last := coalesce(last, 0) + 1;
    SELECT * INTO STRICT e FROM audit_auditentry WHERE id = wanted;
    INSERT INTO audit_seal (number, entry_id, hash) VALUES (last, e.id, sha256(
        coalesce(previous, '') || convert_to(concat(
            last, ' ', e.id, ' ', (extract(epoch FROM e.at) * 1000000)::bigint,
            ' ', coalesce(e.actor_id::text, '-'), ' ', e.allowed::text, ' ', coalesce(e.address::text, '-'),
            ' ', octet_length(e.action), ' ', e.action, ' ', octet_length(e.subject), ' ', e.subject,
            ' ', octet_length(e.subject_id), ' ', e.subject_id, ' ', e.data::text
        ), 'UTF8')));
END $$;

CREATE FUNCTION audit_put_on_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO audit_unsealed VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION audit_seal_from_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM audit_seal_entry(NEW.entry_id);
    DELETE FROM audit_unsealed WHERE entry_id = NEW.entry_id;
    RETURN NULL;
END $$;

SELECT audit_seal_entry(id) FROM (SELECT id FROM audit_auditentry ORDER BY id) AS old;

CREATE CONSTRAINT TRIGGER audit_listed AFTER INSERT ON audit_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_put_on_list();
CREATE CONSTRAINT TRIGGER audit_sealed AFTER INSERT ON audit_unsealed
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_seal_from_list();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""
DROP = """
DROP TRIGGER audit_no_truncate ON audit_seal;
DROP TRIGGER audit_no_change ON audit_seal;
DROP TRIGGER audit_listed ON audit_auditentry;
DROP TABLE audit_unsealed;
DROP FUNCTION audit_seal_from_list();
DROP FUNCTION audit_put_on_list();
DROP FUNCTION audit_seal_entry(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("hash", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
