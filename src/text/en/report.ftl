# Reports: the weekly review and the incident report.

report-minutes = { $n } min
report-hours = { $n } h
report-no-windows = No window is complete yet.
report-lead = Lead time
report-tickets = Tickets
report-channel = Channel
report-severity = Severity

report-week = Weekly report
report-week-of = Week { $week }
report-week-span = { $from } to { $to } (UTC).
report-day = Day
report-monday = Monday
report-tuesday = Tuesday
report-wednesday = Wednesday
report-thursday = Thursday
report-friday = Friday
report-saturday = Saturday
report-sunday = Sunday

report-volume = Tickets and alarms
report-volume-partial = The week is not over. The figures go up to { $at }.
report-volume-tickets = { $n ->
    [one] { $n } ticket.
   *[other] { $n } tickets.
}
report-volume-change = Compared with the week before: { $change }.
report-volume-change-partial = Compared with the same part of the week before: { $change }.
report-volume-alarms = { $n ->
    [one] { $n } alarm raised.
   *[other] { $n } alarms raised.
}
report-volume-missing = { $n ->
    [one] { $n } window is missing: a source did not report.
   *[other] { $n } windows are missing: a source did not report.
}
report-volume-none = There are no tickets.

report-alerts = Alerts
report-alerts-sum = { $n ->
    [one] { $n } alert
   *[other] { $n } alerts
}, { $acknowledged } acknowledged.
report-alerts-median = Median time to acknowledge: { $n } min.
report-alerts-none = No alert was sent.
report-alerts-cause-zone = Times in the column “Cause” are local times of each region.
report-alerts-unacknowledged = { $n ->
    [one] { $n } alert was not acknowledged. Check that it reaches the right receiver.
   *[other] { $n } alerts were not acknowledged. Check that they reach the right receiver.
}
report-since = Since
report-scope = Region and service
report-agents-short = Agents short (maximum)
report-acknowledged-by = Acknowledged by
report-acknowledged-after = { $name } after { $n } min
report-acknowledged-by-nobody = nobody
report-cause = Cause
report-id = Id

report-surges = Surges
report-surges-help = Surge: in two windows in a row, more tickets arrive than the 99 % quantile of the forecast that ignores alarms. Hit: a forecast made this long before the surge warned of it. False alarm: a warning that no surge followed. Surges are counted by region and service, all channels together.
report-surges-alarmed = Alarms already active when the forecast was issued
report-surges-hits = Hits
report-surges-false = False alarms
report-surges-start = Start
report-surges-warning = First warning before the start
report-surges-no-warning = no warning
report-surges-none = There were no surges.
report-surges-unwarned = { $n ->
    [one] { $n } surge had active alarms an hour before its start, but no warning was given.
   *[other] { $n } surges had active alarms an hour before their start, but no warning was given.
}

report-accuracy = Forecast accuracy
report-accuracy-leads = All series together, by lead:
report-accuracy-all-leads = all leads
report-accuracy-value = Accuracy
report-accuracy-persistence = Accuracy of repeating last week
report-accuracy-floor = Accuracy at the noise floor
report-accuracy-band = Actual count inside 80 % band
report-accuracy-bias = Bias
report-accuracy-none = No forecast was scored.
report-accuracy-help = Noise floor: the error that even a perfect forecast has, because tickets arrive at random. The accuracy at the noise floor is the best that is possible at this volume; a single series can exceed it by chance.
report-accuracy-target = Target accuracy: { $target }. Series that reach it: { $reached }. Series that have enough tickets to reach it, but do not: { $missed }. Series with too few tickets to reach it: { $beyond }.
report-accuracy-missed = Series with enough tickets that do not reach the target
report-accuracy-missed-none = Every series with enough tickets reaches the target.
report-accuracy-over = { $series }: the forecasts were { $share } higher than the actual number of tickets.
report-accuracy-under = { $series }: the forecasts were { $share } lower than the actual number of tickets.
report-accuracy-coverage = { $series }: only { $share } of the windows lie inside the 80 % band.

report-staffing = Staffing
report-staffing-sum = { $short } agent hours short, { $spare } agent hours spare. Agents needed (newest plan at the start of each window) are compared with the roster or the usual number.
report-staffing-worst = { $series } has the largest shortage: { $n } agent hours.
report-staffing-series = Series
report-staffing-short = Agent hours short
report-staffing-spare = Agent hours spare
report-staffing-none = There are no plans for this week. Plans are kept for 14 days.

report-check = Points to check
report-check-none = There is nothing to check.

report-incident-over = { $scope }: { $from } to { $to } (UTC).
report-incident-open = { $scope }: since { $from } (UTC), still open.
report-incident-acknowledged = Acknowledged by { $name }.
report-incident-not-acknowledged = Not acknowledged.
report-incident-id = Id: { $id }.
report-incident-zone = Times in the list above are local times of the region.
report-incident-feedback = Feedback: { $text }
report-incident-useful = useful
report-incident-not-useful = not useful
report-incident-note = { $verdict } ({ $note })
report-agents = Agents needed
report-agents-worst = By channel, in the window with the largest gap of all channels together:
report-agents-window = Window
report-agents-forecast = Tickets forecast
report-agents-range = { $n } ({ $low } to { $high })
report-agents-needed = Needed
report-agents-scheduled = Scheduled, or usual number
report-agents-gap = Short
report-agents-none = There were enough agents.
report-alarms = Alarms
report-alarms-type = Type
report-alarms-no-type = no type
report-alarms-n = Alarms
report-alarms-first = First raised
report-alarms-none = No alarms are on record for this alert.
report-hourly = Actual and forecast by hour
report-hourly-hour = Hour
report-hourly-actual = Actual
report-hourly-forecast = Forecast at the start of the alert
report-hourly-none = There are no tickets.
report-incident-warned = A surge began on { $at }. The first warning came { $n } min before.
report-incident-unwarned = A surge began on { $at }. There was no warning.
