# pip install jedi
import jedi

SOURCE = "import json\ndef greet(name: str, times=1):\n    '''Greets.'''\n    return name * times\ngreet('a').up\njson.lo"
script = jedi.Script(SOURCE)
print([c.name for c in script.complete(5, len("greet('a').up"))], [c.name for c in script.complete(6, 7)])
print([d.description for d in script.infer(5, 2)], script.goto(5, 2)[0].line)
print([s.to_string() for s in script.get_signatures(5, 6)], [n.name for n in script.get_names()])
