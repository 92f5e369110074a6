-- What is sealed, bought, published or approved is a fact as well. Of a leaf only the
-- nonce may go, when its person is erased.

CREATE TRIGGER leaf_refuses_update BEFORE UPDATE ON leaf
WHEN NEW.nonce IS NOT NULL OR NEW.number IS NOT OLD.number
  OR NEW.event_id IS NOT OLD.event_id OR NEW.account_id IS NOT OLD.account_id
  OR NEW.unit IS NOT OLD.unit OR NEW.data IS NOT OLD.data
  OR NEW.salt IS NOT OLD.salt OR NEW.digests IS NOT OLD.digests
BEGIN SELECT RAISE(ABORT, 'a leaf is sealed: it cannot be changed'); END;
CREATE TRIGGER leaf_refuses_delete BEFORE DELETE ON leaf
BEGIN SELECT RAISE(ABORT, 'a leaf is sealed: it cannot be deleted'); END;
CREATE TRIGGER leaf_guards_insert BEFORE INSERT ON leaf
WHEN EXISTS (SELECT 1 FROM leaf WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'a leaf with this number exists'); END;

CREATE TRIGGER checkpoint_refuses_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'a checkpoint is signed: it cannot be changed'); END;
CREATE TRIGGER checkpoint_refuses_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'a checkpoint is signed: it cannot be deleted'); END;
CREATE TRIGGER checkpoint_guards_insert BEFORE INSERT ON checkpoint
WHEN EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'a checkpoint of this size exists'); END;

CREATE TRIGGER batch_refuses_update BEFORE UPDATE ON batch
BEGIN SELECT RAISE(ABORT, 'a batch is a fact: it cannot be changed'); END;
CREATE TRIGGER batch_refuses_delete BEFORE DELETE ON batch
BEGIN SELECT RAISE(ABORT, 'a batch is a fact: it cannot be deleted'); END;
CREATE TRIGGER batch_guards_insert BEFORE INSERT ON batch
WHEN EXISTS (SELECT 1 FROM batch WHERE event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'this batch exists'); END;

CREATE TRIGGER report_refuses_update BEFORE UPDATE ON report
BEGIN SELECT RAISE(ABORT, 'a report is published: it cannot be changed'); END;
CREATE TRIGGER report_refuses_delete BEFORE DELETE ON report
BEGIN SELECT RAISE(ABORT, 'a report is published: it cannot be deleted'); END;
CREATE TRIGGER report_guards_insert BEFORE INSERT ON report
WHEN EXISTS (SELECT 1 FROM report WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a report with this id exists'); END;

CREATE TRIGGER request_approval_refuses_update BEFORE UPDATE ON request_approval
BEGIN SELECT RAISE(ABORT, 'an approval is a fact: it cannot be changed'); END;
CREATE TRIGGER request_approval_refuses_delete BEFORE DELETE ON request_approval
BEGIN SELECT RAISE(ABORT, 'an approval is a fact: it cannot be deleted'); END;
