# Pages: what a shift lead receives. The title has to fit a phone's lock screen.

alert-title = { $scope }: up to { $n ->
    [one] { $n } agent short
   *[other] { $n } agents short
} { $from }–{ $to } ({ $channels })
alert-title-critical = CRITICAL { alert-title }
alert-title-resolved = { $scope }: resolved, staffing is sufficient again
alert-channel = { $channel } { $n }
alert-resolved = Resolved: the current forecast shows no shortage of agents for { $scope }. The alert lasted from { $from } to { $to } ({ $zone }).
alert-shortfall-rostered = { $channel }: { $agents } agents needed at { $at }, { $scheduled } scheduled, { $gap } short. Forecast for that window: { $n } tickets ({ $low } to { $high } with 80 % probability).
alert-shortfall-usual = { $channel }: { $agents } agents needed at { $at }, usually { $scheduled } at this time, { $gap } short. Forecast for that window: { $n } tickets ({ $low } to { $high } with 80 % probability).
alert-because = Cause: { $cause }.
alert-action = Action: find up to { $n ->
    [one] { $n } more agent
   *[other] { $n } more agents
} between { $from } and { $to } ({ $zone }). If you already know about this, acknowledge the alert; another page then follows only if it gets clearly worse.

cause-alarms = { $n } { $severity } { $type } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-untyped = { $n } { $severity } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-device = first on { $device }
cause-alarms-flapping = flapping: one was raised { $n } times
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
cause-complaints = { $n } tickets about an outage, poor coverage or slow service since { $since }; { $usual } are usual in that time

# A page that is too long for its receiver.
page-lines-left-out = … and { $n ->
    [one] { $n } more line
   *[other] { $n } more lines
}: follow the link
page-worse-acknowledged = { $name } acknowledged this alert; it has become clearly worse since.
page-reminder = Reminder: nobody has acknowledged this alert since { $since }.

# Pages that test whether a receiver is reached.
page-test-title = TEST: pages of surgecast reach this receiver
page-test-text = Someone tests whether pages arrive. No agents are missing, and nothing has to be done.
page-test-over = TEST of surgecast is over

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
