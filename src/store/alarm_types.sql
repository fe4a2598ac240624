-- Alarms of a finalized window by region, service and type. A window without alarms has no row.
CREATE TABLE alarm_types (
    start INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    version INTEGER NOT NULL
);
