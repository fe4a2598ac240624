# Words and rules that every text shares.

list-separator = ,{ " " }
part-separator = ,{ " " }
clause-separator = ;{ " " }
sentence-separator = { " " }
percent = { $value } %
date-year = { $day } { $year }
date-year-time = { $day } { $year }, { $time }

severity-critical = critical
severity-major = major
severity-minor = minor
severity-warning = warning
severity-indeterminate = indeterminate

topic-outage = outage
topic-coverage = poor coverage
topic-slow = slowness
topic-billing = billing
topic-device = device or app
topic-other = other

channel-phone = phone
channel-chat = chat
channel-email = e-mail
channel-complaint = complaint desk
name-all-regions = all regions
name-all-services = all services
name-all-channels = all channels
