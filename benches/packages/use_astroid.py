# pip install astroid
import astroid

node = astroid.extract_node("def f(x):\n    return [x, 1 + 2, 'a' * 3]\nf(5)")
print(next(node.infer()).as_string())
module = astroid.parse("import os\nclass A(dict):\n    y = os.sep\n    def m(self): return self.y\n")
print([b.name for b in module["A"].ancestors()], next(module["A"]["m"].infer_call_result(None)))
print(module.repr_tree()[:200])
