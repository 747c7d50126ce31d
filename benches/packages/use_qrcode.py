# pip install qrcode
import io

import qrcode

code = qrcode.QRCode(border=1)
code.add_data("https://example.org/é")
code.make()
out = io.StringIO()
code.print_ascii(out=out)
print(out.getvalue(), code.version)
