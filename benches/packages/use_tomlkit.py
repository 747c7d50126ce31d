# pip install tomlkit
import tomlkit

doc = tomlkit.parse('# head\ntitle = "x" # c\n[owner]\nname = "Ann"\nborn = 1979-05-27T07:32:00Z\n[[items]]\nn = 1\n[[items]]\nn = 2\n')
print(doc["owner"]["name"], doc["owner"]["born"], [i["n"] for i in doc["items"]])
doc["owner"]["age"] = 40
doc["list"] = [1, 2, {"a": "b"}]
print(tomlkit.dumps(doc))
try:
    tomlkit.parse("a = \n")
except tomlkit.exceptions.ParseError as e:
    print(e)
