# pip install mistune
import mistune

print(mistune.html("# A\n\n- b\n- [x](y)\n\n```py\nc\n```\n\n|a|b|\n|-|-|\n|1|2|\n"))
print(mistune.create_markdown(renderer=None)("a *b* `c`"))
