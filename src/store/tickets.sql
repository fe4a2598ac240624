-- The lives of tickets. Messages that have not taken effect yet: of two with the same key the first one counts.
CREATE TABLE ticket_messages (
    ts INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (ts, kind, subject)
) WITHOUT ROWID;
-- Tickets that are open, or were lately.
CREATE TABLE tickets (
    ticket TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
-- The open tickets of each series now.
CREATE TABLE backlogs (
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    channel TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (region, service, channel)
) WITHOUT ROWID;
-- The same by window, where something happened.
CREATE TABLE backlog_windows (
    start INTEGER NOT NULL,
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    channel TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (start, region, service, channel)
) WITHOUT ROWID;
