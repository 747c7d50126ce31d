# pip install bleach
import bleach

print(bleach.clean("an <script>evil()</script> <b onclick=x>ex</b>ample <a href='javascript:a'>l</a>"))
print(bleach.linkify("see http://example.com or me@x.org", parse_email=True))
print(bleach.clean("<i>a</i><u>b</u>", tags={"i"}, strip=True))
