#!/usr/bin/env python3
"""Converts data sets to the input files of `surgecast backtest`, in the folder OUT.

    prepare.py incidents uci_itsm_incidents.csv OUT    one row per incident → ts,y
    prepare.py activities bizitobs_l2c_5min.csv OUT    act_* → series, outage flags → alarms
    prepare.py volumes nab_labelled.csv OUT            taxi rides; mentions, one series per company
    prepare.py simulated DIR OUT                       files of `surgecast simulate --out DIR`
    prepare.py table FILE OUT FORMAT TIMES COUNTS      any table → ts,y: the columns TIMES (a,b), joined by a blank, have
                                                       the strptime FORMAT; the columns COUNTS (a,b) are added up; for
                                                       equal times the last row counts
"""

import csv
import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

FLAGS = ["unable_to_connect_to_sap", "approval_system_not_available"]
ALARM_COLUMNS = ["raised_at", "cleared_at", "region", "service", "severity", "device", "type"]
QUARTER_MINUTES = 15


def write(path, header, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def incidents(source, out):
    with open(source, newline="") as file:
        opened = sorted(row["opened_at"] for row in csv.DictReader(file))
    write(out / "counts.csv", ["ts", "y"], ((ts, 1) for ts in opened))


def activities(source, out):
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith("act_")]
    # A flag affects activities differently, so that each activity is a service with all flags as alarms.
    services = {name: name.removeprefix("act_") for name in names}
    series = {name: f"l2c/{service}/events" for name, service in services.items()}
    counts = ((series[name], row["ts"], row[name]) for name in names for row in rows)
    write(out / "counts.csv", ["series", "ts", "y"], counts)
    spells = []
    for flag in FLAGS:
        raised = None
        for row in rows:
            active = float(row[flag] or 0) > 0
            if active and raised is None:
                raised = row["ts"]
            elif not active and raised is not None:
                spells.append([raised, row["ts"], flag])
                raised = None
        if raised is not None:
            spells.append([raised, "", flag])
    alarms = ([start, end, "l2c", service, "critical", "", flag]
              for start, end, flag in spells for service in services.values())
    write(out / "alarms.csv", ALARM_COLUMNS, alarms)


def volumes(source, out):
    with open(source, newline="") as file:
        rows = [(row["series"], row["ts"], row["y"]) for row in csv.DictReader(file)]
    for name, prefix in [("taxi", "nyc_taxi"), ("mentions", "Twitter")]:
        write(out / f"{name}.csv", ["series", "ts", "y"], (row for row in rows if row[0].startswith(prefix)))


def table(source, out, time_format, times, counts):
    found = {}
    with open(source, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            values = [row[name] for name in counts.split(",")]
            if any(values):
                at = datetime.strptime(" ".join(row[name] for name in times.split(",")), time_format)
                found[at] = sum(float(value or 0) for value in values)
    write(out / "counts.csv", ["ts", "y"], ((at.isoformat(), found[at]) for at in sorted(found)))


def lines(path):
    with open(path) as file:
        yield from map(json.loads, file)


def simulated(source, out):
    source = Path(source)
    counts = Counter()
    for event in lines(source / "tickets.ndjson"):
        if event.get("action", "create") == "create":
            minute = int(event["ts"][14:16]) // QUARTER_MINUTES * QUARTER_MINUTES
            window = f"{event['ts'][:14]}{minute:02}:00Z"
            counts[(f"{event['region']}/{event['service']}/{event['channel']}", window)] += 1
    rows = sorted((series, window, n) for (series, window), n in counts.items())
    write(out / "counts.csv", ["series", "ts", "y"], rows)
    alarms = {}
    for event in lines(source / "alarms.ndjson"):
        key = event.get("alarm_id", event["event_id"])
        if event.get("action", "raise") == "raise" and key not in alarms:
            alarms[key] = [event["ts"], "", event["region"], event["service"],
                           event.get("severity", "indeterminate"), event.get("device", ""), event.get("type", "")]
        elif event.get("action") == "clear" and key in alarms and event["ts"] >= alarms[key][0]:
            alarms[key][1] = event["ts"]
    write(out / "alarms.csv", ALARM_COLUMNS, alarms.values())
    work = [[event["ts"], event["starts_at"], event["ends_at"], event.get("region", ""), event.get("service", "")]
            for event in lines(source / "maintenance.ndjson") if event.get("action", "plan") == "plan"]
    write(out / "maintenance.csv", ["announced_at", "starts_at", "ends_at", "region", "service"], work)


def main():
    kinds = {"incidents": incidents, "activities": activities, "volumes": volumes, "simulated": simulated, "table": table}
    kind, *rest = sys.argv[1:] or [None]
    if kind not in kinds or len(rest) != (5 if kind == "table" else 2):
        sys.exit(__doc__)
    source, out, *columns = rest
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    kinds[kind](source, out, *columns)


if __name__ == "__main__":
    main()
