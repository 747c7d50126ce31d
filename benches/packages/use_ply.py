# pip install ply
import ply.lex as lex
import ply.yacc as yacc

tokens = ("NUM", "PLUS", "TIMES")
t_PLUS = r"\+"
t_TIMES = r"\*"
t_ignore = " "
precedence = (("left", "PLUS"), ("left", "TIMES"))


def t_NUM(t):
    r"\d+"
    t.value = int(t.value)
    return t


def t_error(t):
    print("bad", t.value[0])
    t.lexer.skip(1)


def p_binary(p):
    """expr : expr PLUS expr
            | expr TIMES expr"""
    p[0] = p[1] + p[3] if p[2] == "+" else p[1] * p[3]


def p_num(p):
    "expr : NUM"
    p[0] = p[1]


def p_error(p):
    print("syntax", p)


lexer = lex.lex()
parser = yacc.yacc(debug=False, write_tables=False)
print(parser.parse("2 + 3 * ? 4"), parser.parse("2 +"))
