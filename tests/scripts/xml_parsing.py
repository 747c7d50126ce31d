# pyexpat and what is built on it: ElementTree, minidom, sax, plistlib.
import io
import plistlib
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax
from xml.parsers import expat


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


def events(document, size=None, **options):
    """What a parser tells of a document, fed in pieces of that size."""
    out = []
    p = expat.ParserCreate(**options)
    p.buffer_text = True
    p.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
    for name in (
        "StartElement", "EndElement", "CharacterData", "ProcessingInstruction", "Comment", "StartCdataSection",
        "EndCdataSection", "StartNamespaceDecl", "EndNamespaceDecl", "StartDoctypeDecl", "EndDoctypeDecl", "EntityDecl",
        "NotationDecl", "UnparsedEntityDecl", "ElementDecl", "AttlistDecl", "XmlDecl", "SkippedEntity",
    ):
        setattr(p, name + "Handler", lambda *args, name=name: out.append((name, *args)))
    data = document if isinstance(document, bytes) else document.encode()
    if size is None:
        p.Parse(data, True)
    else:
        for i in range(0, len(data), size):
            p.Parse(data[i : i + size], False)
        p.Parse(b"", True)
    # The end of a piece ends a piece of text.
    merged = []
    for e in out:
        if e[0] == "CharacterData" and merged and merged[-1][0] == "CharacterData":
            e = ("CharacterData", merged.pop()[1] + e[1])
        merged.append(e)
    return merged


document = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!-- before -->
<!DOCTYPE root [
<!ELEMENT root (a?, (b | c)*, d+)>
<!ELEMENT a EMPTY>
<!ELEMENT b (#PCDATA | a)*>
<!ATTLIST a kind (x|y) "x" id ID #REQUIRED note CDATA #IMPLIED>
<!ENTITY e "text &#65; <b>in</b>">
<!ENTITY % p "<!ENTITY f 'from p'>">
%p;
<!NOTATION n SYSTEM "viewer">
<!ENTITY pic SYSTEM "pic.gif" NDATA n>
<!ENTITY ext PUBLIC "-//x//y" "ext.xml">
]>
<?target some data?>
<root>
 <a id=" 1  2 " note="a&lt;b&#10;c
d"/>
 &e;&f;<![CDATA[<raw> & ]] data]]>é中\U0001f600
</root>
<!-- after -->
"""
whole = events(document)
for size in (1, 2, 3, 7, 100):
    assert events(document, size) == whole, size
assert whole[0] == ("XmlDecl", "1.0", "utf-8", 0)
assert ("StartElement", "a", {"id": "1 2", "note": "a<b\nc d", "kind": "x"}) in whole
assert ("ElementDecl", "root", (6, 0, None, (
    (4, 1, "a", ()), (5, 2, None, ((4, 0, "b", ()), (4, 0, "c", ()))), (4, 3, "d", ())))) in whole
assert ("ElementDecl", "b", (3, 2, None, ((4, 0, "a", ()),))) in whole and ("ElementDecl", "a", (1, 0, None, ())) in whole
assert ("AttlistDecl", "a", "kind", "(x|y)", "x", 0) in whole and ("AttlistDecl", "a", "id", "ID", None, 1) in whole
assert ("EntityDecl", "f", 0, "from p", None, None, None, None) in whole
assert ("EntityDecl", "ext", 0, None, None, "ext.xml", "-//x//y", None) in whole
assert ("UnparsedEntityDecl", "pic", None, "pic.gif", None, "n") in whole
assert ("NotationDecl", "n", None, "viewer", None) in whole
assert "".join(e[1] for e in whole if e[0] == "CharacterData") == (
    "\n \n text A infrom p<raw> & ]] dataé中\U0001f600\n"
)
for encoding in ("utf-16", "iso-8859-1", "cp1251", "koi8-r"):
    sign = "ж" if encoding in ("cp1251", "koi8-r", "utf-16") else "ß"
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>{sign}</a>'.encode(encoding)
    assert ("CharacterData", sign) in events(text) and ("CharacterData", sign) in events(text, 3), encoding

spaces = events('<x:a xmlns:x="urn:1" xmlns="urn:2" x:b="1" c="2"><d xmlns=""/></x:a>', namespace_separator=" ")
assert spaces == [
    ("StartNamespaceDecl", "x", "urn:1"), ("StartNamespaceDecl", None, "urn:2"),
    ("StartElement", "urn:1 a", {"urn:1 b": "1", "c": "2"}),
    ("StartNamespaceDecl", None, None), ("StartElement", "d", {}), ("EndElement", "d"), ("EndNamespaceDecl", None),
    ("EndElement", "urn:1 a"), ("EndNamespaceDecl", None), ("EndNamespaceDecl", "x"),
]

for text, error in [
    ("", "no element found: line 1, column 0"),
    ("<a>", "no element found: line 1, column 3"),
    ("<a", "unclosed token: line 1, column 0"),
    ("abc", "syntax error: line 1, column 0"),
    ("<a><b></a>", "mismatched tag: line 1, column 8"),
    ("<a/>x", "junk after document element: line 1, column 4"),
    ("<a/><b/>", "junk after document element: line 1, column 4"),
    ("<a b='1' b='2'/>", "duplicate attribute: line 1, column 9"),
    ("<a b=1/>", "not well-formed (invalid token): line 1, column 5"),
    ("<a b='<'/>", "not well-formed (invalid token): line 1, column 6"),
    ("<a>\n\x01</a>", "not well-formed (invalid token): line 2, column 0"),
    ("<a>]]></a>", "not well-formed (invalid token): line 1, column 5"),
    ("<a>&nope;</a>", "undefined entity: line 1, column 3"),
    ("<a>&#0;</a>", "reference to invalid character number: line 1, column 3"),
    ("<a><!-- -- --></a>", "not well-formed (invalid token): line 1, column 10"),
    ("<a><![CDATA[x</a>", "unclosed CDATA section: line 1, column 17"),
    (" <?xml version='1.0'?><a/>", "XML or text declaration not at start of entity: line 1, column 1"),
    ("<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>", "recursive entity reference: line 1, column 35"),
    ("<!DOCTYPE a [<!ENTITY e '<b>'>]><a>&e;</a>", None),
    ("<a>\n  <b>\n</a>", "mismatched tag: line 3, column 2"),
]:
    e = raises(expat.ExpatError, error, expat.ParserCreate().Parse, text, True)
    assert expat.errors.messages[e.code] in str(e) and (e.lineno, e.offset) >= (1, 0)
raises(expat.ExpatError, "unbound prefix: line 1, column 0", expat.ParserCreate(namespace_separator=" ").Parse, "<x:a/>", True)
assert expat.ErrorString(expat.errors.codes[expat.errors.XML_ERROR_SYNTAX]) == "syntax error"
bomb = "<!DOCTYPE a [<!ENTITY a0 'xxxxxxxxxx'>" + "".join(
    f"<!ENTITY a{i} '" + f"&a{i - 1};" * 10 + "'>" for i in range(1, 10)) + "]><a>&a9;</a>"
e = raises(expat.ExpatError, None, expat.ParserCreate().Parse, bomb, True)
assert e.code == 43

# Handlers that fail, external entities, defaults, positions.
p = expat.ParserCreate()
p.StartElementHandler = lambda name, attributes: 1 / 0
raises(ZeroDivisionError, None, p.Parse, "<a/>", True)
p = expat.ParserCreate()
seen = []


def external(context, base, system, public):
    child = p.ExternalEntityParserCreate(context)
    child.CharacterDataHandler = seen.append
    seen.append((context, base, system, public))
    return child.Parse(b"<?xml encoding='utf-8'?>inner", True)


p.ExternalEntityRefHandler = external
p.SetBase("base")
p.Parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'file'>]><a>&e;</a>", True)
assert seen == [("e", "base", "file", None), "inner"] and p.GetBase() == "base"
p = expat.ParserCreate()
out = []
p.DefaultHandlerExpand = out.append
p.Parse("<a b='1'>x&amp;<!--c--></a>", True)
assert "".join(out) == "<a b='1'>x&amp;<!--c--></a>"
p = expat.ParserCreate()
p.ordered_attributes = True
p.StartElementHandler = lambda name, attributes: out.append((name, attributes, p.CurrentLineNumber, p.CurrentColumnNumber, p.CurrentByteIndex))
p.Parse("<a>\n é<b z='1' y='2'/></a>", True)
assert out[-1] == ("b", ["z", "1", "y", "2"], 2, 2, 7)

# The library on it.
tree = ET.fromstring("<r xmlns='urn:x'><a k='v'>t</a>tail<b/></r>")
assert [c.tag for c in tree] == ["{urn:x}a", "{urn:x}b"] and tree[0].tail == "tail" and tree[0].attrib == {"k": "v"}
assert ET.tostring(ET.fromstring("<a><b c='&lt;'>é</b></a>")) == b'<a><b c="&lt;">&#233;</b></a>'
assert [e.tag for _, e in ET.iterparse(io.BytesIO(b"<a><b/><c/></a>"))] == ["b", "c", "a"]
dom = xml.dom.minidom.parseString("<a><!--c--><b x='1'>t</b></a>")
assert dom.documentElement.getElementsByTagName("b")[0].getAttribute("x") == "1"
assert dom.toxml() == '<?xml version="1.0" ?><a><!--c--><b x="1">t</b></a>'


class Content(xml.sax.ContentHandler):
    def __init__(self):
        self.names = []

    def startElement(self, name, attributes):
        self.names.append((name, dict(attributes)))


content = Content()
xml.sax.parseString(b"<a><b c='1'/></a>", content)
assert content.names == [("a", {}), ("b", {"c": "1"})]
value = {"a": [1, 2.5, True, "é", b"bytes"], "b": {}}
assert plistlib.loads(plistlib.dumps(value)) == value
print("ok")
