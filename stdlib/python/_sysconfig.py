"""What `sysconfig` asks the program for instead of a file."""


def config_vars():
    """Return a dictionary with the variables that tell how the program was built."""
    return {"Py_GIL_DISABLED": 0, "Py_DEBUG": 0}
