-- Facts are added, never edited. REPLACE deletes without a word where a connection has
-- recursive_triggers off, so every insert also looks at what it would replace.

CREATE TRIGGER unit_refuses_update BEFORE UPDATE ON unit
BEGIN SELECT RAISE(ABORT, 'a unit is a fact: it cannot be changed'); END;
CREATE TRIGGER unit_refuses_delete BEFORE DELETE ON unit
BEGIN SELECT RAISE(ABORT, 'a unit is a fact: it cannot be deleted'); END;
CREATE TRIGGER unit_guards_insert BEFORE INSERT ON unit
WHEN EXISTS (SELECT 1 FROM unit WHERE code = NEW.code)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER account_refuses_update BEFORE UPDATE ON account
BEGIN SELECT RAISE(ABORT, 'an account is a fact: it cannot be changed'); END;
CREATE TRIGGER account_refuses_delete BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'an account is a fact: it cannot be deleted'); END;
CREATE TRIGGER account_guards_insert BEFORE INSERT ON account
BEGIN
  SELECT RAISE(ABORT, 'an account with this id exists')
   WHERE EXISTS (SELECT 1 FROM account WHERE id = NEW.id);
  SELECT RAISE(IGNORE)
   WHERE EXISTS (SELECT 1 FROM account WHERE code = NEW.code);
END;

CREATE TRIGGER event_refuses_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an event is a fact: it cannot be changed'); END;
CREATE TRIGGER event_refuses_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an event is a fact: it cannot be deleted'); END;
CREATE TRIGGER event_guards_insert BEFORE INSERT ON event
BEGIN
  SELECT RAISE(ABORT, 'an event with this id exists')
   WHERE EXISTS (SELECT 1 FROM event WHERE id = NEW.id);
  SELECT RAISE(IGNORE)
   WHERE EXISTS (SELECT 1 FROM event WHERE key = NEW.key);
END;

CREATE TRIGGER transfer_refuses_update BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'a transfer is a fact: it cannot be changed'); END;
CREATE TRIGGER transfer_refuses_delete BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'a transfer is a fact: it cannot be deleted'); END;
CREATE TRIGGER transfer_guards_insert BEFORE INSERT ON transfer
BEGIN
  SELECT RAISE(ABORT, 'a transfer with this id or number exists')
   WHERE EXISTS (SELECT 1 FROM transfer WHERE id = NEW.id)
      OR EXISTS (SELECT 1 FROM transfer
                  WHERE event_id = NEW.event_id AND number = NEW.number);
  -- There is one writer, so the newest event is the one being written now, or one
  -- that already has every transfer it declared.
  SELECT RAISE(ABORT, 'a transfer enters only with the event that declares it')
   WHERE NOT EXISTS (SELECT 1 FROM event
                      WHERE id = NEW.event_id
                        AND id = (SELECT max(id) FROM event)
                        AND NEW.number BETWEEN 1 AND transfers);
  SELECT RAISE(ABORT, 'a transfer moves the unit of both its accounts')
   WHERE NEW.unit IS NOT (SELECT unit FROM account WHERE id = NEW.debit_id)
      OR NEW.unit IS NOT (SELECT unit FROM account WHERE id = NEW.credit_id);
END;
CREATE TRIGGER transfer_guards_resolution BEFORE INSERT ON transfer
WHEN NEW.pending_id IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a resolution follows its pending transfer')
   WHERE NOT EXISTS (SELECT 1 FROM transfer
                      WHERE id = NEW.pending_id AND phase = 'pending'
                        AND debit_id = NEW.debit_id AND credit_id = NEW.credit_id
                        AND unit = NEW.unit);
  SELECT RAISE(ABORT, 'more is resolved than is pending')
   WHERE NEW.amount > (SELECT amount FROM transfer WHERE id = NEW.pending_id)
       - (SELECT coalesce(sum(amount), 0) FROM transfer
           WHERE pending_id = NEW.pending_id);
END;

CREATE TRIGGER resolution_refuses_update BEFORE UPDATE ON resolution
BEGIN SELECT RAISE(ABORT, 'a resolution is a fact: it cannot be changed'); END;
CREATE TRIGGER resolution_refuses_delete BEFORE DELETE ON resolution
BEGIN SELECT RAISE(ABORT, 'a resolution is a fact: it cannot be deleted'); END;
CREATE TRIGGER resolution_guards_insert BEFORE INSERT ON resolution
BEGIN
  SELECT RAISE(ABORT, 'this transfer has its resolution')
   WHERE EXISTS (SELECT 1 FROM resolution WHERE transfer_id = NEW.transfer_id);
  SELECT RAISE(ABORT, 'a resolution names the pending of its transfer')
   WHERE NOT EXISTS (SELECT 1 FROM transfer
                      WHERE id = NEW.transfer_id AND pending_id = NEW.pending_id);
  SELECT RAISE(ABORT, 'resolutions are numbered in order')
   WHERE NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM resolution
                             WHERE pending_id = NEW.pending_id);
END;

CREATE TRIGGER code_refuses_update BEFORE UPDATE ON code
BEGIN SELECT RAISE(ABORT, 'a code is a fact: it cannot be changed'); END;
CREATE TRIGGER code_refuses_delete BEFORE DELETE ON code
BEGIN SELECT RAISE(ABORT, 'a code is a fact: it cannot be deleted'); END;
CREATE TRIGGER code_guards_insert BEFORE INSERT ON code
BEGIN
  SELECT RAISE(ABORT, 'this event has its code')
   WHERE EXISTS (SELECT 1 FROM code WHERE event_id = NEW.event_id);
  SELECT RAISE(IGNORE)
   WHERE EXISTS (SELECT 1 FROM code WHERE code = NEW.code);
END;
