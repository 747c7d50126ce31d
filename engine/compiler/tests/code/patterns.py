def shape(p):
    match p:
        case 0 | None:
            return "nothing"
        case [x, y]:
            return x + y
        case {"kind": kind, **rest} if kind:
            return kind, rest
        case Point(x=0, y=1 as one):
            return one
        case [first, *_, last]:
            return first, last
        case str():
            return f"{p!r:>{width}} {p=}"
    a, (b, *c) = p
    return t"{a}{b:x}", c
