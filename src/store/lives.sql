-- A record may hold several alarms. Each has a row of its own.
CREATE TABLE moved (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
    ts INTEGER NOT NULL, alarm TEXT NOT NULL, clear INTEGER NOT NULL, event BLOB NOT NULL,
    UNIQUE (topic, part, position, alarm, ts)
);
INSERT INTO moved SELECT id, topic, part, position, ts, alarm, clear, event FROM transitions;
DROP TABLE transitions;
ALTER TABLE moved RENAME TO transitions;
CREATE INDEX transitions_by_alarm ON transitions (alarm, ts, topic, part, position, clear);
CREATE INDEX transitions_by_time ON transitions (ts);
-- Systems that rebuilt their alarm lists.
CREATE TABLE rebuilt (
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, ts INTEGER NOT NULL, list BLOB NOT NULL,
    PRIMARY KEY (topic, part, position, ts)
) WITHOUT ROWID;
CREATE INDEX rebuilt_by_time ON rebuilt (ts);
-- nth: index of the event in its record, from 0.
CREATE TABLE refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, nth INTEGER NOT NULL,
    received_at INTEGER NOT NULL, reason INTEGER NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (topic, part, position, nth)
);
INSERT INTO refused SELECT id, topic, part, position, 0, received_at, reason, detail, bytes FROM dead_letters;
DROP TABLE dead_letters;
ALTER TABLE refused RENAME TO dead_letters;
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, id);
CREATE INDEX dead_letters_by_time ON dead_letters (received_at);
