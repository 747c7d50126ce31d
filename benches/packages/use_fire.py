# pip install fire
import fire


class Calc:
    """A calculator."""

    def double(self, number):
        return 2 * number

    def join(self, *parts, sep="-"):
        return sep.join(map(str, parts))


print(fire.Fire(Calc, ["double", "10"]), fire.Fire(Calc, "join 1 b [2,3] --sep=+"))
print(fire.Fire({"a": {"b": lambda x=1: x + 1}}, "a b --x 5"))
