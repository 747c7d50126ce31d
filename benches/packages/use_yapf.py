# pip install yapf
from yapf.yapflib.yapf_api import FormatCode

code, changed = FormatCode("x = {  'a':37,'b':42,\n'c':927}\ny = 'hello ''world'\nclass foo  (     object  ):\n  def f    (self   ):\n    return       37*-+2\n", style_config="pep8")
print(code, changed)
