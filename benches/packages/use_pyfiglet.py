# pip install pyfiglet
from pyfiglet import Figlet

for font in ("standard", "slant", "small"):
    print(Figlet(font=font).renderText("Skein"))
