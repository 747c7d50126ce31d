# pip install xmltodict
import xmltodict

doc = xmltodict.parse('<a x="1"><b>t</b><b>u</b><c/><d y="2">v</d><!-- n --></a>')
print(doc)
print(xmltodict.unparse({"r": {"i": ["1", "2"], "@k": "v", "#text": "é"}}, pretty=True))
xmltodict.parse("<r><i>1</i><i>2</i></r>", item_depth=2, item_callback=lambda path, item: print(path, item) or True)
