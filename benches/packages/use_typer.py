# pip install typer<0.24
from typing import Annotated, Optional

import typer
from typer.testing import CliRunner

app = typer.Typer(rich_markup_mode=None)


@app.command()
def hello(name: str, times: Annotated[int, typer.Option(min=1)] = 1, formal: bool = False):
    """Say hello to NAME."""
    for _ in range(times):
        typer.echo(f"{'Good day' if formal else 'Hello'} {name}")


@app.command()
def bye(name: Optional[str] = None):
    typer.echo(f"bye {name}")
    raise typer.Exit(3)


runner = CliRunner()
for args in (["hello", "Ann", "--times", "2", "--formal"], ["bye", "--name", "x"], ["hello", "--help"], ["hello"]):
    result = runner.invoke(app, args)
    print(result.exit_code, result.output)
