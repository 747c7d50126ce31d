# pip install charset-normalizer
from charset_normalizer import from_bytes

for text, encoding in (("Всички хора се раждат свободни и равни по достойнство и права.", "cp1251"), ("hello there", "ascii"), ("naïve café déjà vu été", "utf-8")):
    best = from_bytes(text.encode(encoding)).best()
    print(best.encoding, str(best), best.language)
