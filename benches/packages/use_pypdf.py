# pip install pypdf
import io

from pypdf import PdfReader, PdfWriter, Transformation
from pypdf.annotations import FreeText

writer = PdfWriter()
for size in ((200, 100), (300, 400)):
    writer.add_blank_page(*size)
writer.pages[1].add_transformation(Transformation().rotate(90))
writer.pages[0].rotate(90)
writer.add_metadata({"/Title": "Demo é", "/Author": "me"})
writer.add_outline_item("second", 1)
writer.add_annotation(0, FreeText(text="hi", rect=(10, 10, 60, 30)))
writer.encrypt("pw", algorithm="RC4-128")
buffer = io.BytesIO()
writer.write(buffer)
reader = PdfReader(io.BytesIO(buffer.getvalue()), password="pw")
print(len(reader.pages), reader.metadata.title, reader.pages[0].mediabox, reader.pages[0].rotation)
print([o.title for o in reader.outline], reader.pages[0]["/Annots"][0].get_object()["/Contents"])
