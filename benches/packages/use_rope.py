# pip install rope
import os
import tempfile

from rope.base.project import Project
from rope.refactor.extract import ExtractMethod
from rope.refactor.rename import Rename

with tempfile.TemporaryDirectory() as folder:
    project = Project(folder, ropefolder=None)
    module = project.root.create_file("mod.py")
    module.write("def old(a):\n    b = a + 1\n    return b * 2\n\nprint(old(3))\n")
    project.do(Rename(project, module, 5).get_changes("new"))
    print(module.read())
    start = module.read().index("a + 1")
    project.do(ExtractMethod(project, module, start, start + 5).get_changes("inc"))
    print(module.read())
    project.close()
