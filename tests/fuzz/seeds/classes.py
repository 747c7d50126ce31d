class A[T](object, metaclass=type):
    x: int = 1
    __slots__ = ("y",)
    def __init__(self, y): self.y = y
    @property
    def z(self): return super().__repr__() and __class__
    @classmethod
    def make(cls): return cls(3)
    def __eq__(self, other): return NotImplemented
    def __getattr__(self, name): raise AttributeError(name)
a = A.make()
a.y += 1; a.z; a == 3; del a.y
def generic[T: int, *Ts, **P = [int]](x: T) -> T: return x
type Alias[T] = list[T]
generic(1)
