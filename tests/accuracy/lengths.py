#!/usr/bin/env python3
"""Measures forecasts from short histories: the same forecast days at every length of history.

    lengths.py SURGECAST NAME FLAG…     flags of `surgecast backtest`, at least --input and --interval

36 days at least a day apart, spread over the days that have four weeks before them (or as many as fit); origins at 09:00,
12:00 and 15:00 local time of each. "shared" is the WAPE relative to the rule of thumb over the forecasts that the rule makes too:
on a Monday after a weekend without counts it makes none.
"""

import csv
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

DAYS = [1, 2, 4, 7, 10, 14, 16, 21, 28]
STARTS = 36
HOURS = [9, 12, 15]
LONGEST = max(DAYS)
PEERS = ["rule-of-thumb", "seasonal-naive", "ets-daily", "mstl-ets", "mstl-ets-log"]
# Days of history from which on a peer answers.
FROM = {"rule-of-thumb": 1, "seasonal-naive": 7, "ets-daily": 14, "mstl-ets": 14, "mstl-ets-log": 14}


def origins(flags):
    """Local times: days with a count in the six hours after each origin."""
    flag = dict(zip(flags[::2], flags[1::2]))
    seen = {}
    with open(flag["--input"], newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["ts"].replace("Z", ""))
            if row["y"]:
                seen.setdefault(at.date(), set()).add(at.hour)
    first, days = min(seen), []
    is_zero = flag.get("--missing") == "zero"
    for day in (first + timedelta(n) for n in range((max(seen) - first).days)):
        hours = range(24) if is_zero else seen.get(day, ())
        if day >= first + timedelta(LONGEST) and all(hour in hours for hour in range(7, 21)):
            days.append(day)
    count = min(STARTS, len(days))
    chosen = [days[n * (len(days) - 1) // max(1, count - 1)] for n in range(count)]
    return [f"{day} {hour:02}:00:00" for day in sorted(set(chosen)) for hour in HOURS]


def read(path):
    """Actual count and median by series, origin and target."""
    with open(path, newline="") as file:
        rows = (row for row in csv.DictReader(file) if row["actual"])
        return {(row["series"], row["origin"], row["target"]): (float(row["actual"]), float(row["q0.5"])) for row in rows}


def shared_ratio(own, rule):
    """WAPE of the median relative to the rule's, over the rule's forecasts. NaN if it made none or was never wrong."""
    errors = [sum(abs(actual - median) for actual, median in (of[key] for key in rule)) for of in (own, rule)]
    return errors[0] / errors[1] if errors[1] else float("nan")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    surgecast, name, *flags = sys.argv[1:]
    times = origins(flags)
    print(f"\n== {name}: {len(times)} origins, {times[0]} to {times[-1]}")
    print(f"{'days':>5} {'WQL':>7} {'80 %':>5} {'best peer':>22} {'ratio':>6} {'WAPE':>7} {'rule':>7} {'ratio':>6} {'shared':>6}")
    with tempfile.TemporaryDirectory() as folder:
        at, out = Path(folder, "origins.txt"), Path(folder, "out.csv")
        at.write_text("\n".join(times))
        for days in DAYS:
            models = ["surgecast", *(peer for peer in PEERS if FROM[peer] <= days)]
            named = [part for model in models for part in ("--model", model)]
            command = [surgecast, "backtest", *flags, "--origins-at", str(at), "--forecasts", str(out)]
            command += ["--history", f"{days}d", *named]
            done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=True)
            result = json.loads(done.stdout)
            shared = shared_ratio(*(read(out.with_name(f"out.{model}.csv")) for model in ("surgecast", "rule-of-thumb")))
            by_model = {r["model"]: r for r in (result, *result["others"])}
            own, rule = by_model["surgecast"]["overall"], by_model["rule-of-thumb"]["overall"]
            peers = {model: r["overall"]["wql"] for model, r in by_model.items()
                     if model not in ("surgecast", "rule-of-thumb") and not r["unanswered"]}
            best = min(peers, key=peers.get, default=None)
            shown = f"{best} {peers[best]:.4f}" if best else "–"
            ratio = f"{own['wql'] / peers[best]:6.2f}" if best else f"{'–':>6}"
            print(f"{days:5} {own['wql']:7.4f} {own['pit80']:5.2f} {shown:>22} {ratio} "
                  f"{own['wape']:7.4f} {rule['wape']:7.4f} {own['wape'] / rule['wape']:6.2f} {shared:6.2f}", flush=True)


if __name__ == "__main__":
    main()
