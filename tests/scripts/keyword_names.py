# Names of keywords in calls are not mangled, as all other private names in a class are.
def given(*args, **names):
    return names


class Class:
    def plain(self):
        return given(__private=1)

    def with_mapping(self):
        return given(**{"a": 1}, __private=2)

    def with_row(self):
        return given(*(1, 2), __private=3)

    def parameter(self, *, __private=None):
        return __private

    nested = given(__private=4)


c = Class()
assert c.plain() == {"__private": 1}
assert c.with_mapping() == {"a": 1, "__private": 2}
assert c.with_row() == {"__private": 3}
assert Class.nested == {"__private": 4}
# Those of parameters are.
assert c.parameter(_Class__private=5) == 5
try:
    c.parameter(__private=6)
except TypeError as e:
    assert "unexpected keyword argument '__private'" in str(e), e
else:
    raise AssertionError("a parameter is mangled")
print("ok")
