# pip install humanize
import datetime

import humanize

print(humanize.intcomma(1234567), humanize.intword(12345678901), humanize.naturalsize(3000000, binary=True))
print(humanize.naturaltime(datetime.timedelta(seconds=3700)), humanize.precisedelta(datetime.timedelta(days=400, hours=3)))
print(humanize.ordinal(22), humanize.fractional(0.35), humanize.apnumber(5), humanize.natural_list(["a", "b", "c"]))
humanize.i18n.activate("fr_FR")
print(humanize.naturaldelta(datetime.timedelta(days=2)))
