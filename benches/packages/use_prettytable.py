# pip install prettytable
from prettytable import PrettyTable, from_csv
import io

table = PrettyTable(["City", "Area", "Rain"])
table.add_rows([["Adelaide", 1295, 600.5], ["Brisbane", 5905, 1146.4], ["Mönchen", 1, 2]])
table.align["City"] = "l"
table.sortby = "Area"
print(table)
print(table.get_html_string(), table.get_json_string())
print(from_csv(io.StringIO("a,b\n1,2\n")))
