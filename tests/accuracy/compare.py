#!/usr/bin/env python3
"""Scores peer models on the origins of a `surgecast backtest --forecasts OUT.csv`, in the same way.

    surgecast backtest --input calls.csv --interval 30m --forecasts out.csv
    python compare.py --input calls.csv --interval 30m --forecasts out.csv

Peers have the same inputs as the backtest's models: windows before the origin, the civil time and, with --calendar,
the kind of day. As in the backtest, a window without all of its rows is missing, seasonal models do not read closed
hours, and MASE divides by the weekly naive error before the first origin.

MSTL, with AutoETS for the remainder, is fitted at each origin. LightGBM is refitted REFITS times over the origins, at
midnight. Daily AutoETS gets its parameters at a day's first origin, and its state is updated at each origin. Prophet
has no state, and is fitted once a day, at midnight.
"""

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from prophet import Prophet
from statsforecast.models import MSTL, AutoETS

QUANTILES = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
LEVELS = [50, 80, 95]
COLUMNS = [f"q{q:g}" for q in QUANTILES]
OPEN_SHARE = 0.03
POINTS_MAX = 3000
REFITS = 6
SEED = 7


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="series,ts,y as for surgecast backtest")
    parser.add_argument("--interval", required=True, help="as for surgecast backtest")
    parser.add_argument("--tz", default="UTC")
    parser.add_argument("--missing", default="gap", choices=["gap", "zero"])
    parser.add_argument("--calendar", help="date,kind")
    parser.add_argument("--forecasts", required=True, nargs="+", help="files of backtest --forecasts")
    parser.add_argument("--peers", default="seasonal-naive,ets-daily,mstl,prophet,lightgbm")
    parser.add_argument("--save", help="folder for the peers' forecasts, for --forecasts of another run")
    return parser.parse_args()


def read_counts(args):
    """One column per series, indexed by the starts of windows in UTC; NaN is missing."""
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

    def midnight(self, origin, every=1):
        """The newest midnight at or before the origin, in steps of `every` days."""
        days = (self.civil.index[origin].normalize() - self.civil.index[0].normalize()).days % every
        return origin - self.slot[origin] % self.per_day - days * self.per_day

    def open_slots(self, origin):
        """Open slots of the week, by the eight weeks before the origin."""
        first = max(0, origin - 8 * self.per_week)
        y, slot = self.values[first:origin], self.slot[first:origin]
        per_hour = self.per_day // 24
        sums = np.bincount(slot // per_hour, np.nan_to_num(y), minlength=168)
        hours = sums >= OPEN_SHARE * sums.sum() / 168
        known = np.bincount(slot, ~np.isnan(y), minlength=self.per_week)
        seen = np.maximum(1, np.bincount(slot, minlength=self.per_week))
        return hours[np.arange(self.per_week) // per_hour] & (known / seen >= 0.25) & (known > 0)

    def prepared(self, origin, steps):
        """Interpolated counts of open slots before the origin; which of the next steps are open; season lengths."""
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


class EtsDaily:
    """AutoETS with a daily season, fitted on the four weeks before a day's first origin and updated afterwards."""

    def __init__(self):
        self.fitted = {}

    def fit(self, y, length):
        y = y[-(min(28 * length, len(y)) // length) * length :]
        usual = np.zeros(length)
        if length > 24:
            # AutoETS has no seasons above 24: the mean day is subtracted first.
            usual = y.reshape(-1, length).mean(axis=0)
        model = AutoETS(season_length=1 if length > 24 else length)
        return model.fit(y - np.resize(usual, len(y))), usual, len(y)

    def __call__(self, series, origin, steps):
        y, ahead, day, week = series.prepared(origin, steps)
        length = day or week
        key = (id(series), series.civil.index[origin].date(), length)
        if key not in self.fitted:
            self.fitted = {key: (origin, *self.fit(y, length))}
        first, model, usual, count = self.fitted[key]
        # The initial state is that of the first count, so that the series has to begin with the same count.
        count += int(series.open_slots(origin)[series.slot[first:origin]].sum())
        y = y[-count:]
        forecast = model.forward(y - np.resize(usual, count), steps, level=LEVELS)
        shift = np.resize(usual, count + steps)[count:]
        return from_intervals({name: value + shift for name, value in forecast.items()}, ahead)


def mstl(series, origin, steps):
    y, ahead, day, week = series.prepared(origin, steps)
    seasons = [season for season in (day, week) if season]
    return from_intervals(MSTL(season_length=seasons).forecast(y, steps, level=LEVELS), ahead)


def mstl_log(series, origin, steps):
    y, ahead, day, week = series.prepared(origin, steps)
    seasons = [season for season in (day, week) if season]
    forecast = MSTL(season_length=seasons).forecast(np.log1p(y), steps, level=LEVELS)
    return from_intervals({key: np.expm1(value) for key, value in forecast.items()}, ahead)


def seasonal_naive(series, origin, steps):
    """The count of last week, with the centred errors of the same hours over eight weeks."""
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


class ProphetDaily:
    """Multiplicative daily and weekly seasons, special days by kind; quantiles of samples."""

    def __init__(self, days):
        kinds = pd.Series(days, dtype=float)
        self.holidays = None
        if len(kinds):
            self.holidays = pd.DataFrame({"ds": pd.to_datetime(kinds.index), "holiday": kinds.map("kind {:g}".format).array})
        self.fitted = {}

    def fit(self, series, origin):
        is_open = series.open_slots(origin)[series.slot[:origin]]
        known = is_open & ~np.isnan(series.values[:origin])
        rows = pd.DataFrame({"ds": series.civil.index[:origin][known], "y": series.values[:origin][known]})
        model = Prophet(seasonality_mode="multiplicative", yearly_seasonality=False, weekly_seasonality=20,
                        daily_seasonality=8, holidays=self.holidays, uncertainty_samples=1000)
        return model.fit(rows[-POINTS_MAX:], seed=SEED)

    def __call__(self, series, origin, steps):
        midnight = series.midnight(origin)
        key = (id(series), midnight)
        if key not in self.fitted:
            self.fitted = {key: self.fit(series, midnight)}
        np.random.seed(SEED)
        ahead = pd.DataFrame({"ds": series.civil.index[origin : origin + steps]})
        samples = self.fitted[key].predictive_samples(ahead)["yhat"]
        found = np.maximum(0, np.quantile(samples, QUANTILES, axis=1).T)
        found[~series.open_slots(origin)[series.slot[origin : origin + steps]]] = 0
        return found


class LightGbm:
    """Direct quantiles: one model per quantile for all leads, on the last half year; its last fifth gives the rounds."""

    ROUNDS_MAX = 500
    PARAMETERS = dict(objective="quantile", learning_rate=0.05, num_leaves=31, min_data_in_leaf=100,
                      bagging_fraction=0.8, bagging_freq=1, feature_fraction=0.8, seed=SEED,
                      num_threads=1, verbose=-1)

    def __init__(self, refit_days, rows_max=40_000):
        self.refit_days, self.rows_max = refit_days, rows_max
        self.fitted, self.rounds = {}, {}

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
            expected = np.where(both, before, 0).sum(0)
            return np.where(expected > 0, np.where(both, recent, 0).sum(0) / np.maximum(1e-9, expected), np.nan)
        last = [back(origin - k) for k in (1, 2, 3, 4)]
        yesterday = back(at - series.per_day)
        spans = [max(1, per_hour), 3 * per_hour, series.per_day]
        return np.column_stack([step, series.slot[at], series.slot[at] % series.per_day,
                                series.slot[at] // series.per_day, series.day[at], *last, yesterday,
                                *weeks, usual, *[busyness(span) for span in spans]])

    def fit(self, series, origin, steps):
        rng = np.random.default_rng(SEED)
        first = max(2 * series.per_week, origin - 26 * series.per_week)
        origins, step = (part.ravel() for part in np.mgrid[first : origin - steps + 1, 0:steps])
        known = np.flatnonzero(~np.isnan(series.values[origins + step]))
        chosen = rng.permutation(known)[: self.rows_max]
        x, y = self.features(series, origins[chosen], step[chosen]), series.values[origins + step][chosen]
        parameters = [dict(self.PARAMETERS, alpha=q) for q in QUANTILES]
        if id(series) not in self.rounds:
            late = origins[chosen] >= origin - (origin - first) // 5
            early = ~late & (origins[chosen] + steps < origin - (origin - first) // 5)
            train, test = lightgbm.Dataset(x[early], y[early]), lightgbm.Dataset(x[late], y[late])
            stop = lightgbm.early_stopping(50, verbose=False)
            tried = [lightgbm.train(p, train, self.ROUNDS_MAX, [test], callbacks=[stop]) for p in parameters]
            self.rounds[id(series)] = [max(1, model.best_iteration) for model in tried]
        data = lightgbm.Dataset(x, y)
        return [lightgbm.train(p, data, rounds) for p, rounds in zip(parameters, self.rounds[id(series)])]

    def __call__(self, series, origin, steps):
        midnight = series.midnight(origin, self.refit_days)
        key = (id(series), midnight)
        if key not in self.fitted:
            self.fitted = {key: self.fit(series, midnight, steps)}
        x = self.features(series, np.full(steps, origin), np.arange(steps))
        found = np.stack([model.predict(x) for model in self.fitted[key]], axis=1)
        return np.maximum(0, np.sort(found, axis=1))


def scores(rows, scale):
    """The backtest's measures for rows with actual and quantiles."""
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
    warnings.filterwarnings("ignore")
    logging.getLogger("cmdstanpy").disabled = True
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
    # Both programs have to read the same counts from the file.
    merged = counts.stack().rename("own").reset_index()
    merged.columns = ["target", "series", "own"]
    known = base.dropna(subset=["actual"]).merge(merged, on=["series", "target"], how="left")
    differ = int((np.abs(known["own"] - known["actual"]) > 1e-3 * (1 + known["actual"])).sum() + known["own"].isna().sum())
    if differ:
        print(f"warning: {differ} of {len(known)} actual counts differ from those of this script")

    refit_days = -(-(base["origin"].max() - base["origin"].min()).days // REFITS) or 1
    known_peers = {"seasonal-naive": seasonal_naive, "ets-daily": EtsDaily(), "mstl": mstl, "mstl-log": mstl_log,
                   "prophet": ProphetDaily(days), "lightgbm": LightGbm(refit_days)}
    found = {}
    for table in tables.values():
        table["series"] = table["series"].astype(str)
    for path, table in tables.items():
        found[path.rsplit("/", 1)[-1]] = (table, 0.0)
    for peer in filter(None, args.peers.split(",")):
        started, parts = sum(os.times()[:4]), []
        print(f"running {peer}", file=sys.stderr)
        for (name, origin), rows in base.groupby(["series", "origin"], sort=True):
            rows = rows.sort_values("target").copy()
            series = every[name]
            rows[COLUMNS] = known_peers[peer](series, series.at(origin), len(rows))
            parts.append(rows)
        found[f"peer: {peer}"] = (pd.concat(parts), sum(os.times()[:4]) - started)
        if args.save:
            Path(args.save).mkdir(parents=True, exist_ok=True)
            found[f"peer: {peer}"][0].to_csv(Path(args.save, f"{peer}.csv"), index=False)

    print(f"{base['origin'].nunique()} origins, {base['origin'].min()} to {base['origin'].max()}")
    print(f"{'':28} {'MASE':>7} {'WAPE':>7} {'WQL':>7} {'cov80':>6} {'cov95':>6} {'CPU s':>7}")
    # Models are scored on forecast points that all models have and whose actual is known.
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
