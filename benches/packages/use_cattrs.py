# pip install cattrs
import datetime
from enum import Enum

import attrs
import cattrs


class Color(Enum):
    RED = "red"


@attrs.define
class Cat:
    name: str
    color: Color
    kittens: "list[Cat]" = attrs.Factory(list)
    born: datetime.date | None = None


converter = cattrs.Converter()
converter.register_structure_hook(datetime.date, lambda v, _: datetime.date.fromisoformat(v))
cat = converter.structure({"name": "a", "color": "red", "kittens": [{"name": "b", "color": "red"}], "born": "2020-01-01"}, Cat)
print(cat, converter.unstructure(cat))
try:
    converter.structure({"name": "a", "color": "blue"}, Cat)
except cattrs.ClassValidationError as e:
    print(cattrs.transform_error(e))
