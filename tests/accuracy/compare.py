#!/usr/bin/env python3
"""Peers on the origins of a `surgecast backtest --forecasts OUT.csv`, scored in the same way.

    surgecast backtest --input calls.csv --interval 30m --forecasts out.csv
    python compare.py --input calls.csv --interval 30m --forecasts out.csv

Peers know what the backtest's models know: windows before the origin, the civil time and, with --calendar,
the kind of day. As in the backtest a window that lacks rows is missing, closed hours are cut out of what
seasonal models read, MASE divides by the weekly naive error before the first origin.
"""

import argparse
import sys
import time
import warnings

import lightgbm
import numpy as np
import pandas as pd
from statsforecast.models import MSTL, AutoETS

QUANTILES = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
LEVELS = [50, 80, 95]
COLUMNS = [f"q{q:g}" for q in QUANTILES]
OPEN_SHARE = 0.03
POINTS_MAX = 3000
SEED = 7


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="series,ts,y as for surgecast backtest")
    parser.add_argument("--interval", required=True, help="as for surgecast backtest")
    parser.add_argument("--tz", default="UTC")
    parser.add_argument("--missing", default="gap", choices=["gap", "zero"])
    parser.add_argument("--calendar", help="date,kind")
    parser.add_argument("--forecasts", required=True, nargs="+", help="what backtest --forecasts wrote")
    parser.add_argument("--peers", default="seasonal-naive,ets-daily,mstl,lightgbm")
    parser.add_argument("--refit-days", type=int, default=7, help="days between refits of LightGBM")
    return parser.parse_args()


def read_counts(args):
    """One column a series, indexed by the windows' starts in UTC; NaN is missing."""
    rows = pd.read_csv(args.input)
    if "series" not in rows:
        rows["series"] = "all"
    ts = pd.to_datetime(rows["ts"])
    if ts.dt.tz is None:
        ambiguous = np.ones(len(ts), dtype=bool)
        ts = ts.dt.tz_localize(args.tz, ambiguous=ambiguous, nonexistent=pd.Timedelta(hours=1))
    rows["ts"] = ts.dt.tz_convert("UTC")
    rows["series"] = rows["series"].fillna("all").astype(str)
    width = pd.Timedelta(args.interval)
    step = rows.groupby("series")["ts"].diff().dropna()
    step = step[step > pd.Timedelta(0)].mode().iloc[0]
    columns = {}
    for name, part in rows.dropna(subset=["y"]).groupby("series"):
        window = part.groupby(part["ts"].dt.floor(width))
        sums, seen = window["y"].sum(), window["ts"].nunique()
        complete = seen >= max(1, width // step)
        if args.missing == "gap" and complete.mean() >= 0.9:
            sums = sums[complete]
        columns[name] = sums.asfreq(width)
    counts = pd.DataFrame(columns).asfreq(width)
    return counts.fillna(0.0) if args.missing == "zero" else counts


def special_days(args):
    if not args.calendar:
        return {}
    kinds = pd.read_csv(args.calendar).drop_duplicates(["date", "kind"])
    order = {"bank_holiday": 2, "working_day": 3, "school_holiday": 1}
    kinds["code"] = kinds["kind"].map(order).fillna(0)
    kinds = kinds[kinds["code"] > 0]
    return kinds.groupby("date")["code"].max().to_dict()


class Series:
    """One series in civil time, with its open slots of the week."""

    def __init__(self, counts, tz, width, days):
        self.width, self.tz = width, tz
        self.utc = counts
        civil = counts.copy()
        civil.index = civil.index.tz_convert(tz).tz_localize(None)
        civil = civil[~civil.index.duplicated()]
        self.civil = civil.asfreq(width)
        index = self.civil.index
        self.slot = (index.dayofweek * 1440 + index.hour * 60 + index.minute) // (width // pd.Timedelta("1min"))
        self.day = np.array([days.get(d, 0.0) for d in index.strftime("%Y-%m-%d")])
        self.values = self.civil.to_numpy(float)
        self.per_week = pd.Timedelta("7D") // width
        self.per_day = pd.Timedelta("1D") // width

    def at(self, ts):
        local = ts.tz_convert(self.tz).tz_localize(None)
        return (local - self.civil.index[0]) // self.width

    def open_slots(self, origin):
        """Slots of the week that are open, judged by the eight weeks before the origin."""
        first = max(0, origin - 8 * self.per_week)
        y, slot = self.values[first:origin], self.slot[first:origin]
        per_hour = self.per_day // 24
        sums = np.bincount(slot // per_hour, np.nan_to_num(y), minlength=168)
        hours = sums >= OPEN_SHARE * sums.sum() / 168
        known = np.bincount(slot, ~np.isnan(y), minlength=self.per_week)
        seen = np.maximum(1, np.bincount(slot, minlength=self.per_week))
        return hours[np.arange(self.per_week) // per_hour] & (known / seen >= 0.25) & (known > 0)

    def laid(self, origin, steps):
        """Counts before the origin on open slots, gaps bridged; which of the next steps are open; seasons."""
        is_open = self.open_slots(origin)
        mask = is_open[self.slot[:origin]]
        y = pd.Series(self.values[:origin][mask]).interpolate(limit_direction="both").to_numpy()
        ahead = is_open[self.slot[origin : origin + steps]]
        days = is_open.reshape(7, -1).sum(axis=1)
        days = days[days > 0]
        week = int(is_open.sum())
        day = int(days.max()) if (days == days.max()).all() else None
        return y[-POINTS_MAX:], ahead, day, week


def from_intervals(forecast, ahead):
    found = np.zeros((len(ahead), 7))
    if not ahead.any():
        return found
    order = [forecast["lo-95"], forecast["lo-80"], forecast["lo-50"], forecast["mean"]]
    order += [forecast["hi-50"], forecast["hi-80"], forecast["hi-95"]]
    found[ahead] = np.maximum(0, np.sort(np.array(order).T, axis=1))[: int(ahead.sum())]
    return found


def ets_daily(series, origin, steps):
    y, ahead, day, week = series.laid(origin, steps)
    model = AutoETS(season_length=day or week)
    if model.season_length > 24:
        # AutoETS knows no seasons above 24: the usual day is taken off first.
        length = model.season_length
        tail = y[-(len(y) // length) * length :][-28 * length :]
        usual = tail.reshape(-1, length).mean(axis=0)
        # The tail ends at the origin, so that its first column is the next step's slot.
        rest = tail - np.tile(usual, len(tail) // length)
        forecast = AutoETS(season_length=1).forecast(rest, steps, level=LEVELS)
        shift = np.tile(usual, steps // length + 1)[:steps]
        forecast = {key: value + shift for key, value in forecast.items()}
    else:
        forecast = model.forecast(y[-28 * model.season_length :], steps, level=LEVELS)
    return from_intervals(forecast, ahead)


def mstl(series, origin, steps):
    y, ahead, day, week = series.laid(origin, steps)
    seasons = [season for season in (day, week) if season]
    return from_intervals(MSTL(season_length=seasons).forecast(y, steps, level=LEVELS), ahead)


def mstl_log(series, origin, steps):
    y, ahead, day, week = series.laid(origin, steps)
    seasons = [season for season in (day, week) if season]
    forecast = MSTL(season_length=seasons).forecast(np.log1p(y), steps, level=LEVELS)
    return from_intervals({key: np.expm1(value) for key, value in forecast.items()}, ahead)


def seasonal_naive(series, origin, steps):
    """Last week's count, with the errors of the same hours over eight weeks, centred."""
    week, values = series.per_week, series.values
    point = values[origin - week : origin - week + steps]
    errors = values[week:origin] - values[: origin - week]
    errors = errors[-8 * week :]
    found = np.zeros((steps, 7))
    hour = (series.slot * 24 // series.per_day) % 24
    hours = hour[max(week, origin - 8 * week) : origin]
    for step in range(steps):
        distance = np.abs(hours - hour[origin + step])
        near = errors[np.minimum(distance, 24 - distance) <= 1]
        near = near[~np.isnan(near)]
        band = np.quantile(near, QUANTILES) - np.median(near) if len(near) >= 20 else np.zeros(7)
        found[step] = np.maximum(0, point[step] + band)
    return found


class LightGbm:
    """Direct quantiles: one model a quantile over all leads, refitted every few days on the last weeks."""

    ROUNDS = 300
    PARAMETERS = dict(objective="quantile", learning_rate=0.05, num_leaves=31, min_data_in_leaf=40,
                      bagging_fraction=0.8, bagging_freq=1, feature_fraction=0.8, seed=SEED,
                      num_threads=1, verbose=-1)

    def __init__(self, refit_days, rows_max=40_000):
        self.refit_days, self.rows_max = refit_days, rows_max
        self.fitted = {}

    def features(self, series, origin, step):
        y, at, width = series.values, origin + step, series.per_week
        def back(index):
            known = (index >= 0) & (index < origin)
            return np.where(known, y[np.clip(index, 0, len(y) - 1)], np.nan)
        per_hour = series.per_day // 24
        weeks = np.stack([back(at - k * width) for k in (1, 2, 3, 4)])
        usual = np.nanmean(weeks, axis=0)
        def busyness(span):
            recent = np.stack([back(origin - k) for k in range(1, span + 1)])
            before = np.stack([np.nanmean([back(origin - k - w * width) for w in (1, 2, 3, 4)], axis=0)
                               for k in range(1, span + 1)])
            both = ~np.isnan(recent) & ~np.isnan(before)
            return np.where(both, recent, 0).sum(0) / np.maximum(1e-9, np.where(both, before, 0).sum(0))
        last = [back(origin - k) for k in (1, 2, 3, 4)]
        yesterday = back(at - series.per_day)
        spans = [max(1, per_hour), 3 * per_hour, series.per_day]
        return np.column_stack([step, series.slot[at], series.slot[at] % series.per_day,
                                series.slot[at] // series.per_day, series.day[at], *last, yesterday,
                                *weeks, usual, *[busyness(span) for span in spans]])

    def fit(self, series, origin, steps):
        rng = np.random.default_rng(SEED)
        first = max(2 * series.per_week, origin - 26 * series.per_week)
        origins = rng.integers(first, origin - steps, self.rows_max)
        step = rng.integers(0, steps, self.rows_max)
        y = series.values[origins + step]
        known = ~np.isnan(y)
        x = self.features(series, origins[known], step[known])
        parameters = [dict(self.PARAMETERS, alpha=q) for q in QUANTILES]
        return [lightgbm.train(p, lightgbm.Dataset(x, y[known]), self.ROUNDS) for p in parameters]

    def __call__(self, series, origin, steps):
        block = origin // (series.per_day * self.refit_days)
        key = (id(series), block)
        if key not in self.fitted:
            self.fitted = {key: self.fit(series, block * series.per_day * self.refit_days, steps)}
        x = self.features(series, np.full(steps, origin), np.arange(steps))
        found = np.stack([model.predict(x) for model in self.fitted[key]], axis=1)
        return np.maximum(0, np.sort(found, axis=1))


def scores(rows, scale):
    """The figures of the backtest, of rows with actual and quantiles."""
    y, q = rows["actual"].to_numpy(), rows[COLUMNS].to_numpy()
    miss = y[:, None] - q
    pinball = np.maximum(QUANTILES * miss, (QUANTILES - 1) * miss)
    error = np.abs(y - q[:, 3])
    inside = lambda low, high: float(((q[:, low] <= y) & (y <= q[:, high])).mean())
    return {
        "MASE": float((error / rows["series"].map(scale).to_numpy()).mean()),
        "WAPE": error.sum() / y.sum(),
        "WQL": float((2 * pinball.sum(axis=0) / y.sum()).mean()),
        "cov80": inside(1, 5),
        "cov95": inside(0, 6),
    }


def main():
    args = parse_args()
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    counts, days = read_counts(args), special_days(args)
    tables = {path: pd.read_csv(path, parse_dates=["origin", "target"]) for path in args.forecasts}
    base = next(iter(tables.values()))
    base["series"] = base["series"].astype(str)
    width = pd.Timedelta(args.interval)
    every = {name: Series(counts[name], args.tz, width, days) for name in base["series"].unique()}
    first = base["origin"].min()
    scale = {}
    for name, series in every.items():
        y = series.values[: series.at(first)]
        scale[name] = np.nanmean(np.abs(y[series.per_week :] - y[: -series.per_week]))
    # The two readings of the file have to be one.
    merged = counts.stack().rename("own").reset_index()
    merged.columns = ["target", "series", "own"]
    known = base.dropna(subset=["actual"]).merge(merged, on=["series", "target"], how="left")
    differ = int((np.abs(known["own"] - known["actual"]) > 1e-3 * (1 + known["actual"])).sum() + known["own"].isna().sum())
    if differ:
        print(f"warning: {differ} of {len(known)} actual counts differ from this script's reading")

    known_peers = {"seasonal-naive": seasonal_naive, "ets-daily": ets_daily, "mstl": mstl,
                   "mstl-log": mstl_log, "lightgbm": LightGbm(args.refit_days)}
    found = {}
    for table in tables.values():
        table["series"] = table["series"].astype(str)
    for path, table in tables.items():
        found[path.rsplit("/", 1)[-1]] = (table, 0.0)
    for peer in filter(None, args.peers.split(",")):
        started, parts = time.process_time(), []
        print(f"running {peer}", file=sys.stderr)
        for (name, origin), rows in base.groupby(["series", "origin"], sort=True):
            rows = rows.sort_values("target").copy()
            series = every[name]
            rows[COLUMNS] = known_peers[peer](series, series.at(origin), len(rows))
            parts.append(rows)
        found[f"peer: {peer}"] = (pd.concat(parts), time.process_time() - started)

    print(f"{base['origin'].nunique()} origins, {base['origin'].min()} to {base['origin'].max()}")
    print(f"{'':28} {'MASE':>7} {'WAPE':>7} {'WQL':>7} {'cov80':>6} {'cov95':>6} {'CPU s':>7}")
    # Each model is scored where all have an answer and the truth is known.
    keys = ["series", "origin", "target"]
    common = None
    for table, _ in found.values():
        usable = pd.MultiIndex.from_frame(table.dropna(subset=["actual", *COLUMNS])[keys])
        common = usable if common is None else common.intersection(usable)
    for name, (table, seconds) in found.items():
        s = scores(table.set_index(keys).loc[common].reset_index(), scale)
        print(f"{name:28} {s['MASE']:7.3f} {s['WAPE']:7.4f} {s['WQL']:7.4f} {s['cov80']:6.3f} {s['cov95']:6.3f} {seconds:7.1f}")


if __name__ == "__main__":
    main()
