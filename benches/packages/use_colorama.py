# pip install colorama
import io

from colorama import Back, Fore, Style
from colorama.ansitowin32 import AnsiToWin32

out = io.StringIO()
AnsiToWin32(out, strip=True).write(Fore.RED + "red" + Back.GREEN + "on green" + Style.RESET_ALL)
print(out.getvalue(), repr(Fore.RED), repr(Style.BRIGHT))
