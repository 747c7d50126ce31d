# pip install mako
from mako.lookup import TemplateLookup
from mako.template import Template

print(Template("hello ${name | h}! % for\n% for x in xs:\n${loop.index}:${x}\n% endfor\n<%def name='f(y)'>[${y}]</%def>${f(3)}").render(name="<b>", xs="ab"))
lookup = TemplateLookup()
lookup.put_string("base", "A${self.body()}Z <%block name='b'>base</%block>")
lookup.put_string("page", "<%inherit file='base'/>inner<%block name='b'>page</%block>")
print(lookup.get_template("page").render())
try:
    Template("${1/0}").render()
except ZeroDivisionError as e:
    print(e)
