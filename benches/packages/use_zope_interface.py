# pip install zope.interface
from zope.interface import Attribute, Interface, implementer, providedBy
from zope.interface.adapter import AdapterRegistry
from zope.interface.exceptions import BrokenImplementation
from zope.interface.verify import verifyClass


class IShape(Interface):
    name = Attribute("name")

    def area(scale):
        """Area."""


@implementer(IShape)
class Square:
    name = "sq"

    def area(self, scale):
        return 4 * scale


@implementer(IShape)
class Bad:
    pass


print(IShape.providedBy(Square()), verifyClass(IShape, Square), list(providedBy(Square())))
try:
    verifyClass(IShape, Bad)
except Exception as e:
    print(type(e).__name__)
registry = AdapterRegistry()
registry.register([IShape], Interface, "", "adapter")
print(registry.lookup1(providedBy(Square()), Interface))
