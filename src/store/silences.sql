-- Silences of alerts, those that are over included.
CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX silences_by_end ON silences (ends_at);
