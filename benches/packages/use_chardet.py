# pip install chardet
import chardet
from chardet.universaldetector import UniversalDetector

for text, encoding in (("Ω αβγ κάτι ελληνικά εδώ και εκεί", "iso8859-7"), ("plain", "ascii"), ("Привет как дела сегодня", "utf-8"), ("Привет как дела сегодня друзья", "koi8-r")):
    print(chardet.detect(text.encode(encoding)))
