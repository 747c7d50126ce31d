def f(x):
    try:
        if x: raise ValueError(x) from None
        return 1
    except (ValueError, TypeError) as e:
        try: [][1]
        except IndexError: raise
        finally: e = 1
    else:
        return 2
    finally:
        x = 0
try:
    f(0), f(1)
except* IndexError as group:
    print(group)
class M:
    def __enter__(self): return self
    def __exit__(self, *a): return True
with M() as m, M():
    raise KeyError
with (M() as a, M() as b): 1 / 0
