# 各类文本共用的词语与规则。

list-separator = 、
part-separator = ，
clause-separator = ；
sentence-separator = { "" }
percent = { $value }%
date-year = { $year }年{ $day }
date-year-time = { $year }年{ $day } { $time }

severity-critical = 紧急
severity-major = 重要
severity-minor = 次要
severity-warning = 提示
severity-indeterminate = 未定级

topic-outage = 服务中断
topic-coverage = 信号覆盖差
topic-slow = 网速慢
topic-billing = 费用问题
topic-device = 终端或应用
topic-other = 其他

channel-phone = 电话
channel-chat = 在线客服
channel-email = 邮件
channel-complaint = 投诉渠道
name-all-regions = 全部区域
name-all-services = 全部业务
name-all-channels = 全部渠道
