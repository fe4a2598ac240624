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
report-week-span = { $from } to { $to }. All times are in the zone { $zone }.
report-week-no-data = There are no counts for this week.
report-day = Day
report-monday = Monday
report-tuesday = Tuesday
report-wednesday = Wednesday
report-thursday = Thursday
report-friday = Friday
report-saturday = Saturday
report-sunday = Sunday

report-status = Status
report-status-green = green
report-status-amber = amber
report-status-red = red
report-status-is = Status of the week: { $status }.
report-status-accuracy = The accuracy of { $value } is below the target, although the target is possible at this volume.
report-status-below = Too few agents were scheduled in { $share } of the planned minutes.
report-status-pages = Nobody acknowledged { $n } of { $sent } alerts with pages.
report-status-surges = { $n ->
    [one] { $n } surge came without a warning although alarms were active.
   *[other] { $n } surges came without a warning although alarms were active.
}
report-status-missing = { $n ->
    [one] { $n } window has no count because a source did not report.
   *[other] { $n } windows have no count because a source did not report.
}
report-status-rule = Red: the accuracy is below { $red } although { $target } is possible at this volume, too few agents are scheduled in more than { $belowred } of the planned minutes, or more than { $unanswered } of the alerts with pages have no acknowledgement. Amber: the accuracy is below { $target } although { $target } is possible, too few agents are scheduled in more than { $below } of the planned minutes, an alert with pages has no acknowledgement, a surge comes without a warning although alarms are active, or a window has no count. Green: none of these. Planned minutes: the minutes that have a staffing plan, summed over the series.

report-figures = Five figures
report-figures-figure = Figure
report-figures-week = This week
report-figures-before = Week before
report-figures-change = Change
report-figures-arrivals = Arrivals (tickets)
report-figures-accuracy = Accuracy (best possible)
report-figures-below = Minutes with too few agents
report-figures-precision = Precision of pages
report-figures-warning = Warning time
report-figures-points = { $n } percentage points
report-figures-minutes = { $n } min
report-figures-floor = { $value } (best: { $floor })
report-figures-of = { $share } ({ $right } of { $judged })
report-figures-warning-of = { $n } min ({ $warned } of { $surges } surges)
report-figures-help = Accuracy: all series and all lead times together. Best possible: the accuracy at the noise floor. Minutes with too few agents: the minutes in which a series had fewer agents than it needed according to the plan at the start of the window, summed over the series. Precision of pages: the share of alerts whose pages were justified. They were justified if a person called the alert useful. Without feedback, they were justified if more tickets came in the worst window of the alert than the scheduled agents could handle. Warning time: mean time from the first warning of a surge to its start. Surges without a warning before their start are left out. Surges are judged by the forecasts issued an hour before.
report-figures-utc = Accuracy, surges and warnings are stored by UTC day. The figures are those of the UTC days with the same dates.

report-apart = Hours beyond ±10 % of the forecast
report-apart-sum = { $n } of { $of } hours with a forecast were within ±10 % of the forecast made an hour before.
report-apart-hour = Hour
report-apart-actual = Actual
report-apart-forecast = Forecast an hour before
report-apart-change = Difference
report-apart-none = All hours were within ±10 %.
report-apart-no-forecasts = There are no forecasts for this time.
report-apart-more = { $n ->
    [one] { $n } more hour with a smaller difference in tickets is not shown.
   *[other] { $n } more hours with smaller differences in tickets are not shown.
}
report-apart-help = All series together. The cause is the first that applies: missing counts, chance (inside the 80 % band), a surge, planned work, a planner’s entry, complaints on record, an unusual count on record.
report-apart-missing = a source did not report
report-apart-chance = chance: inside the 80 % band
report-apart-surge = surge: { $scopes }
report-apart-work = planned work { $id }
report-apart-entry = planner’s entry: { $label }
report-apart-complaints = complaints about { $topics }: { $scopes }
report-apart-anomaly = unusual count, no known reason: { $scopes }
report-apart-unknown = no cause on record
report-plot-week = Tickets by hour, all series together
report-plot-key = { $title }. Line: actual. Dashed line: forecast. Area: 80 % band.

report-next = Priorities of next week
report-next-slot = { $day } { $time }
report-next-missing = { $n ->
    [one] Find out why a source did not report: { $n } window has no count.
   *[other] Find out why a source did not report: { $n } windows have no count.
}
report-next-pages = Make sure that pages reach someone: nobody acknowledged { $n } of { $sent } alerts.
report-next-short = Add agents for { $series } around { $slot }: { $worst } agent hours were missing in that hour, { $n } in the whole week.
report-next-surges = Check which alarms of { $scopes } arrive late or without a type: surges came without a warning although alarms were active.
report-next-accuracy = Look at { $series }: its accuracy is { $value }, although { $floor } is possible. If planners know a reason, they can add an entry on the web page.
report-next-busiest = Keep the roster full in the busiest hour of the week, { $slot }, with { $n } tickets.
report-next-second = Keep the roster full in the busiest hour of the other days, { $slot }, with { $n } tickets.
report-next-rule = Rule: at most three, in this order: missing counts, alerts that nobody acknowledged, the series with the most missing agent hours, surges without a warning, the largest series that misses the target accuracy although it could reach it. If fewer than two apply, the busiest hours follow.

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
report-alerts-none = No alert about missing agents began in this time and sent pages.
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
report-surges-help = Surge: in two windows in a row, more tickets arrive than the 99 % quantile of the forecast without alarms. The forecasts of each lead time are judged by themselves, so the numbers of surges can differ. Hit: the forecast with this lead time warned of the surge. False alarm: a warning that no surge followed. Surges are counted by region and service, all channels together, from the first fitted model on.
report-surges-alarmed = With alarms or planned work already known
report-surges-hits = Hits
report-surges-false = False alarms
report-surges-start = Start
report-surges-warning = First warning before the start
report-surges-no-warning = no warning
report-surges-late = only { $n } min after the start
report-surges-began = Start: from this window on, the counts stayed above the 80 % band of the first forecasts. It lies at most two hours before the two windows above the 99 % quantile. The review of an incident uses the same start and the same first warning.
report-surges-none = No surge was counted.
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
report-accuracy-coverage = { $series }: only { $share } of the actual counts lie inside the 80 % band.

report-staffing = Staffing
report-staffing-sum = { $short } agent hours short, { $spare } agent hours spare. The agents needed, by the newest plan at the start of each window, are compared with the roster, or, where there is none, with the usual number of agents.
report-staffing-worst = { $series } has the largest shortage: { $n } agent hours.
report-staffing-series = Series
report-staffing-short = Agent hours short
report-staffing-spare = Agent hours spare
report-staffing-none = There are no plans for this time. Plans are kept for 14 days.

report-check = Points to check
report-check-none = There is nothing to check.

report-incident-over = { $scope }: { $from } to { $to }. All times are in the zone { $zone }.
report-incident-goes-on = The incident goes on. Counts are those of final windows, up to { $upto }.
report-incident-open = { $scope }: since { $from }, still open. All times are in the zone { $zone }.
report-incident-acknowledged = Acknowledged by { $name }.
report-incident-not-acknowledged = Not acknowledged.
report-incident-id = Id: { $id }.
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
report-agents-scheduled = Scheduled (usual, without a roster)
report-agents-gap = Short
report-agents-none = There were enough agents.
report-alarms = Alarms
report-alarms-type = Type
report-alarms-no-type = no type
report-alarms-n = Alarms
report-alarms-first = First raised
report-alarms-none = No alarms are on record for this alert.
report-hourly-so-far = { $hour } (so far)
report-hourly = Actual and forecast by hour
report-hourly-hour = Hour
report-hourly-actual = Actual
report-hourly-first = First forecast
report-hourly-forecast = Forecast at the start of the alert
report-hourly-none = There are no tickets.
report-incident-warned = The surge began on { $at }. The first forecast that warned of it was issued { $n } min before.
report-incident-warned-late = The surge began on { $at }. The first forecast that warned of it was issued { $n } min after that.
report-incident-unwarned = The surge began on { $at }. No forecast warned of it.

report-summary = Summary
report-summary-no-surge = There was no surge: the tickets did not exceed the 99 % quantile of the forecast without alarms in two windows in a row.
report-summary-no-surge-yet = No surge so far. Windows that are not final yet can still show one.
report-summary-not-judged = It is not known whether there was a surge: the forecasts of this time did not use alarms yet, because there was too little history.
report-summary-peak = The window with the most tickets was { $at }: { $most }.
report-summary-came = { $n } tickets came until { $to }; the window with the most was { $at }: { $most }. The first forecasts of these windows, issued up to six hours before, were { $expected } in all. The actual number differs by { $change }.
report-summary-came-only = { $n } tickets came until { $to }; the window with the most was { $at }: { $most }.
report-summary-no-alarm = Customers noticed first: no critical or major alarm was on record.
report-summary-customers = Customers noticed first: the surge began { $n } min before the first critical or major alarm.
report-summary-network = The network reported first: the first critical or major alarm came { $n } min before the surge began.
report-plot-incident = Tickets by window, all channels together, beside the first forecasts

report-known = What was known when
report-known-window = In the window at { $at }, { $n } tickets came. The table has the first forecast of each hour before it, and every nowcast: a forecast issued in between because of new alarms or tickets. Nowcasts do not warn of surges.
report-known-none-yet = No window since the start of the alert is final yet.
report-known-none = No forecast for this time is stored.
report-known-at = Issued
report-known-kind = Kind
report-known-forecast = forecast
report-known-nowcast = nowcast: { $reason }
report-known-band = 80 % band
report-known-alarms = Due to alarms
report-known-warns = Warns of a surge
report-known-yes = yes
report-known-no = no

report-need = Agents needed and scheduled by hour
report-need-channels = Short: the sum over the channels that lack agents. Spare agents of other channels are not subtracted.
report-need-worst = Each hour shows its window with the largest shortage, by the plan at the start of the window. The largest gap of this alert, { $n ->
    [one] { $n } agent
   *[other] { $n } agents
}, is the largest that any forecast during the alert expected.
report-need-none = There are no plans for this time. Plans are kept for 14 days.

report-actions = Actions
report-actions-none = No action is on record.
report-action = { $at }: { $text }
report-action-delivered = page to { $receiver }: delivered.
report-action-pending = page to { $receiver }: not delivered yet.
report-action-lost = page to { $receiver }: given up.
report-action-acknowledged = acknowledged by { $name }.
report-action-proposed = recommended: { $text }. No answer.
report-action-accepted = recommended: { $text }. Accepted by { $name }.
report-action-declined = recommended: { $text }. Declined by { $name }.
report-action-done = recommended: { $text }. Done by { $name }.
report-action-expired = recommended: { $text }. Nobody answered in time.
report-action-withdrawn = recommended: { $text }. Withdrawn, because the forecasts changed.
report-action-effect = Service level for the actual contacts: { $with } with this action, { $without } without it.
report-action-entry = { $name } entered “{ $label }”.

report-changes = What to change
report-change-alarms = Ask network operations for earlier alarms of { $scope }: customers noticed before the first alarm.
report-change-warning = Find out why no forecast warned of the surge { $n } min or more ahead: check the alarms of { $scope } before the surge. Do they arrive without delay, with a type, and with the right region and service?
report-change-unanswered = Send pages to a second receiver: nobody acknowledged this alert.
report-change-slow = Shorten alerts.escalate_after or name another receiver: the acknowledgement took { $n } min.
report-change-reserve = Agree on a reserve of { $n } agents for { $scope }: agents were missing, and no recommendation was accepted.
report-change-under = If the cause was known in advance, enter it earlier next time: for the window at { $at }, { $forecast } tickets were forecast an hour before, and { $n } came.
report-change-over = Release extra agents earlier: for the window at { $at }, { $forecast } tickets were forecast an hour before, and { $n } came.
report-change-feedback = Say whether the alert was useful: there is no feedback.
report-change-record = Answer recommendations on the web page: no answer and no planner’s entry is on record, so nobody can see what helped.
report-change-agree = Keep what worked: agree now who provides the agents when the next page comes.

report-seconds = { $n } s
report-full = Full report
report-full-of = Full report: { $scope }
report-full-everywhere = all regions and services
report-full-span = { $from } to { $to }: { $scope }. All times are in the zone { $zone }.
report-full-no-data = There are no counts for this time.
report-full-partial = The period is not over, or not yet counted. The figures go up to { $at }.
report-full-change = Compared with the same weekdays { $n ->
    [one] { $n } week before
   *[other] { $n } weeks before
}: { $change }.
report-full-busiest = The busiest hour was { $at }, with { $n } tickets.
report-full-accuracy = The accuracy of the forecasts was { $value }. The best that is possible at this volume is { $floor }; repeating last week would have reached { $naive }.
report-full-surges = { $warned } of { $surges } surges had a warning at their start or earlier, on average { $n } min before.
report-full-unwarned = { $surges ->
    [one] { $surges } surge came without a warning.
   *[other] { $surges } surges came, none with a warning.
}
report-full-below = Series had too few agents for { $n } min in all: { $share } of the planned minutes.
report-full-plans = Plans are kept for 14 days: { $n } of { $of } windows have one.
report-full-pages = { $n ->
    [0] No alert about missing agents began in this time and sent pages.
    [one] { $n } alert about missing agents began and sent pages, { $acknowledged } acknowledged.
   *[other] { $n } alerts about missing agents began and sent pages, { $acknowledged } acknowledged.
}
report-full-precision = Pages were justified for { $right } of { $judged ->
    [one] { $judged } alert that can be judged
   *[other] { $judged } alerts that can be judged
} ({ $share }).
report-full-first = First step: { $what }
report-full-demand = Demand
report-full-week = Week that begins on (only days of this period)
report-full-weeks-more = { $n ->
    [one] { $n } earlier week is not shown.
   *[other] { $n } earlier weeks are not shown.
}
report-full-share = Share
report-full-no-alarms = No alarm was raised.
report-full-no-work = There was no planned work.
report-work = Planned work
report-from = From
report-until = Until
report-plot-days = Tickets by day
report-plot-key-lines = { $title }. Line: actual. Dashed line: forecast an hour before.

report-service = Attained service
report-service-sum = Of { $n } contacts whose target time has passed, { $share } were served in time. { $abandoned } of all contacts were abandoned.
report-service-none = There are no ticket events with ids for this time, so it is not known when contacts were answered.
report-service-target = Target
report-service-offered = Contacts
report-service-level = Served in time
report-service-expected = Expected by the plan
report-service-abandoned = Abandoned
report-service-p90 = 90 % answered within
report-service-help = A contact counts in the window in which it was created. Expected: by the plan at the start of each window, where there is a roster.

report-quality = Data quality
report-quality-missing = { $n ->
    [0] All { $of } windows have the counts of all series.
   *[other] { $n } of { $of } windows lack counts because a source did not report.
}
report-quality-late = { $n ->
    [one] { $n } event came too late to be counted.
   *[other] { $n } events came too late to be counted.
}
report-quality-part = Dead letters have no region or service. See the report on all regions and services.
report-quality-reason = Reason
report-quality-letters = Dead letters
report-quality-none = No dead letter of this time is stored.

report-measures = Recommendations
report-measure = What to do
report-effect = Expected effect, at best
report-takes = Time
report-owner = Owner
report-measures-none = No recommendation follows from these figures.
report-measures-rule = Rule: the points that apply, in this order: missing counts, alerts that nobody acknowledged, the series with the most missing agent hours (for the hour of the day in which it lacks most), surges without a warning although alarms were active, the largest series that misses the target accuracy although it could reach it, dead letters, alerts whose pages were not justified. Expected effect: what would have changed in this period without the problem. Time: how long such work typically takes.
report-measure-short = Schedule up to { $agents } more agents for { $series } each day from { $from } to { $to }.
report-measure-letters = { $n ->
    [one] Ask the sender of { $n } event that was not counted to correct it. Reason: { $reason }.
   *[other] Ask the senders of { $n } events that were not counted to correct them. Most frequent reason: { $reason }.
}
report-measure-wrong = { $n ->
    [one] Look at { $n } alert whose pages were not justified, and raise its limits.
   *[other] Look at { $n } alerts whose pages were not justified, and raise their limits.
}
report-effect-windows = { $n ->
    [one] { $n } more window has a count.
   *[other] { $n } more windows have a count.
}
report-effect-pages = { $n ->
    [one] Someone acts on { $n } more alert.
   *[other] Someone acts on { $n } more alerts.
}
report-effect-short = { $n } of { $all } missing agent hours are covered.
report-effect-surges = { $n } of { $surges } surges get a warning.
report-effect-accuracy = The accuracy of this series rises by up to { $n } percentage points.
report-effect-letters = { $n ->
    [one] { $n } more event is counted.
   *[other] { $n } more events are counted.
}
report-effect-wrong = { $n ->
    [one] { $n } alert fewer.
   *[other] { $n } alerts fewer.
}
report-takes-hours = some hours
report-takes-day = a day
report-takes-week = a week
report-takes-weeks = two weeks
report-owner-data = data integration
report-owner-leads = shift leads
report-owner-planning = workforce planning
report-owner-network = network operations

report-risks = Risks
report-risk = Risk
report-risk-why = What shows it
report-risk-help = What helps
report-risks-none = No risk follows from these figures.
report-risk-silent = Surges that no alarm announces an hour ahead
report-risk-silent-why = An hour before they began, { $n } of { $surges } surges had no active alarm and no planned work.
report-risk-silent-help = Keep a reserve of agents who can start within half an hour. Watch what customers complain about.
report-risk-band = The 80 % bands are too narrow, so plans leave too little room
report-risk-band-why = { $share } of the actual counts lie inside them.
report-risk-band-help = Plan with the agents needed at the upper end of the forecast until 80 % of the actual counts lie inside the bands.
report-risk-bias = Forecasts are too low, so agents are missing
report-risk-bias-why = The forecasts were { $share } lower than the actual number of tickets.
report-risk-bias-help = Add a planner’s entry for the next weeks, and look at the series with the largest bias.
report-risk-work = Extra contacts due to planned work
report-risk-work-why = { $n ->
    [one] Planned work begins once in the { $days } days after this period.
   *[other] Planned work begins { $n } times in the { $days } days after this period.
}
report-risk-work-help = Give the call team a brief for all planned work, and check the roster of these hours.
report-risk-judged = The precision of pages is uncertain
report-risk-judged-why = { $n } of { $sent } alerts with pages can be judged.
report-risk-judged-help = Give feedback on each alert: useful or not useful.

report-brief-title = Brief for the call team: planned work { $id }
report-brief-zone = All times are in the zone { $zone }.
report-brief-gone = This planned work is no longer stored.
report-brief-phase-ahead = The work has not begun.
report-brief-phase-running = The work is under way.
report-brief-phase-over = The planned end of the work has passed.
report-brief-phase-cancelled = The work is cancelled.
report-brief-about = The work
report-brief-what = What is done: { $text }
report-brief-when = When: { $from } to { $to } ({ $hours } h { $minutes } min).
report-brief-where = Affected customers: { $scope }.
report-brief-channels = Channels in which they contact us: { $channels }.
report-brief-impact = What customers notice, according to the plan: { $impact }
report-brief-no-impact = The plan does not say what customers notice. Ask network operations.
report-brief-say = What to say
report-brief-say-ahead = “We have planned work ({ $scope }) from { $from } to { $to }.”
report-brief-say-running = “We are carrying out planned work ({ $scope }). It began on { $from } and is planned to end on { $to }.”
report-brief-say-over = “Planned work ({ $scope }) was to end on { $to }. If something still does not work, we record it as a fault.”
report-brief-say-overrun = “Planned work ({ $scope }) was to end on { $to }. It takes longer; we do not know the new end yet.”
report-brief-say-overrun-alarms = { $n ->
    [one] { $n } alarm of the work is still active. Ask network operations for the new end.
   *[other] { $n } alarms of the work are still active. Ask network operations for the new end.
}
report-brief-say-cancelled = “The work ({ $scope }) that was planned from { $from } to { $to } is cancelled.”
report-brief-say-impact = “You may notice this: { $impact }”
report-brief-say-end = Do not promise an end before { $to }.
report-brief-say-other = If a customer reports anything else, record it as a fault as usual.
report-brief-contacts = Expected contacts
report-brief-contacts-none = There is no forecast for this time, and no count of a week before.
report-brief-contacts-sum = Expected: { $n } extra contacts, on top of { $usual } usual ones.
report-brief-contacts-unknown = Usual: { $usual } contacts. For some or all hours, it is not known how many extra contacts the work brings.
report-brief-contacts-most = The hour with the most extra contacts begins on { $at }: { $n } extra contacts.
report-brief-contacts-far = { $n ->
    [one] { $n } hour has no forecast yet. For it, the usual number is the count of a week before, and the extra contacts are estimated from earlier work, if there is any.
   *[other] { $n } hours have no forecast yet. For them, the usual number is the count of a week before, and the extra contacts are estimated from earlier work, if there is any.
}
report-brief-contacts-more = { $n ->
    [one] { $n } more hour is not shown.
   *[other] { $n } more hours are not shown.
}
report-brief-contacts-usual = Usual
report-brief-contacts-extra = Extra
report-brief-contacts-expected = Expected
report-brief-contacts-help = Hours are shown up to two hours after the planned end of the work, as far as there is a forecast or a count of a week before. Expected: the newest forecast at the start of the work; for windows more than six hours later, their first forecast. Extra: due to the work and to alarms.
report-brief-plot = Contacts by window
report-brief-earlier = Earlier work on the same regions and services
report-brief-earlier-none = No earlier work on exactly these regions and services has forecasts and counts.
report-brief-after = Actual contacts
report-brief-after-sum = Up to { $to }, { $n } contacts came; { $expected } were expected ({ $change }). The difference from the usual number was { $more }.
report-brief-after-unknown = Up to { $to }, { $n } contacts came. The difference from the usual number was { $more }.
report-brief-after-alerts = { $n ->
    [0] No alert about missing agents began in this time and sent pages.
    [one] { $n } alert about missing agents began in this time and sent pages.
   *[other] { $n } alerts about missing agents began in this time and sent pages.
}
