# Python 3.14
"""Dates, times, durations and time zones in Rust: values, texts, pickles, subclasses."""

import copy
import pickle
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo


def raises(exception, text, f):
    try:
        f()
    except exception as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"no {exception.__name__}")


def test_durations():
    assert timedelta(days=1, hours=-1) == timedelta(hours=23)
    assert repr(timedelta(microseconds=-1)) == "datetime.timedelta(days=-1, seconds=86399, microseconds=999999)"
    assert str(timedelta(days=-1, seconds=1)) == "-1 day, 0:00:01"
    # Fractions are rounded once, to the even one of two.
    assert timedelta(microseconds=0.5) == timedelta(0)
    assert timedelta(microseconds=1.5) == timedelta(microseconds=2)
    assert timedelta(days=1) / 3 == timedelta(hours=8)
    assert timedelta(days=1) * 0.1 == timedelta(seconds=8640)
    assert divmod(timedelta(seconds=-5), timedelta(seconds=3)) == (-2, timedelta(seconds=1))
    assert timedelta(days=1) // -timedelta(hours=5) == -5
    assert timedelta(10**40, -(10**40) * 86400) == timedelta(0)
    assert timedelta.max.total_seconds() == 86399999999999.999999
    raises(OverflowError, "days=1000000000; must have magnitude <= 999999999", lambda: timedelta.max + timedelta.resolution)
    raises(OverflowError, "too large to convert", lambda: timedelta(days=10**30))
    raises(ValueError, "NaN", lambda: timedelta(1) * float("nan"))
    raises(TypeError, "unsupported type for timedelta days component: str", lambda: timedelta("1"))


def test_dates():
    d = date(2024, 2, 29)
    assert (d.toordinal(), d.weekday(), d.isocalendar()) == (738945, 3, (2024, 9, 4))
    assert d + timedelta(days=366, hours=23) == date(2025, 3, 1)
    assert d.replace(month=3) - d == timedelta(days=29)
    assert date.fromisocalendar(2020, 53, 7) == date(2021, 1, 3)
    assert [date.fromisoformat(s) for s in ("20240229", "2024-W09-4", "2024W094")] == [d] * 3
    assert f"{d:%d.%m.%Y}" == "29.02.2024" and f"{d}" == "2024-02-29"
    assert date(7, 1, 2).strftime("%Y %F %C") == "0007 0007-01-02 00"
    raises(ValueError, "day 30 must be in range 1..29 for month 2 in year 2024", lambda: date(2024, 2, 30))
    raises(OverflowError, "date value out of range", lambda: date.max + timedelta(1))
    raises(TypeError, "not supported between instances", lambda: d < datetime(2024, 2, 29))
    assert d != datetime(2024, 2, 29)


def test_moments():
    m = datetime(2024, 2, 29, 23, 59, 59, 999999)
    assert m + timedelta.resolution == datetime(2024, 3, 1)
    assert m.isoformat(" ", "milliseconds") == "2024-02-29 23:59:59.999"
    assert datetime.fromisoformat("2024-02-29T24:00") == datetime(2024, 3, 1)
    east = timezone(timedelta(hours=5, minutes=30), "IST")
    aware = datetime.fromisoformat("2024-02-29 12:00:00.5+05:30")
    assert aware.utcoffset() == timedelta(hours=5, minutes=30)
    assert aware == datetime(2024, 2, 29, 12, 0, 0, 500000, east)
    assert hash(aware) == hash(aware.astimezone(UTC))
    assert aware.astimezone(UTC).isoformat() == "2024-02-29T06:30:00.500000+00:00"
    assert aware.strftime("%z %:z %Z") == "+0530 +05:30 UTC+05:30"
    assert datetime.fromtimestamp(0, UTC).timestamp() == 0.0
    assert datetime(1970, 1, 1, tzinfo=UTC) - aware < timedelta(0)
    assert datetime.strptime("29/02/24 %", "%d/%m/%y %%") == datetime(2024, 2, 29)
    raises(TypeError, "can't compare offset-naive and offset-aware datetimes", lambda: m < aware)
    raises(ValueError, "Invalid isoformat string: '2024-2-29'", lambda: datetime.fromisoformat("2024-2-29"))
    assert (m == aware, m != aware) == (False, True)


class Zone(tzinfo):
    """An hour ahead in summer."""

    def utcoffset(self, dt):
        return timedelta(hours=1) + self.dst(dt)

    def dst(self, dt):
        return timedelta(hours=dt is not None and 4 <= dt.month <= 9)

    def tzname(self, dt):
        return "Z"


def test_zones():
    z = Zone()
    summer = datetime(2024, 7, 1, 12, tzinfo=z)
    assert summer.astimezone(UTC).hour == 10
    assert datetime(2024, 7, 1, 10, tzinfo=UTC).astimezone(z) == summer
    assert summer.timetuple().tm_isdst == 1 and summer.tzname() == "Z"
    assert repr(timezone(-timedelta(minutes=1))) == "datetime.timezone(datetime.timedelta(days=-1, seconds=86340))"
    assert str(timezone(timedelta(seconds=-1))) == "UTC-00:00:01" and timezone(timedelta(0)) is timezone.utc
    raises(ValueError, "strictly between", lambda: timezone(timedelta(1)))

    class Bad(tzinfo):
        def utcoffset(self, dt):
            return 3

    raises(TypeError, "must return None or timedelta, not 'int'", datetime(1, 1, 1, tzinfo=Bad()).isoformat)
    raises(NotImplementedError, "must implement dst()", datetime(1, 1, 1, tzinfo=Bad()).dst)


class Own(datetime):
    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls, *args, **kwargs)
        made.seen = True
        return made


def test_subclasses_and_pickles():
    own = Own(2024, 2, 29, 1, fold=1)
    for other in (own + timedelta(1), own.replace(year=2020), Own.fromisoformat("2024-01-01"), Own.now(UTC)):
        assert type(other) is Own and other.seen
    for x in (own, date(1, 2, 3), time(1, 2, 3, 4, UTC, fold=1), timedelta(1, 2, 3), UTC, datetime.now(UTC)):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            y = pickle.loads(pickle.dumps(x, protocol))
            assert y == x and type(y) is type(x), (x, y)
        assert copy.deepcopy(x) == x
    assert pickle.loads(pickle.dumps(own, 4)).fold == 1
    # Whatever state a pickle has, the object can be used.
    odd = datetime(b"\xff\xff\x0c\xff\xff\xff\xff\xff\xff\xff")
    str(odd), odd.weekday(), odd.isocalendar(), hash(odd), odd == own


for test in (test_durations, test_dates, test_moments, test_zones, test_subclasses_and_pickles):
    test()
