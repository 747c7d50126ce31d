def first():
    return {}['missing']


def second():
    try:
        first()
    except KeyError as e:
        raise ValueError('bad value') from e


def third():
    try:
        second()
    except ValueError:
        undefined_thing


third()
