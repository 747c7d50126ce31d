def guarded(path):
    try:
        with open(path) as f:
            return f.read()
    except (OSError, ValueError) as e:
        print(e)
        raise RuntimeError from e
    else:
        pass
    finally:
        done(path)


def group():
    try:
        work()
    except* ValueError as e:
        print(e)
