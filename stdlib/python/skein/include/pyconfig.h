/* What the C compiler has to be told of the interpreter: nothing. */
#ifndef SKEIN_PYCONFIG_H
#define SKEIN_PYCONFIG_H

#define HAVE_WCHAR_H 1

#endif
