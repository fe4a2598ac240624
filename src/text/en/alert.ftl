# Pages: what a shift lead receives. The title has to fit a phone's lock screen.

alert-title = { $scope }: { $n ->
    [one] { $n } agent short
   *[other] { $n } agents short
} { $from }–{ $to } ({ $channels })
alert-title-critical = CRITICAL { alert-title }
alert-title-resolved = { $scope }: resolved, staffing is sufficient again
alert-channel = { $channel } { $n }
alert-resolved = Resolved: the forecast for { $scope } no longer exceeds the agents available. It did from { $from } to { $to } ({ $zone }).
alert-shortfall-rostered = { $channel }: { $agents } agents needed at { $at }, { $scheduled } scheduled, { $gap } short. Forecast for that window: { $n } tickets ({ $low } to { $high } with 80 % probability).
alert-shortfall-usual = { $channel }: { $agents } agents needed at { $at }, { $scheduled } usual at this time, { $gap } short. Forecast for that window: { $n } tickets ({ $low } to { $high } with 80 % probability).
alert-because = Cause: { $cause }.
alert-action = Action: find { $n ->
    [one] { $n } more agent
   *[other] { $n } more agents
} from { $from } to { $to } ({ $zone }). If you already know about this, acknowledge the alert.

cause-alarms = { $n } { $severity } { $type } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-untyped = { $n } { $severity } { $n ->
    [one] alarm
   *[other] alarms
} active since { $since }
cause-alarms-device = first on { $device }
cause-alarms-flapping = flapping, up to { $n } raises
cause-alarms-doubtful = { $n } not reported again since the alarm list was rebuilt
cause-more-alarms = { $n ->
    [one] { $n } more alarm of another type
   *[other] { $n } more alarms of other types
}
cause-no-alarm = the forecast exceeds the agents available; no relevant alarm is active here
cause-overrun = planned work of { $from }–{ $to } overruns; { $n ->
    [one] { $n } alarm of it is still active
   *[other] { $n } alarms of it are still active
}
cause-adjustment = a planner entered “{ $label }”: { $tickets } tickets over six hours
cause-complaints = { $n } customers complained about an outage, coverage or slow service since { $since }; usual is { $usual }

# A page that is too long for its receiver.
page-lines-left-out = … and { $n ->
    [one] { $n } more line
   *[other] { $n } more lines
}: follow the link
