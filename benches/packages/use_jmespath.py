# pip install jmespath
import jmespath

data = {"people": [{"name": "ann", "age": 30}, {"name": "bob", "age": 20}], "x": {"y": [1, 2, 3]}}
for query in ("people[?age > `25`].name", "sort_by(people, &age)[*].name", "x.y[::-1]", "length(people)", "people[*].{n: name, old: age >= `30`}"):
    print(jmespath.search(query, data))
try:
    jmespath.compile("a[")
except jmespath.exceptions.ParseError as e:
    print(e)
