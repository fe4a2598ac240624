# Anomalies: one sentence each.

anomaly-outside = { $actual } tickets; the forecast was { $expected } (95 % interval: { $low } to { $high })
anomaly-complaints = { $actual } tickets about { $topics }; usual at this time is { $usual }; { $alarms }
anomaly-no-alarm = no alarm is active: customers report this first
anomaly-alarms-ended = no alarm is active any more: the last critical or major one ended { $n } min before the end of this window
anomaly-alarms = active: { $list }
anomaly-alarm-group = { $n } { $severity } { $type } { $n ->
    [one] alarm
   *[other] alarms
}
anomaly-alarm-group-untyped = { $n } { $severity } { $n ->
    [one] alarm
   *[other] alarms
}
anomaly-more-alarms = { $n } more
anomaly-phrase-new = “{ $phrase }” in { $tickets } tickets; in no ticket of the week before
anomaly-phrase-rising = “{ $phrase }” in { $tickets } tickets; in { $before } tickets of the whole week before
