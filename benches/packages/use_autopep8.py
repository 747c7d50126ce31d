# pip install autopep8
import autopep8

print(autopep8.fix_code("import os,sys\ndef f( a ):\n  if a==None :\n    return  {'x':1 , 'y':2}\nx=lambda :1\n", options={"aggressive": 1}))
