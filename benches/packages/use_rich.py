# pip install rich
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import track
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

console = Console(width=60, force_terminal=True, color_system="truecolor", legacy_windows=False)
table = Table(title="Films")
table.add_column("Year", style="cyan", justify="right")
table.add_column("Title")
table.add_row("1979", "Alien")
table.add_row("1982", "[bold]Blade Runner[/bold] :robot:")
console.print(table)
console.print(Panel("a [red]b[/] c", title="t"))
console.print(Markdown("# Head\n\n* one\n* two `code`\n\n> quote"))
console.print(Syntax("def f(x: int) -> str:\n    return f'{x}'", "python"))
tree = Tree("root")
tree.add("a").add("b")
console.print(tree)
console.print({"k": [1, 2.5, None, True, "s"]}, list(range(40)))
print(sum(track(range(3), console=Console(file=open("/dev/null", "w")))))
try:
    1 / 0
except ZeroDivisionError:
    Console(width=60, file=open("/dev/null", "w")).print_exception(show_locals=True)
