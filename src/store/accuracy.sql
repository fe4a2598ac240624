-- Scores of a day, all leads of a series in one row; `scores` keeps those of older programs.
CREATE TABLE score_days (
    day INTEGER NOT NULL, series INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (day, series)
) WITHOUT ROWID;
-- Surges that came, by the lead at which they are judged. upto = start of the last two windows above; warned = minutes
-- from the first forecast that called it, NULL for none; called = at that lead; alarmed = alarms or work were known at it.
CREATE TABLE surges (
    start INTEGER NOT NULL, series INTEGER NOT NULL, lead_h INTEGER NOT NULL,
    upto INTEGER NOT NULL, called INTEGER NOT NULL, alarmed INTEGER NOT NULL, warned INTEGER,
    PRIMARY KEY (series, start, lead_h)
) WITHOUT ROWID;
CREATE INDEX surges_by_time ON surges (start);
-- Calls at a lead, by the first and the last issue time; good = what was called came.
CREATE TABLE calls (
    first INTEGER NOT NULL, series INTEGER NOT NULL, lead_h INTEGER NOT NULL,
    upto INTEGER NOT NULL, good INTEGER NOT NULL,
    PRIMARY KEY (series, first, lead_h)
) WITHOUT ROWID;
CREATE INDEX calls_by_time ON calls (first);
