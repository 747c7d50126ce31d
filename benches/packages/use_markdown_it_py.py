# pip install markdown-it-py
from markdown_it import MarkdownIt

md = MarkdownIt("commonmark").enable("table").enable("strikethrough")
print(md.render("# A\n\n~~b~~ *c* **d** <x@y.z>\n\n|a|b|\n|-|:-:|\n|1|2|\n\n1. x\n   > q\n"))
print([t.type for t in md.parse("a\n\n- b")])
