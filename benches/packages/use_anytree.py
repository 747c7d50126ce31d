# pip install anytree
from anytree import Node, PreOrderIter, RenderTree, Resolver, findall, search
from anytree.exporter import DictExporter, JsonExporter

root = Node("root")
a, b = Node("a", parent=root, v=1), Node("b", parent=root)
c = Node("c", parent=a)
print(RenderTree(root).by_attr(), [n.name for n in PreOrderIter(root)], c.path, c.depth)
print(DictExporter().export(root), Resolver("name").get(root, "a/c"), findall(root, lambda n: n.is_leaf))
try:
    root.parent = c
except Exception as e:
    print(type(e).__name__)
