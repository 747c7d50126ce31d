# pip install openpyxl
import io

from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font

book = Workbook()
sheet = book.active
sheet.title = "Data"
for row in (("name", "n"), ("a", 1), ("b", 2.5), ("c", None)):
    sheet.append(row)
sheet["A1"].font = Font(bold=True)
sheet["B5"] = "=SUM(B2:B4)"
sheet.merge_cells("C1:D2")
chart = BarChart()
chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=4), titles_from_data=True)
sheet.add_chart(chart, "E1")
buffer = io.BytesIO()
book.save(buffer)
back = load_workbook(io.BytesIO(buffer.getvalue()))
print(back.sheetnames, [[c.value for c in row] for row in back["Data"].iter_rows(max_col=2)])
print(back["Data"]["A1"].font.b, back["Data"].merged_cells.ranges, back["Data"].dimensions)
