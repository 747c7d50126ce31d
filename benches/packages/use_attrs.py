# pip install attrs
import attr
from attrs import asdict, define, evolve, field, frozen, validators


@define
class Point:
    x: int = field(validator=validators.instance_of(int))
    y: float = field(default=0.0, converter=float)
    tags: list = field(factory=list, repr=False)


@frozen(order=True)
class Version:
    major: int
    minor: int = 0


p = Point(1, "2.5")
print(p, asdict(p), evolve(p, x=9), p == Point(1, 2.5))
print(sorted([Version(2), Version(1, 5), Version(1, 2)]), hash(Version(1)) == hash(Version(1)))
for bad in (lambda: Point("a"), lambda: setattr(Version(1), "major", 2), lambda: Point(1, 2, 3, 4)):
    try:
        bad()
    except Exception as e:
        print(type(e).__name__, e.args[0] if e.args else "")
print([a.name for a in attr.fields(Point)], Point.__slots__)
