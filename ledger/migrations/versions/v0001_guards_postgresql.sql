-- Facts are added, never edited.

-- Which transaction made the event: its transfers enter in the same one.
ALTER TABLE event ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'restrict_violation',
    MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are facts: no ' || TG_OP;
END $$;

CREATE TRIGGER unit_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON unit
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON account
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER resolution_refuses_change
  BEFORE UPDATE OR DELETE OR TRUNCATE ON resolution
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER code_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON code
  EXECUTE FUNCTION refuse_change();

-- A session that plays the replica is refused as well.
ALTER TABLE unit ENABLE ALWAYS TRIGGER unit_refuses_change;
ALTER TABLE account ENABLE ALWAYS TRIGGER account_refuses_change;
ALTER TABLE event ENABLE ALWAYS TRIGGER event_refuses_change;
ALTER TABLE transfer ENABLE ALWAYS TRIGGER transfer_refuses_change;
ALTER TABLE resolution ENABLE ALWAYS TRIGGER resolution_refuses_change;
ALTER TABLE code ENABLE ALWAYS TRIGGER code_refuses_change;

CREATE FUNCTION guard_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  pending transfer;
BEGIN
  PERFORM 1 FROM event
    WHERE id = NEW.event_id AND xid = pg_current_xact_id()
      AND NEW.number BETWEEN 1 AND transfers;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'restrict_violation',
      MESSAGE = 'a transfer enters only with the event that declares it';
  END IF;
  PERFORM 1 FROM account d, account c
    WHERE d.id = NEW.debit_id AND c.id = NEW.credit_id
      AND d.unit = NEW.unit AND c.unit = NEW.unit;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'restrict_violation',
      MESSAGE = 'a transfer moves the unit of both its accounts';
  END IF;
  IF NEW.pending_id IS NOT NULL THEN
    -- Two resolutions of one pending transfer pass one after the other; the sum is
    -- taken by a later statement, which sees what the first has committed.
    SELECT * INTO pending FROM transfer
      WHERE id = NEW.pending_id AND phase = 'pending'
        AND debit_id = NEW.debit_id AND credit_id = NEW.credit_id
        AND unit = NEW.unit
      FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = 'a resolution follows its pending transfer';
    END IF;
    IF NEW.amount > pending.amount - (SELECT coalesce(sum(amount), 0)
                                        FROM transfer
                                       WHERE pending_id = NEW.pending_id) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = 'more is resolved than is pending';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER transfer_guards_insert BEFORE INSERT ON transfer
  FOR EACH ROW EXECUTE FUNCTION guard_transfer();

CREATE FUNCTION guard_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM transfer
    WHERE id = NEW.transfer_id AND pending_id = NEW.pending_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'restrict_violation',
      MESSAGE = 'a resolution names the pending of its transfer';
  END IF;
  IF NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM resolution
                         WHERE pending_id = NEW.pending_id) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'restrict_violation',
      MESSAGE = 'resolutions are numbered in order';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER resolution_guards_insert BEFORE INSERT ON resolution
  FOR EACH ROW EXECUTE FUNCTION guard_resolution();
