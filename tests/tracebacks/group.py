def fail(kind, *args):
    raise kind(*args)


def collect():
    errors = []
    for kind, text in [(ValueError, 'one'), (TypeError, 'two')]:
        try:
            fail(kind, text)
        except Exception as e:
            errors.append(e)
    return errors


raise ExceptionGroup('several', [*collect(), ExceptionGroup('inner', [OSError(2, 'gone')])])
