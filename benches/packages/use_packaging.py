# pip install packaging
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version, parse

print(sorted(map(Version, ["1.0", "1.0rc1", "1.0.post1", "2!0.1", "1.0.dev3"])), parse("1.2.3+local.1").local)
print(list(SpecifierSet(">=1.0,!=1.5,<2").filter(["0.9", "1.0", "1.5", "1.9"])))
r = Requirement("requests[security]>=2.8.1,==2.8.* ; python_version < '3.99'")
print(r.name, sorted(r.extras), r.specifier, r.marker, r.marker.evaluate())
print(Marker("sys_platform == 'linux' and extra == 'x'").evaluate({"extra": "x"}))
try:
    Requirement("a ==")
except InvalidRequirement as e:
    print(e)
