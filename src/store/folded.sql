-- Parts of open windows that are counted under another key, whose row in partials has their sum. key: hash of their own key.
CREATE TABLE folded (
    start INTEGER NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, key INTEGER NOT NULL,
    upto INTEGER NOT NULL, counts BLOB NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (start, topic, part, key)
) WITHOUT ROWID;
