# pip install tabulate
from tabulate import tabulate

rows = [["Sun", 696000, 1989100000.5], ["Earth", 6371, 5973.6], ["Mönd", 1737, None]]
for style in ("plain", "grid", "github", "html", "latex", "rounded_outline"):
    print(tabulate(rows, headers=["Planet", "R (km)", "mass"], tablefmt=style, floatfmt=".1f"))
print(tabulate([{"a": 1, "b": 2}], headers="keys", showindex=True))
