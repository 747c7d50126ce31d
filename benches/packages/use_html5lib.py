# pip install html5lib
import html5lib
from html5lib import serializer, treewalkers

tree = html5lib.parse("<p>One<p>Two <b>x<i>y</b>z</i><table><td>c", namespaceHTMLElements=False)
print([e.tag for e in tree.iter()])
walker = treewalkers.getTreeWalker("etree")
print("".join(serializer.HTMLSerializer(omit_optional_tags=False).serialize(walker(tree))))
parser = html5lib.HTMLParser(strict=False)
parser.parse("<p>&bogus;</q>")
print([e[1] for e in parser.errors])
