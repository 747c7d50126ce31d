# pip install isort
import isort

print(isort.code("import sys, os\nfrom b import z, a\nimport requests\nfrom . import x\nfrom a import (b)\nimport os\n"))
print(isort.check_code("import os\nimport sys\n"), isort.place_module("json"), isort.place_module("requests"))
