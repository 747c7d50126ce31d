# pip install python-dateutil
import datetime

from dateutil import easter, parser, relativedelta, rrule, tz

start = datetime.datetime(2024, 1, 31, 9, 0)
print(parser.parse("Thu Sep 25 10:36:28 2003"), parser.isoparse("2024-02-29T10:00:00+02:00"))
print(start + relativedelta.relativedelta(months=+1), relativedelta.relativedelta(start, datetime.datetime(2000, 3, 1)))
print(list(rrule.rrule(rrule.WEEKLY, count=3, byweekday=(rrule.TU, rrule.TH), dtstart=start)))
print(easter.easter(2025), tz.tzutc().utcoffset(start), parser.parse("10h36m", default=start))
try:
    parser.parse("no date")
except parser.ParserError as e:
    print(e)
