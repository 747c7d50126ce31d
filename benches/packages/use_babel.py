# pip install babel
import datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, parse_decimal

when = datetime.datetime(2007, 4, 1, 15, 30)
for name in ("en_US", "de_DE", "ja", "ar"):
    print(format_datetime(when, locale=name), format_currency(Decimal("1099.98"), "EUR", locale=name), format_list(["a", "b", "c"], locale=name))
print(format_timedelta(datetime.timedelta(days=6), locale="fr"), parse_decimal("1.099,98", locale="de"), Locale("de").languages["fr"])
print(Locale("ru").plural_form(3), format_decimal(-12345.678, locale="en_IN"))
