-- Recommendations of staffing. `team` and `source` name the teams, or series without a team.
CREATE TABLE recommendations (
    id TEXT PRIMARY KEY,
    state INTEGER NOT NULL,
    team TEXT NOT NULL,
    source TEXT,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX recommendations_by_issue ON recommendations (issued_at, id);
CREATE INDEX recommendations_by_end ON recommendations (ends_at);
