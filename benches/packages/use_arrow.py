# pip install arrow
import arrow

t = arrow.get("2013-05-11T21:23:58.970460+07:00")
print(t, t.to("UTC"), t.shift(months=+1, days=-3), t.format("dddd, D MMMM YYYY HH:mm"))
print(arrow.get("June was born in May 1980", "MMMM YYYY"), t.floor("hour"), t.span("week"))
print(t.humanize(t.shift(hours=2)), t.humanize(t.shift(days=-3), locale="de"))
print([str(a.date()) for a in arrow.Arrow.range("day", arrow.get(2020, 2, 27), arrow.get(2020, 3, 1))])
