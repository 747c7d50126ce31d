# pip install cmd2
import io

import cmd2
from cmd2 import Cmd2ArgumentParser, with_argparser

parser = Cmd2ArgumentParser()
parser.add_argument("-n", type=int, default=1)
parser.add_argument("words", nargs="+")


class App(cmd2.Cmd):
    @with_argparser(parser)
    def do_say(self, args):
        self.poutput(" ".join(args.words) * args.n)


app = App(stdout=io.StringIO())
app.onecmd_plus_hooks("say -n 2 hello you")
print(app.stdout.getvalue())
