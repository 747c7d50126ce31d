# pip install hypothesis==6.140.0
from hypothesis import find, given, settings, strategies as st


@given(st.lists(st.integers()))
@settings(database=None, derandomize=True)
def test_sorted(xs):
    assert sorted(sorted(xs)) == sorted(xs)


@given(st.text(), st.integers(0, 5))
@settings(database=None, derandomize=True, max_examples=50)
def test_repeat(s, n):
    assert len(s * n) == len(s) * n


test_sorted()
test_repeat()
print(find(st.lists(st.integers()), lambda xs: sum(xs) >= 100, settings=settings(database=None, derandomize=True)))


@given(st.integers())
@settings(database=None, derandomize=True)
def fails(n):
    assert n < 1000


try:
    fails()
except AssertionError as e:
    print("found", e.__notes__[0])
print(st.builds(complex, st.floats(), st.none() | st.booleans()))
