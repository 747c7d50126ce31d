# pip install black
import black

SOURCE = "def  f( a,b ):\n  return {'x':a,'y':b , 'long_key_number_one': [1,2,3], 'long_key_number_two': (4,5,6)}\nx = lambda: not(1)\n"
print(black.format_str(SOURCE, mode=black.Mode()))
print(black.format_str("match x:\n  case [1,*_] if y: pass\n", mode=black.Mode(target_versions={black.TargetVersion.PY310})))
try:
    black.format_str("def f(:", mode=black.Mode())
except black.InvalidInput as e:
    print(e)
