# Audit hooks: what they are told of, and that they refuse by an exception.
import sys

events = []
refused = None


def hook(event, args):
    events.append((event, args))
    if event == refused:
        raise PermissionError(event)


sys.addaudithook(hook)
sys.audit("mine", 1, "x")
assert events == [("mine", (1, "x"))], events
events.clear()
import colorsys

assert [(e, a[0]) for e, a in events if e == "import"] == [("import", "colorsys")], events
events.clear()
with open("/dev/null"):
    pass
exec("1")
compile("2", "<f>", "eval")
names = [event for event, _ in events]
assert "open" in names and "compile" in names, names
refused = "open"
try:
    open("/dev/null")
except PermissionError as e:
    assert str(e) == "open"
else:
    assert False
refused = None
for wrong in ((), (1,)):
    try:
        sys.audit(*wrong)
    except TypeError:
        pass
    else:
        assert False
