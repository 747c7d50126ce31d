# pip install blinker
from blinker import ANY, Namespace, signal

ready = signal("ready")
seen = []


@ready.connect
def any_sender(sender, **kw):
    seen.append((sender, kw))


@ready.connect_via("b")
def only_b(sender, **kw):
    return "got b"


print(ready.send("a", x=1)[0][1], [r for _, r in ready.send("b")], seen)
with ready.muted():
    print(ready.send("c"))
print(bool(ready.receivers_for("z")), Namespace().signal("n").name)
