# pip install jinja2
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError

pages = {
    "base": "<title>{% block title %}x{% endblock %}</title>{% block body %}{% endblock %}",
    "page": "{% extends 'base' %}{% block title %}{{ super() }}: {{ name|title }}{% endblock %}"
    "{% block body %}{% for x in xs if x %}{{ loop.index }}={{ x }}{{ ', ' if not loop.last }}{% endfor %}"
    "{% macro twice(t) %}{{ t }}{{ t }}{% endmacro %}{{ twice('<b>') }}{% endblock %}",
}
env = Environment(loader=DictLoader(pages), autoescape=True, undefined=StrictUndefined)
env.filters["shout"] = lambda s: s.upper() + "!"
print(env.get_template("page").render(name="ada lovelace", xs=[0, 1, "<i>", None, 2.5]))
print(env.from_string("{{ 'hey'|shout }} {{ [3, 1, 2]|sort|join('-') }}").render())
print(env.from_string("{% set ns = namespace(n=0) %}{% for i in range(5) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}").render())
try:
    env.from_string("{{ missing.x }}").render()
except UndefinedError as e:
    print(e)
