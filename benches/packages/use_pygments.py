# pip install pygments
from pygments import highlight
from pygments.formatters import HtmlFormatter, LatexFormatter, TerminalFormatter
from pygments.lexers import get_lexer_by_name, guess_lexer

CODE = "class A:\n    '''doc'''\n    def f(self, x: int = 0xFF) -> str:\n        return f'{x!r:>{10}} é'  # note\n"
print(highlight(CODE, get_lexer_by_name("python"), HtmlFormatter(linenos=True)))
print(highlight("int main(void) { return 0; }", get_lexer_by_name("c"), TerminalFormatter()))
print(highlight('{"a": [1, true]}', get_lexer_by_name("json"), LatexFormatter()))
print(guess_lexer("#!/usr/bin/perl\nprint 1;").name)
for name in ("rust", "javascript", "sql", "yaml", "bash", "html", "css"):
    print(name, len(list(get_lexer_by_name(name).get_tokens("a = 'b' // <c> { d: 1 }"))))
