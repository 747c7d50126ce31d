# pip install ruamel.yaml
import io

from ruamel.yaml import YAML

yaml = YAML()
data = yaml.load("# head\na: 1  # one\nb:\n- x\n- {y: 2}\nc: |\n  text\n")
data["a"] = 5
data["b"].append("z")
data.yaml_add_eol_comment("new", "b")
out = io.StringIO()
yaml.dump(data, out)
print(out.getvalue())
print(YAML(typ="safe", pure=True).load("[1, 0o17, 2001-01-01, ~, .inf]"))
