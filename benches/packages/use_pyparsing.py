# pip install pyparsing
import pyparsing as pp

integer = pp.Word(pp.nums).set_parse_action(lambda t: int(t[0]))
operand = integer | pp.Word(pp.alphas)
ops = {"+": lambda a, b: a + b, "*": lambda a, b: a * b}


def fold(tokens):
    value, *rest = tokens[0]
    for op, right in zip(rest[::2], rest[1::2]):
        value = ops[op](value, right)
    return value


expr = pp.infix_notation(operand, [("*", 2, pp.opAssoc.LEFT, fold), ("+", 2, pp.opAssoc.LEFT, fold)])
print(expr.parse_string("2+3*(4+1)*2"))
assignment = pp.Word(pp.alphas)("name") + "=" + pp.DelimitedList(integer)("values")
result = assignment.parse_string("xs = 1, 2, 3")
print(result.as_dict(), result.dump())
try:
    assignment.parse_string("xs = ?")
except pp.ParseException as e:
    print(e, e.column)
print(list(pp.Word(pp.hexnums, exact=2).scan_string("zz aF 09")))
