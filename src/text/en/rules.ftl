# Alerts of the rules besides the lack of agents. Each rule has a name, a title for a lock screen, a line with its numbers, and an action.

rule-title-critical = CRITICAL { $title }
rule-title-eased = { $scope }: eased ({ $rule })
rule-title-resolved = { $scope }: resolved ({ $rule })
rule-resolved = Resolved: { $rule } ({ $scope }). The alert lasted from { $from } to { $to } ({ $zone }).
rule-eased = The newest window is within the limits of the alert again. The alert ends if the next windows are too.
rule-inhibited = This alert sends no pages, because the open alert about missing agents here sends them: { $id }.
rule-acknowledge = If you take this on, acknowledge the alert.

rule-alarm-storm-name = alarm storm
rule-alarm-storm-title = { $scope }: alarm storm, { $raised } alarms in an hour
rule-alarm-storm-line = { $raised } critical, major and minor alarms were raised within an hour, the first at { $since }; { $usual } are usual at this time of day.
rule-alarm-storm-action = Action now: ask network operations whether customers will notice.

rule-surge-ahead-name = surge of tickets ahead
rule-surge-ahead-title = { $scope }: surge ahead, { $tickets } tickets at { $at } instead of { $usual }
rule-surge-ahead-line = The forecast is far above usual from { $from } to { $to }. The peak is at { $at }: { $tickets } tickets in a window instead of { $usual }. In all, { $extra } more tickets than usual are expected.
rule-surge-ahead-action = Action now: check whether there are enough agents from { $from } to { $to }.

rule-sla-at-risk-name = service level at risk
rule-sla-at-risk-title = { $scope } ({ $channel }): service level of { $expected } expected from { $from }, target { $target }
rule-sla-at-risk-line = { $channel }: with the roster, a service level of { $expected } is expected from { $from } to { $to }; the target is { $target }. { $scheduled } agents are scheduled and { $needed } needed in the worst window.
rule-sla-at-risk-title-deferred = { $scope } ({ $channel }): { $scheduled } scheduled and { $needed } needed from { $from } to keep up with the work
rule-sla-at-risk-line-deferred = { $channel }: with the roster, work piles up from { $from } to { $to }: { $scheduled } agents are scheduled and { $needed } needed in the worst window. Unless the team catches up later, more work than usual misses its deadline.
rule-sla-at-risk-action = Action by { $from }: find { $more ->
    [one] { $more } more agent
   *[other] { $more } more agents
} ({ $channel }).

rule-anomaly-now-name = unusual number of tickets
rule-anomaly-now-title-high = { $scope } ({ $channel }): { $actual } tickets at { $at }, far more than the forecast of { $expected }
rule-anomaly-now-line-high = { $actual } tickets ({ $channel }) came in the window of { $at }; the forecast was { $expected }.
rule-anomaly-now-title-low = { $scope } ({ $channel }): { $actual } tickets at { $at }, far fewer than the forecast of { $expected }
rule-anomaly-now-line-low = Only { $actual } tickets ({ $channel }) came in the window of { $at }; the forecast was { $expected }. A source may be silent.
rule-anomaly-now-title-complaints = { $scope }: { $actual } tickets at { $at } about { $topics } (usual: { $expected })
rule-anomaly-now-line-complaints = { $actual } tickets about { $topics } ({ $channel }) came in the window of { $at }; { $expected } are usual.
rule-anomaly-now-title-phrase = { $scope }: an unusual phrase is in { $actual } tickets at { $at }
rule-anomaly-now-line-phrase = An unusual phrase is in { $actual } tickets ({ $channel }) of the window of { $at }; { $expected } are usual. The list of anomalies names the phrase.
rule-anomaly-now-title-shift-up = { $scope } ({ $channel }): { $actual } tickets in { $minutes } min, steadily more than the forecast of { $expected }
rule-anomaly-now-line-shift-up = { $actual } tickets ({ $channel }) came in the { $minutes } min up to the end of the window of { $at }; the forecasts were { $expected } in all. No single window is far off.
rule-anomaly-now-title-shift-down = { $scope } ({ $channel }): { $actual } tickets in { $minutes } min, steadily fewer than the forecast of { $expected }
rule-anomaly-now-line-shift-down = Only { $actual } tickets ({ $channel }) came in the { $minutes } min up to the end of the window of { $at }; the forecasts were { $expected } in all. A part of a feed may be missing.
rule-anomaly-now-title-vanished = { $scope } ({ $channel }): no ticket for { $minutes } min, { $expected } are usual
rule-anomaly-now-line-vanished = No ticket ({ $channel }) has come for { $minutes } min, up to the end of the window of { $at }; { $expected } are usual in that time. Other series still have tickets: a queue or a feed may be cut off.
rule-anomaly-now-action = Action now: look for the reason, and tell network operations if no alarm explains it.

rule-silent-source-name = silent source
rule-silent-source-title = { $source }: no events since { $since }
rule-silent-source-line = { $source } has sent no events since { $since }, for { $minutes } min; up to { $usual } min are usual. Silent partitions: { $partitions }.
rule-silent-source-action = Action now: ask whoever runs { $source } whether it still sends.

rule-forecast-unreliable-name = unreliable forecast
rule-forecast-unreliable-title = { $scope }: the forecast is unreliable, { $share } of the counts are outside its band
rule-forecast-unreliable-line = Since { $since }, { $outside } of { $windows } counts ({ $share }) were outside the 80 % band of their last forecast; 20 % are to be expected.
rule-forecast-unreliable-action = Action now: trust the newest counts more than the forecast, and look for a reason that is not in the data.

rule-backlog-growing-name = growing backlog
rule-backlog-growing-title = { $scope } ({ $channel }): { $open } open tickets (usual: at most { $usual })
rule-backlog-growing-line = { $channel }: { $open } tickets are open; four windows before, there were { $grown } fewer. On a usual day, at most { $usual } are open at a time.
rule-backlog-growing-action = Action now: check whether the team that resolves these tickets has enough people.

rule-ticket-deadline-name = tickets about to miss their deadline
rule-ticket-deadline-title = { $scope }: { $at_risk ->
    [one] a ticket is about to miss its deadline
   *[other] { $at_risk } tickets are about to miss their deadline
}
rule-ticket-deadline-line = { $at_risk ->
    [one] One open ticket has used most of its agreed time
   *[other] { $at_risk } open tickets have used most of their agreed time
}. Open tickets that have missed a deadline: { $breached }.
rule-ticket-deadline-action = Action now: work on these tickets first; the list of open tickets begins with the most urgent ones.
