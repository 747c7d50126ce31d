"""Unions nested in one another: each level costs as much as the one below it, not twice as much."""
nested = other = int | str
for _ in range(100):
    nested = list[nested] | int
    other = int | list[other]
    assert isinstance(hash(nested), int)
assert hash(nested) == hash(other)
assert hash(int | str) == hash(str | int) and hash(int | None) == hash(None | int) and (int | str) == (str | int)
assert len({int | str, str | int}) == 1
try:
    hash(int | list[{}])
except TypeError as e:
    assert "unhashable" in str(e)
else:
    raise AssertionError
print("ok")
