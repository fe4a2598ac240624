-- From here on scores of all leads of a day are one row: key = day << 32 | series, by_lead = list of (minutes, score).
-- `scores` holds those from before.
CREATE TABLE day_scores (key INTEGER PRIMARY KEY, by_lead BLOB NOT NULL);
