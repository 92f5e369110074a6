-- In which cluster a row was made: transaction ids mean nothing in another one, so rows
-- that a restore brought are always old enough to be sealed. `yarigar migrate` sets
-- the default anew after a restore.
DO $$
BEGIN
  EXECUTE format(
    'ALTER TABLE event ADD COLUMN cluster bigint NOT NULL DEFAULT %s',
    (SELECT system_identifier FROM pg_control_system()));
END $$;

-- What is sealed, bought, published or approved is a fact as well. Of a leaf only the
-- nonce may go, when its person is erased.
CREATE FUNCTION guard_leaf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.nonce IS NOT NULL
     OR (NEW.number, NEW.unit, NEW.data, NEW.salt, NEW.digests)
        IS DISTINCT FROM (OLD.number, OLD.unit, OLD.data, OLD.salt, OLD.digests)
     OR NEW.event_id IS DISTINCT FROM OLD.event_id
     OR NEW.account_id IS DISTINCT FROM OLD.account_id THEN
    RAISE EXCEPTION USING
      ERRCODE = 'restrict_violation',
      MESSAGE = 'a leaf is sealed: it cannot be changed';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER leaf_guards_update BEFORE UPDATE ON leaf
  FOR EACH ROW EXECUTE FUNCTION guard_leaf();
CREATE TRIGGER leaf_refuses_change BEFORE DELETE OR TRUNCATE ON leaf
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_refuses_change
  BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER batch_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON batch
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON report
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER request_approval_refuses_change
  BEFORE UPDATE OR DELETE OR TRUNCATE ON request_approval
  EXECUTE FUNCTION refuse_change();

ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_guards_update;
ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_refuses_change;
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_refuses_change;
ALTER TABLE batch ENABLE ALWAYS TRIGGER batch_refuses_change;
ALTER TABLE report ENABLE ALWAYS TRIGGER report_refuses_change;
ALTER TABLE request_approval ENABLE ALWAYS TRIGGER request_approval_refuses_change;

