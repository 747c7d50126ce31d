# pip install pyasn1
from pyasn1.codec.der import decoder, encoder
from pyasn1.codec.native.encoder import encode as native
from pyasn1.type import namedtype, tag, univ


class Record(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("id", univ.Integer()),
        namedtype.OptionalNamedType("room", univ.Integer().subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 0))),
        namedtype.DefaultedNamedType("house", univ.Integer(7)),
    )


record = Record()
record["id"] = 123
record["room"] = 321
data = encoder.encode(record)
print(data.hex())
back, rest = decoder.decode(data, asn1Spec=Record())
print(back.prettyPrint(), native(back), rest)
print(encoder.encode(univ.ObjectIdentifier("1.3.6.1")).hex())
