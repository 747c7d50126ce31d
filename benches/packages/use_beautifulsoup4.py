# pip install beautifulsoup4
from bs4 import BeautifulSoup

HTML = "<html><head><title>T</title></head><body><p class='a b' id=x>One <b>two</b></p><p>Three &amp; <a href='/l'>link</a><br></body></html>"
soup = BeautifulSoup(HTML, "html.parser")
print(soup.title.string, soup.p["class"], soup.find("a")["href"], [p.get_text() for p in soup.find_all("p")])
print(soup.select("p.a > b"), soup.select_one("p:nth-of-type(2) a"))
soup.b.replace_with("TWO")
soup.p.append(soup.new_tag("i", attrs={"class": "n"}))
print(soup.prettify())
