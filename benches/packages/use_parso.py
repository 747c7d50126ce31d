# pip install parso
import parso

tree = parso.parse("def f(a, *, b=1):\n    return a +\n")
print(tree.children[0].name.value, [type(c).__name__ for c in tree.children])
grammar = parso.load_grammar()
print([(e.message, e.start_pos) for e in grammar.iter_errors(tree)])
print(parso.parse("x = 1  # c\n").get_code(), tree.get_leaf_for_position((1, 4)))
