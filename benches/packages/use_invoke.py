# pip install invoke
from invoke import Collection, Context, MockContext, Program, Result, task


@task(help={"name": "Who"})
def hi(c, name="x", loud=False):
    """Says hi."""
    print("hi", name, loud)


@task(pre=[hi])
def all(c):
    print(c.run("echo run", hide=True).stdout.strip())


program = Program(namespace=Collection(hi, all), name="demo", version="1")
for args in ("hi --name bob -l", "all", "--list"):
    program.run("demo " + args, exit=False)
