-- Times are milliseconds since the epoch, days are days since the epoch, names are those of events ('' = none).
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (key TEXT PRIMARY KEY, bytes BLOB NOT NULL);

-- Windows. cells: aggregation keys; kind: 0 tickets, 1 alarms, 2 maintenance. chunks.key = cell << 24 | day; a chunk has
-- the windows of one day.
CREATE TABLE cells (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,
    region TEXT NOT NULL, service TEXT NOT NULL, channel TEXT NOT NULL,
    UNIQUE (kind, region, service, channel)
);
CREATE TABLE chunks (key INTEGER PRIMARY KEY, rows BLOB NOT NULL);
CREATE TABLE late (
    cell INTEGER NOT NULL, start INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (cell, start)
) WITHOUT ROWID;
CREATE TABLE sources (
    topic TEXT NOT NULL, part INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (topic, part)
) WITHOUT ROWID;
CREATE TABLE partials (
    cell INTEGER NOT NULL, start INTEGER NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL,
    upto INTEGER NOT NULL, counts BLOB NOT NULL,
    PRIMARY KEY (cell, start, topic, part)
) WITHOUT ROWID;

-- The ledger of forecasts. Rows never change, and only retention deletes them.
CREATE TABLE series (
    id INTEGER PRIMARY KEY, region TEXT NOT NULL, service TEXT NOT NULL, channel TEXT NOT NULL,
    UNIQUE (region, service, channel)
);
CREATE TABLE vintages (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, issued_at INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (series, issued_at)
);
CREATE INDEX vintages_by_time ON vintages (issued_at);
CREATE TABLE vintage_leads (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, issued_at INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (series, issued_at)
);
CREATE INDEX vintage_leads_by_time ON vintage_leads (issued_at);
-- Holds a row only within the transaction that deletes old vintages.
CREATE TABLE retention_open (only INTEGER PRIMARY KEY CHECK (only = 1));
CREATE TRIGGER vintages_first_stands BEFORE INSERT ON vintages
WHEN EXISTS (SELECT 1 FROM vintages WHERE series = NEW.series AND issued_at = NEW.issued_at)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER vintages_fixed BEFORE UPDATE ON vintages
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER vintages_kept BEFORE DELETE ON vintages
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
CREATE TRIGGER vintage_leads_first_stands BEFORE INSERT ON vintage_leads
WHEN EXISTS (SELECT 1 FROM vintage_leads WHERE series = NEW.series AND issued_at = NEW.issued_at)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER vintage_leads_fixed BEFORE UPDATE ON vintage_leads
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER vintage_leads_kept BEFORE DELETE ON vintage_leads
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
CREATE TABLE plans (
    series INTEGER PRIMARY KEY, issued_at INTEGER NOT NULL, plan BLOB, outlook BLOB NOT NULL
);
CREATE TABLE scores (
    series INTEGER NOT NULL, day INTEGER NOT NULL, lead_minutes INTEGER NOT NULL, score BLOB NOT NULL,
    PRIMARY KEY (series, day, lead_minutes)
) WITHOUT ROWID;

-- Alarms: all messages, and the newest of each alarm. raised_at is NULL once the alarm is cleared.
CREATE TABLE transitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
    ts INTEGER NOT NULL, alarm TEXT NOT NULL, clear INTEGER NOT NULL, event BLOB NOT NULL,
    UNIQUE (topic, part, position)
);
CREATE INDEX transitions_by_alarm ON transitions (alarm, ts, topic, part, position, clear);
CREATE INDEX transitions_by_time ON transitions (ts);
CREATE TABLE alarms (
    alarm TEXT PRIMARY KEY, ts INTEGER NOT NULL,
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
    raised_at INTEGER, event BLOB NOT NULL
);
CREATE INDEX alarms_standing ON alarms (ts) WHERE raised_at IS NOT NULL;
CREATE INDEX alarms_by_time ON alarms (ts);
CREATE TABLE maintenance (
    event_id TEXT PRIMARY KEY, ts INTEGER NOT NULL,
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
    cancelled INTEGER NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, event BLOB NOT NULL
);
CREATE INDEX maintenance_by_end ON maintenance (ends_at);

-- Rejects. reason: index in Reason::EVERY.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
    received_at INTEGER NOT NULL, reason INTEGER NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (topic, part, position)
);
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, id);
CREATE INDEX dead_letters_by_time ON dead_letters (received_at);

-- Anomalies, alerts, outbox and roster.
CREATE TABLE anomalies (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start INTEGER NOT NULL, kind INTEGER NOT NULL,
    body BLOB NOT NULL, UNIQUE (series, start, kind)
);
CREATE INDEX anomalies_by_time ON anomalies (start, id);
-- state: 0 pending, 1 firing, 2 acknowledged, 3 resolved.
CREATE TABLE alerts (
    id TEXT PRIMARY KEY, state INTEGER NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL,
    since INTEGER NOT NULL, updated_at INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (since, id);
CREATE INDEX alerts_open ON alerts (since, id) WHERE state <> 3;
-- state: 0 pending, 1 delivered, 2 dead.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, notice TEXT NOT NULL, receiver TEXT NOT NULL, state INTEGER NOT NULL,
    attempts INTEGER NOT NULL, created_at INTEGER NOT NULL, next_at INTEGER NOT NULL, last_error TEXT,
    body BLOB NOT NULL, UNIQUE (notice, receiver)
);
CREATE INDEX outbox_pending ON outbox (next_at) WHERE state = 0;
CREATE TABLE shifts (
    series INTEGER NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, agents INTEGER NOT NULL
);
CREATE INDEX shifts_by_series ON shifts (series, ends_at);
