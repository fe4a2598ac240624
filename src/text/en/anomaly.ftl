# Anomalies: one sentence each.

anomaly-outside = { $actual } tickets; the forecast was { $expected } (95 % interval: { $low } to { $high })
anomaly-complaints = { $actual } tickets about { $topics }; usual at this time is { $usual }; { $alarms }
anomaly-no-alarm = no alarm is active: customers report this first
anomaly-alarms = active alarms: { $list }
anomaly-alarm-group = { $n } { $severity } { $type }
anomaly-alarm-group-untyped = { $n } { $severity }
anomaly-more-alarms = { $n } more
anomaly-phrase-new = “{ $phrase }” in { $tickets } tickets; in none of the week before
anomaly-phrase-rising = “{ $phrase }” in { $tickets } tickets; in { $before } of the whole week before
