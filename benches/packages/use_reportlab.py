# pip install reportlab --no-deps charset-normalizer
import io

from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

buffer = io.BytesIO()
page = canvas.Canvas(buffer, pagesize=(200, 200), invariant=1, pageCompression=0)
page.drawString(20, 100, "Hello (world)")
page.setFillColor(colors.red)
page.rect(10, 10, 50, 20, fill=1)
page.showPage()
page.save()
print(len(buffer.getvalue()), buffer.getvalue()[:8])
story = [Paragraph("A <b>bold</b> word", getSampleStyleSheet()["Normal"]), Table([[1, 2], ["a", "b"]])]
out = io.BytesIO()
SimpleDocTemplate(out, invariant=1, pageCompression=0).build(story)
print(len(out.getvalue()), out.getvalue()[-6:])
