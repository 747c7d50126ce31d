# pip install click
import click
from click.testing import CliRunner


@click.group()
@click.option("--verbose/--quiet", default=False, help="Say more.")
@click.pass_context
def cli(ctx, verbose):
    """A tool."""
    ctx.obj = verbose


@cli.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--count", "-c", type=click.IntRange(1, 3), default=1, show_default=True)
@click.option("--how", type=click.Choice(["loud", "soft"]))
@click.pass_obj
def hello(verbose, names, count, how):
    """Greet NAMES."""
    for name in names * count:
        click.secho(f"hello {name} {how} {verbose}", fg="green")


runner = CliRunner()
for args in (["--help"], ["hello", "--help"], ["--verbose", "hello", "a", "b", "-c", "2"], ["hello"], ["hello", "x", "-c", "9"], ["hello", "x", "--how", "no"]):
    result = runner.invoke(cli, args)
    print(result.exit_code, result.output)
