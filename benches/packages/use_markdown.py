# pip install markdown
import markdown

TEXT = "# Title\n\nA *b* **c** `d` [link](http://x.org \"t\").\n\n1. one\n2. two\n    - sub\n\n> quote\n\n```python\nprint(1)\n```\n\na | b\n--|--\n1 | 2\n\nTerm\n:   Meaning[^1]\n\n[^1]: Note."
print(markdown.markdown(TEXT, extensions=["extra", "toc", "sane_lists"]))
md = markdown.Markdown(extensions=["meta"])
print(md.convert("title: x\n\n*y*"), md.Meta)
