#!/usr/bin/env python3
"""Randomised PIT coverage of bands over several outputs of `surgecast backtest --format json`.

    coverage.py bank.json cardiff.json taxi.json --apart taxi

The pooled coverage is over all windows of the sets without those of --apart. Exits with 1 if it misses its goal.
"""

import argparse
import json
import sys
from pathlib import Path

# Goals for the pooled coverage: 80 and 95 % bands over all leads, and the largest deviation of each lead bucket.
GOAL80, GOAL95, OFF = (0.77, 0.83), (0.935, 0.965), 0.05


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--apart", nargs="+", default=[], help="sets that are shown but not pooled")
    args = parser.parse_args()
    found = {path.stem: json.loads(path.read_text()) for path in args.files}
    origins = {name: sum(series["origins"] for series in result["series"]) for name, result in found.items()}
    parts = {name: [result["overall"], *result["overall"]["leads"]] for name, result in found.items()}
    pooled = [name for name in found if name not in args.apart]

    def row(name, forecasts, columns):
        shares = "".join(f"{of80:9.3f}{of95:6.3f}" for of80, of95 in columns)
        print(f"{name:12}{forecasts:10}{shares}")

    leads = ["all leads", *(lead["lead"] for lead in parts[next(iter(parts))][1:])]
    print(f"{'':12}{'forecasts':>10}" + "".join(f"{lead:>15}" for lead in leads))
    print(f"{'':22}" + f"{'80 %':>9}{'95 %':>6}" * len(leads))
    for name, columns in parts.items():
        row(name, origins[name], [(column["pit80"], column["pit95"]) for column in columns])

    def mean(column, key):
        weighted = [(parts[name][column]["windows"], parts[name][column][key]) for name in pooled]
        return sum(n * share for n, share in weighted) / sum(n for n, _ in weighted)

    if not pooled:
        return
    sums = [(mean(column, "pit80"), mean(column, "pit95")) for column in range(len(leads))]
    row("pooled", sum(origins[name] for name in pooled), sums)
    is_met = GOAL80[0] <= sums[0][0] <= GOAL80[1] and GOAL95[0] <= sums[0][1] <= GOAL95[1]
    is_met &= all(abs(of80 - 0.8) <= OFF and abs(of95 - 0.95) <= OFF for of80, of95 in sums[1:])
    print("pooled: goal met" if is_met else "pooled: goal missed")
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
