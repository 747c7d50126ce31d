# pip install python-slugify
from slugify import slugify

print(slugify("This is a -- test ---"), slugify("影師嗎"), slugify("C'est déjà l'été."), slugify("ÜBER Über", replacements=[["Ü", "UE"]]))
print(slugify("jaja---lol-méméméoo--a", max_length=15, word_boundary=True), slugify("a_b", separator="_", lowercase=False))
