# Python 3.14
# The interactive prompt, through a pseudo-terminal: the plain one, and the library's own line editor.

import os
import pty
import select
import signal
import sys
import tempfile


class Terminal:
    def __init__(self, *args, **environment):
        # Startup files and settings of whoever runs this do not matter.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        kept.update(TERM="xterm", NO_COLOR="1", PYTHON_HISTORY=os.devnull)
        kept.update(environment)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execve(sys.executable, [sys.executable, "-q", *args], kept)
            finally:
                os._exit(126)
        self.seen = ""

    def more(self):
        ready, _, _ = select.select([self.fd], [], [], 60)
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"nothing more came: {self.seen!r}")
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            # Linux: the other side is closed.
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)

    def expect(self, text):
        "What came until the text did."
        while text not in self.seen:
            assert self.more(), (text, self.seen)
        before, _, self.seen = self.seen.partition(text)
        return before

    def send(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        while self.more():
            pass
        os.close(self.fd)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def ask(terminal, line, prompt=">>> "):
    terminal.send(line + "\n")
    terminal.expect(line + "\r\n")
    return terminal.expect(prompt)


# The plain prompt.
t = Terminal(PYTHON_BASIC_REPL="1")
t.expect(">>> ")
assert ask(t, "6 * 7") == "42\r\n"
assert ask(t, "_ + 1") == "43\r\n"
assert ask(t, "None") == ""
assert ask(t, "def f(n):", "... ") == ""
assert ask(t, "    return n / 0", "... ") == ""
assert ask(t, "") == ""
trace = ask(t, "f(1)")
assert trace.startswith("Traceback (most recent call last):\r\n"), trace
assert "    return n / 0\r\n" in trace, trace
assert trace.endswith("ZeroDivisionError: division by zero\r\n"), trace
assert "SyntaxError: invalid syntax" in ask(t, "1 +* 2")
assert "SyntaxError" in ask(t, "x = = 1")
# The session goes on, with what it had.
assert ask(t, "import sys; sys.ps1 = 'now: '", "now: ") == ""
assert ask(t, "f.__name__, __name__", "now: ") == "('f', '__main__')\r\n"
t.send("sys.exit(3)\n")
assert t.end() == 3

# What runs before the prompt leaves its names.
with tempfile.NamedTemporaryFile("w", suffix=".py") as startup:
    startup.write("answer = 42\n")
    startup.flush()
    t = Terminal(PYTHON_BASIC_REPL="1", PYTHONSTARTUP=startup.name)
    t.expect(">>> ")
    assert ask(t, "answer") == "42\r\n"
    t.send("\x04")
    # The end of input ends the program.
    assert t.end() == 0

t = Terminal("-i", "-c", "left = 5; 1 / 0", PYTHON_BASIC_REPL="1")
assert "ZeroDivisionError" in t.expect(">>> ")
assert ask(t, "left") == "5\r\n"
t.send("\x04")
t.end()

# The editor draws each key's effect; what counts is what it runs.
t = Terminal()
t.expect(">>> ")
for line in ("value = 40", "print('got', value + 2)"):
    t.send(line + "\r")
t.expect("got 42")
t.expect(">>> ")
t.send("val\t + 5\r")
t.expect("45\r\n")
t.expect(">>> ")
t.send("exit(4)\r")
assert t.end() == 4
