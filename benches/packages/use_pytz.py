# pip install pytz
import datetime

import pytz

eastern = pytz.timezone("US/Eastern")
when = eastern.localize(datetime.datetime(2002, 10, 27, 1, 30), is_dst=True)
print(when, eastern.normalize(when + datetime.timedelta(hours=1)), when.astimezone(pytz.utc))
print(pytz.country_timezones["nz"], len(pytz.common_timezones) > 300, pytz.timezone("Asia/Kolkata"))
try:
    eastern.localize(datetime.datetime(2002, 4, 7, 2, 30), is_dst=None)
except pytz.NonExistentTimeError as e:
    print(e)
