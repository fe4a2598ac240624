# The built-in page. Keys of the page are written with underscores.

skip = Skip to content
theme = Theme
theme_auto = System theme
theme_light = Light
theme_dark = Dark
other_lang = 中文
other_lang_label = 切换到中文
sign_in = Sign in
sign_in_token = Token
sign_in_failed = This token is not known.
sign_in_hint = Ask the person who runs surgecast for a token.
sign_out = Sign out
loading = Loading…
api_docs = API reference
version = surgecast { $version }
demo = Demo ×{ $speed }
demo_title = Simulated operator: one real minute is { $speed } simulated minutes.
settled = Counts complete up to { $at }
catching = Reading history: { $share }
conn_live = Live
conn_connecting = Connecting…
conn_waiting = Connection lost, next attempt in { $s } s
error_down = surgecast does not answer. The figures shown are from { $at }. The page will try again.
error_down_first = surgecast does not answer. The page will try again.
name_unknown = unknown
minutes = { $m } min
hours = { $h } h
hours_minutes = { $h } h { $m } min
quoted = “{ $text }”

# Why a request failed. The page adds the API's own words, in English, or keeps them in a tooltip.
fault_network = surgecast does not answer.
fault_sign_in = You need a token. Sign in first.
fault_forbidden = This token does not permit the action.
fault_input = surgecast did not accept the input. Check it and try again.
fault_missing = The entry does not exist any more.
fault_conflict = This action is not possible in the present state of the entry.
fault_busy = surgecast is busy. Try again later.
fault_internal = surgecast has an internal error (status { $status }).

title_overview = Overview
overview = The next six hours
alerts = Open alerts
no_alerts = No open alerts.
more_alerts = Show all { $n } alerts
new_alert = New alert: { $title }
sev_critical = Critical
sev_warning = Warning
state_pending = waiting for the next forecast
state_firing = firing
state_acknowledged = acknowledged
state_resolved = resolved
since = since { $at } ({ $ago } ago)
ack = Acknowledge
ack_name = Your name
cancel = Cancel
acked_by = Acknowledged by { $name }
acked_at = Acknowledged by { $name } at { $at }
useful = Was this alert useful?
yes = Yes
no = No
thanks = Thank you. Your answer is stored.
more = More
less = Less

kpi_tickets = Tickets forecast, next 6 h
kpi_tickets_sub = { $x } the usual number
kpi_agents = Agents needed at the peak
kpi_agents_sub = { $at }; { $n } scheduled
kpi_agents_sub_mixed = { $at }; { $n } by roster or usual number
kpi_agents_sub_none = { $at }; no roster
kpi_gap = Largest gap in agents
kpi_gap_sub = { $series }, { $at }
kpi_gap_none = no gap
kpi_alerts = Open alerts
kpi_alerts_sub = { $n } not acknowledged
kpi_scope = Figures cover: { $scope }

coming = Forecast by series (region / service / channel)
filter_region = Region
filter_service = Service
filter_channel = Channel
filter_any = any
filter_text = Search
filter_rollups = Show totals
sort = Sort by
sort_risk = risk
sort_peak = peak
sort_name = name
shown = { $all } series
shown_some = { $n } of { $all } series
show_more = Show { $n } more
no_match = No series matches these filters.
clear = Clear filters
no_series_catching = History is being read. Series appear as it arrives.
no_series = No series yet. The first tickets create them. Tickets come from Kafka, from files or from POST /api/v1/events.
col_series = Series
col_spark = Past 12 h, next 6 h
col_peak = Peak per { $w } min
col_staff = Agents needed / scheduled
col_gap = Gap
col_over = Compared with usual
peak_at = at { $at }
needed_scheduled = { $needed } / { $scheduled }
needed_usual = { $needed } / { $scheduled } usual
short = { $n } short
spare = { $n } spare
even = no gap
in_time = from now on
breach_in = short in { $span }
worst_at = at { $at }
no_staffing = no staffing settings
no_forecast = no forecast yet
health_new = new
health_silent = data stopped
total = total
maintenance = Planned work, next 24 h
maintenance_overrun = overruns: { $n ->
    [one] { $n } alarm is still active
   *[other] { $n } alarms are still active
}
maintenance_item = { $from } – { $to }: { $scope }

plan_title = Planners’ entries ({ $n })
plan_help = Enter what history does not show: a campaign, a billing run, hours with unusual demand. The next forecast uses the entry. The forecast of the model alone is kept and scored beside it. Leave entries in place when they are over: the model then learns from these windows without the effect of the entry.
plan_none = There are no entries.
plan_label = Label
plan_kind = Kind
plan_campaign = campaign
plan_billing = billing run
plan_override = override
plan_other = other
plan_from = From
plan_to = To
plan_says = Effect
plan_factor = multiple of the usual number
plan_tickets_per_window = tickets per window, all named series together
plan_value = Value
plan_by = Your name
plan_note = Note
plan_enter = Add entry
plan_remove = Remove
plan_zone = Times are local: { $zone }
plan_item = { $label } { $amount }: { $from } – { $to }
plan_amount = set to { $n } tickets per window
plan_order = “To” has to be later than “From”.
plan_scored = Windows with entries: error (WAPE) { $adjusted } with the entries, { $model } by the model alone ({ $n ->
    [one] { $n } forecast
   *[other] { $n } forecasts
}).

back = Overview
back_hint = Esc
no_such_series = There is no data for { $series }.
chart = Tickets, alarms and agents
chart_label = Chart: tickets of the past 24 hours and the next 6 hours with forecast bands, alarms and agents below. The table below the chart has the figures.
chart_zone = Times are local: { $zone }
chart_wait = Loading the chart…
chart_failed = The chart could not be drawn. The table below has the figures.
axis_tickets = Tickets / { $w } min
axis_alarms = Alarms raised
axis_agents = Agents
tr_actual = Actual
tr_open = Not finalized yet
tr_median = Median forecast
tr_model = Forecast without entries
tr_80 = 80 % band
tr_95 = 95 % band
tr_agents = Needed
tr_agents_band = Needed, 80 % band
tr_scheduled = Scheduled
now = now

why = Why these figures
why_next = Next window
why_peak = Peak
why_base = Usual number of tickets for { $at }: { $n }.
why_above = Today’s ticket volume is { $p } above usual.
why_below = Today’s ticket volume is { $p } below usual.
why_same = Today’s ticket volume is as usual.
why_level = At today’s volume: { $n }.
why_alarms = Effect of alarms: { $n }.
why_adjusted = Effect of planners’ entries: { $n }. The model alone forecasts { $model }.
why_causes = Effects on the next six hours, in tickets: { $list }.
why_cause = { $what } { $n }
why_entry = entry “{ $label }”
why_sum = Forecast (mean; the chart shows the median): { $n } ({ $low } to { $high } with 80 % probability).
nowcast = Updated at { $at }, before the end of the window (nowcast): { $why }.
nowcast_scored = Error (WAPE) of nowcasts: { $nowcast }. Error of the forecasts that they replaced: { $scheduled } ({ $n ->
    [one] { $n } window
   *[other] { $n } windows
}).
fallback = Note: { $text }.
members = Models averaged: { $list }.
issued = Forecast issued at { $at }.
how_staff = How the number of agents is calculated
staff_worst = Tightest window, { $at }: { $needed } agents needed for { $n } tickets, { $scheduled } scheduled ({ $gap }). Expected service level: { $sl } answered in time.
staff_worst_usual = Tightest window, { $at }: { $needed } agents needed for { $n } tickets. There is no roster for this window; compared with the usual number: { $gap }.
no_plan = There is no staffing plan for this series.

accuracy = Accuracy so far
acc_at = Accuracy { $lead } ahead: { $acc }.
acc_over_all = Accuracy over all leads: { $acc }.
acc_best = At this volume at most about { $best } is possible. A single series can exceed it by chance.
acc_better = The error is { $p } smaller than with last week’s counts repeated.
acc_worse = The error is { $p } larger than with last week’s counts repeated.
acc_none = Nothing is scored yet. Figures appear when forecast windows are finalized.
acc_lead = Lead time
acc_wape = Error (WAPE)
acc_naive = Error of last week repeated
acc_floor = Noise floor
acc_80 = Inside 80 % band
acc_95 = Inside 95 % band
acc_n = Forecasts
acc_overall = all leads
acc_help = WAPE: the sum of absolute errors divided by the sum of tickets. Noise floor: the error that even a perfect forecast has, because tickets arrive at random.

acc_page = Accuracy
acc_all = Accuracy since the first forecast, at most the last four weeks: { $series }
acc_reached = Accuracy
acc_naive_is = Accuracy of repeating last week
acc_floor_is = Accuracy at the noise floor
acc_bias = Bias
acc_page_help = Accuracy is 1 − WAPE. WAPE is the sum of absolute errors divided by the sum of tickets. Noise floor: the error that even a perfect forecast has, because tickets arrive at random (Poisson). The accuracy at the noise floor is the best that is possible at this volume; a single series can exceed it by chance. Operators commonly ask for { $target }. The 80 % band should contain 80 of 100 windows, and more where counts are small. Bias above 0: the forecasts were higher than the actual counts. Each forecast of a window counts once. Forecasts before the first fit count too. They use only the usual week and today’s level.
surges_title = Surges by region and service, all channels together
surges_none = No surges and no warnings.
surges_n = Surges
surges_alarmed = Alarms already active when the forecast was issued
surges_hit = Hits
surges_warning = Mean time from warning to surge
surges_warnings = Warnings
surges_false = False alarms
surges_help = Surge: two windows in a row lie above the 99 % quantile of the forecast without alarms. Hit: the forecast at this lead warned of the surge, to within an hour. False alarm: no surge came within the six hours of the forecast. A forecast warns when the probability of a surge in its six hours reaches a threshold. The threshold starts at 18 % and adapts: false alarms should stay below one per week and region. Without alarms there is no warning. Counting starts with the first fit, because earlier forecasts do not use alarms.
group_missed = Below { $target }, although { $target } is possible at this volume ({ $n })
group_missed_why = { $target } is possible at this volume. The forecasts do not reach it yet.
group_reached = { $target } reached ({ $n })
group_reached_why = Over all leads.
group_beyond = Too few tickets to reach { $target } ({ $n })
group_beyond_why = The accuracy at the noise floor of these series is below { $target }. Totals of channels, regions or hours can reach more.
group_empty = None.
acc_series = Series
acc_mean = Mean tickets per window

anomalies = Recent anomalies
no_anomalies = No anomalies in the past 7 days.
kind_high = High
kind_low = Low
kind_complaints = Complaints
kind_phrase = Frequent phrase

feed = Events with problems
feed_rejected = { $n ->
    [one] { $n } event was rejected.
   *[other] { $n } events were rejected.
} Reasons: { $list }.
feed_unmapped = Counted as `unknown` in the past 24 hours: { $list }. Add the missing names to a `[[mapping]]` table.
feed_help = `surgecast dead-letters list` shows rejected events. When the cause is removed, `surgecast dead-letters replay` sends them again.
feed_count = { $what } { $n }
reason_malformed = unreadable
reason_field = field missing or wrong
reason_late = too late
reason_future = time in the future
reason_limit = too large or too many
without_region = no region
without_service = no service
without_channel = no channel

topics = Tickets by topic, past { $h } h
no_topics = No ticket had a text.
topic = Topic
topic_n = Tickets
topic_usual = Usual
topic_phrases = Frequent phrases that the lexicon does not contain: { $list }
topic_phrase = “{ $phrase }” ({ $n })
topic_help = All channels together. Usual: the mean of the same hours in the previous weeks (up to four).

table = Forecast as a table
th_time = Time
th_median = Median
th_80 = 80 % band
th_95 = 95 % band
th_needed = Agents needed
th_scheduled = Scheduled
th_gap = Gap
th_sl = Answered in time
range = { $low } – { $high }
