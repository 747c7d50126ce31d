# pip install jsonpickle
import datetime

import jsonpickle


class Thing:
    def __init__(self, name):
        self.name, self.items, self.when = name, {1, 2}, datetime.date(2020, 1, 2)
        self.me = self


thing = Thing("x")
text = jsonpickle.encode(thing, indent=1)
print(text)
back = jsonpickle.decode(text, classes={"__main__.Thing": Thing})
print(back.name, back.items, back.when, back.me is back)
