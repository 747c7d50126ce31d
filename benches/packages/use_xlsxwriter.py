# pip install xlsxwriter
import io
import zipfile

import xlsxwriter

buffer = io.BytesIO()
book = xlsxwriter.Workbook(buffer, {"in_memory": True})
sheet = book.add_worksheet("S")
bold = book.add_format({"bold": True, "num_format": "0.00"})
sheet.write_row(0, 0, ["a", 1, 2.5, True])
sheet.write("A2", "=SUM(B1:C1)", bold)
sheet.write_url("A3", "https://example.org", string="link")
chart = book.add_chart({"type": "line"})
chart.add_series({"values": "=S!$B$1:$C$1"})
sheet.insert_chart("E1", chart)
book.close()
with zipfile.ZipFile(buffer) as z:
    print(sorted(z.namelist()))
    print(z.read("xl/worksheets/sheet1.xml").decode())
