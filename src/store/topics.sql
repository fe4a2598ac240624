-- From here on a window's counts may have topics behind them, which older programs would not read (chunk.rs), and cells may
-- be of kind 3: phrases, with the phrase in the place of the channel.
CREATE INDEX cells_by_kind ON cells (kind, region, service);
