# Pages: what a shift lead receives. The title has to fit a phone's lock screen.

alert-title = { $scope } lacks agents: { $need }
alert-title-critical = CRITICAL { alert-title }
alert-title-eased = { $scope }: no large shortage of agents is expected any more
alert-title-resolved = { $scope }: resolved, no large shortage of agents any more
alert-channel = { $channel } { $n }
alert-resolved = Resolved: the current forecast shows no shortage of agents for { $scope } that is large enough for an alert. The alert lasted from { $from } to { $to } ({ $zone }).

# How many agents are missing from when to when.
need-now = { $n } now
need-now-most = up to { $n } now
need-from = { $n } from { $from }
need-from-most = up to { $n } from { $from }
need-now-until = { $n } from now until { $to }
need-now-most-until = up to { $n } from now until { $to }
need-until = { $need } until { $to }
need-rest = shortages until { $to }

alert-as-of = As of { $at } ({ $zone }); first seen at { $since }.
alert-eased = Eased: no longer critical since { $at }.
alert-gone = The forecast of { $at } no longer shows a shortage that is large enough for an alert. The last page reported { $n ->
    [one] { $n } missing agent
   *[other] { $n } missing agents
}. The alert ends if the next forecasts confirm this.
alert-gone-untold = The forecast of { $at } no longer shows a shortage that is large enough for an alert. The alert ends if the next forecast confirms this.
alert-missing = Missing: { $need } ({ $channels }).
alert-missing-peak = Missing: { $need }; most at { $at } ({ $channels }).
alert-missing-more = Missing later: { $n ->
    [one] { $n } more period
   *[other] { $n } more periods
}, until { $to }.
alert-shortfall-rostered = { $channel }: { $agents } agents needed at { $at }, { $scheduled } scheduled, { $gap } short. Forecast for that window: { $tickets ->
    [one] { $tickets } ticket
   *[other] { $tickets } tickets
} ({ $low } to { $high } with 80 % probability).
alert-shortfall-usual = { $channel }: { $agents } agents needed at { $at } (usually { $scheduled } at this time), { $gap } short. Forecast for that window: { $tickets ->
    [one] { $tickets } ticket
   *[other] { $tickets } tickets
} ({ $low } to { $high } with 80 % probability).
alert-shortfall-left-over = { $shortfall } Most of this need is work left from the windows before.
alert-complaints-later = Complaints are counted up to { $upto } so far. Later windows are counted once they are final.
alert-below-limits = Agents still missing, but too few for an alert: up to { $n } at a time between { $from } and { $to }; most at { $at } ({ $channels }).
alert-because = Cause: { $cause }.
alert-affected = Affected: customers of { $service } in { $region } ({ $channels }).
alert-next = Next checkpoint: { $at }, when the next forecast is due.
alert-acknowledge = If you take this on, acknowledge the alert; another page then follows only if it gets clearly worse.

# Pages of an incident: several services of a region. Numbers by service stand where other pages have them by channel.
incident-service = { $service } lacks agents: { $need }.
incident-because = Cause ({ $service }): { $cause }.
incident-affected = Affected: customers of { $services } in { $region }.
incident-acknowledge = If you take this on, acknowledge the alert. That counts for all services of the incident. Another page then follows only if the incident gets clearly worse.
incident-resolved = Resolved: the current forecast shows no shortage of agents for { $scope } that is large enough for an alert. The incident lasted from { $from } to { $to } ({ $zone }).

# Two or three things to do, each with its time.
action-find = Action by { $at }: find { $n ->
    [one] { $n } more agent
   *[other] { $n } more agents
} ({ $channels }).
action-find-now = Action now: find { $n ->
    [one] { $n } more agent
   *[other] { $n } more agents
} ({ $channels }).
action-back = Action at { $at }: look at the newest forecast before you release the extra agents.
action-fewer = Action at { $at }: { $n ->
    [one] { $n } extra agent is enough
   *[other] { $n } extra agents are enough
} from then until { $to }.
action-more = Action by { $at }: raise the number of extra agents to { $n }, until { $to }.
action-again = Action by { $at }: find { $n ->
    [one] { $n } extra agent
   *[other] { $n } extra agents
} again, until { $to }.
action-alarms = Action now: ask network operations when the fault will be repaired.
action-alarms-device = Action now: ask network operations when the fault that began on { $device } will be repaired.
action-complaints = Action now: tell network operations that customers complain and that no alarm explains why.
action-look = Action now: check the roster of this time and what customers complain about. If the forecast is unusual, look for a reason that is not in the data, such as a campaign or a billing run, and enter it.

cause-alarms = { $n } { $severity } { $type } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-untyped = { $n } { $severity } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-device = first on { $device }
cause-alarms-flapping = flapping: one alarm was raised { $n } times
cause-alarms-doubtful = { $n } may have cleared already (not reported again since the alarm list was rebuilt)
cause-more-alarms = { $n ->
    [one] { $n } more alarm of another type
   *[other] { $n } more alarms of other types
}
cause-no-alarm = the forecast needs more agents than are available; no relevant alarm is active here
cause-overrun = planned work of { $from }–{ $to } overruns; { $n ->
    [one] { $n } of its alarms is still active
   *[other] { $n } of its alarms are still active
}
cause-adjustment = a planner entered “{ $label }”: it changes the forecast by { $tickets } tickets over six hours
cause-complaints = { $tickets ->
    [one] { $tickets } ticket
   *[other] { $tickets } tickets
} about an outage, poor coverage or slow service from { $since } to { $until }; { $usual } are usual in that time
cause-complaints-since = { $tickets ->
    [one] { $tickets } ticket
   *[other] { $tickets } tickets
} about an outage, poor coverage or slow service since { $since }; { $usual } are usual in that time

# A page that is too long for its receiver.
page-lines-left-out = … and { $n ->
    [one] { $n } more line
   *[other] { $n } more lines
}: follow the link
page-worse-acknowledged = { $name } acknowledged this alert; it has become clearly worse since.
page-reminder = Reminder: nobody has acknowledged this alert, which began at { $since }. The newest numbers are those of { $at }.

# Pages that test whether a receiver is reached.
page-test-title = TEST: pages of surgecast reach this receiver
page-test-text = Someone tests whether pages arrive. No agents are missing, and nothing has to be done.
page-test-over = TEST of surgecast is over
page-report-title = Report that was due on { $at }

# Annotations on Grafana's boards.

annotation-anomaly = { $scope } ({ $channels }): { $n ->
    [one] one unusual window
   *[other] { $n } unusual windows
}. The most unusual one: { $text }
annotation-surge = { $scope } ({ $channels }): surge of tickets; no forecast warned of it
annotation-surge-warned = { $scope } ({ $channels }): surge of tickets; first warning { $minutes } min before
annotation-outage = { $scope }: critical alarms are active
annotation-outage-over = { $scope }: { $n ->
    [one] one critical alarm
   *[other] { $n } critical alarms
}
annotation-outage-first = first { $what }
annotation-work = { $scope }: planned work “{ $text }”
annotation-adjustment = { $scope }: a planner entered “{ $text }”
annotation-page = Page: { $title }
annotation-link = open the alert
