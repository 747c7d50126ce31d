# pip install prompt_toolkit
from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import HTML, to_formatted_text
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

with create_pipe_input() as pipe:
    pipe.send_text("hello\x01X\n")
    session = PromptSession(input=pipe, output=DummyOutput())
    print(session.prompt("> "))
completer = WordCompleter(["alpha", "beta", "alps"])
print([c.text for c in completer.get_completions(Document("al"), None)])
buffer = Buffer()
buffer.insert_text("a b c")
buffer.delete_before_cursor(2)
print(buffer.text, Document("one two", 4).get_word_under_cursor(), to_formatted_text(HTML("<b>x</b>")))
