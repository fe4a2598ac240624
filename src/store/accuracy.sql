-- Scores of a day, all leads of a series in one row; `scores` keeps those of older releases.
CREATE TABLE score_days (
    day INTEGER NOT NULL, series INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (day, series)
) WITHOUT ROWID;
-- Actual surges, by the lead at which they are judged. upto = start of the last two windows above; warned = minutes of
-- warning by the first forecast that warned of it, NULL for none; called = a forecast warned at that lead; alarmed =
-- alarms or work were known at that lead.
CREATE TABLE surges (
    start INTEGER NOT NULL, series INTEGER NOT NULL, lead_h INTEGER NOT NULL,
    upto INTEGER NOT NULL, called INTEGER NOT NULL, alarmed INTEGER NOT NULL, warned INTEGER,
    PRIMARY KEY (series, start, lead_h)
) WITHOUT ROWID;
CREATE INDEX surges_by_time ON surges (start);
-- Warnings at a lead, with the first and the last issue time; good = a surge followed.
CREATE TABLE calls (
    first INTEGER NOT NULL, series INTEGER NOT NULL, lead_h INTEGER NOT NULL,
    upto INTEGER NOT NULL, good INTEGER NOT NULL,
    PRIMARY KEY (series, first, lead_h)
) WITHOUT ROWID;
CREATE INDEX calls_by_time ON calls (first);
