# pip install pycparser
from pycparser import c_ast, c_generator, c_parser

SOURCE = """
typedef struct node { int value; struct node *next; } node;
static int sum(const node *n) {
    int total = 0;
    for (; n; n = n->next)
        total += n->value * 2;
    return total;
}
"""
tree = c_parser.CParser().parse(SOURCE, "x.c")


class Names(c_ast.NodeVisitor):
    def visit_FuncDef(self, node):
        print(node.decl.name, node.decl.coord)
        self.generic_visit(node)

    def visit_For(self, node):
        print("loop at", node.coord)


Names().visit(tree)
print(c_generator.CGenerator().visit(tree))
tree.ext[1].decl.show()
