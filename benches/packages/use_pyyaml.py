# pip install pyyaml
import yaml

TEXT = """
name: &n Skein
list: [1, 2.5, true, null, 2001-12-14]
nested:
  - {a: 1, b: *n}
  - |
    two
    lines
  - >-
    folded
    text
"""
data = yaml.safe_load(TEXT)
print(data)
print(yaml.safe_dump(data, sort_keys=False, default_flow_style=False))
print(list(yaml.safe_load_all("a: 1\n---\nb: 2")))
try:
    yaml.safe_load("a: [1, 2")
except yaml.YAMLError as e:
    print(e)
