/* What modules that cffi generates need of this interpreter, which has no C interface.

   Such a module hands over a table of what is in it (`_cffi_pypyinit_NAME`) where PYPY_VERSION is defined, and needs no function of
   the interpreter's. Other extensions in C find nothing here that they could use. */
#ifndef SKEIN_PYTHON_H
#define SKEIN_PYTHON_H

#include "pyconfig.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <wchar.h>

#define PYPY_VERSION "skein"
#define PY_MAJOR_VERSION 3
#define PY_MINOR_VERSION 14
#define PY_VERSION_HEX 0x030E00F0

typedef ssize_t Py_ssize_t;
typedef struct _object PyObject;

#ifdef __cplusplus
#define PyMODINIT_FUNC extern "C" __attribute__((visibility("default"))) PyObject *
#else
#define PyMODINIT_FUNC __attribute__((visibility("default"))) PyObject *
#endif

#endif
