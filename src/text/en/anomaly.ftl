# Anomalies: one sentence each.

anomaly-outside = { $actual } tickets; the forecast was { $expected } (95 % band: { $low } to { $high })
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
anomaly-shift = { $actual } tickets in { $minutes } min; the forecasts were { $expected } in all. No window is far off, but { $side } of { $windows } are off in the same direction
anomaly-vanished = no ticket for { $minutes } min; { $usual } are usual in that time, and other series still have tickets
anomaly-alarm-storm = { $actual } critical, major and minor alarms within an hour; { $usual } are usual at this time of day
anomaly-silent-source = { $source } has sent no events for { $minutes } min; up to { $usual } min are usual
anomaly-silent-others = { $first }; { $n ->
    [one] { $n } other source is silent too
   *[other] { $n } other sources are silent too
}
anomaly-forecast-unreliable = { $outside } of the last { $windows } counts were outside the 80 % band of their last forecast; 20 % are to be expected
anomaly-phrase-rising = “{ $phrase }” in { $tickets } tickets; in { $before } tickets of the whole week before
