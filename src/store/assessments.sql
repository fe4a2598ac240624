-- What is known of tickets besides their lives: priority, clocks, customer. The columns are for the list of open tickets.
CREATE TABLE assessments (
    ticket TEXT PRIMARY KEY,
    is_open INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    due INTEGER NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX assessments_by_urgency ON assessments (priority, due, ticket) WHERE is_open = 1;
-- Clocks of tickets by the week of their creation, which begins on the day `monday` (since 1970-01-01).
CREATE TABLE compliance (
    monday INTEGER NOT NULL,
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    sla TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (monday, region, service, sla)
) WITHOUT ROWID;
-- Customers to be called, those with the largest rank first.
CREATE TABLE outreach (
    customer TEXT PRIMARY KEY,
    rank INTEGER NOT NULL,
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX outreach_by_rank ON outreach (rank DESC, customer);
-- Keys with which ids are hashed. Each store has its own.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO secrets (name, bytes) VALUES ('customers', randomblob(32));
