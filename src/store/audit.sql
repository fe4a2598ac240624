-- What people did, and who they were. A repeated entry of the replicated log changes nothing.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, signed_in INTEGER NOT NULL,
    act TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    UNIQUE (at, who, act, subject)
);
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'an entry of the audit trail is never rewritten'); END;
