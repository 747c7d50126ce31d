eg = ExceptionGroup('msg', [ValueError(1), TypeError(2), ExceptionGroup('in', [ValueError(3), KeyError(4)])])
assert eg.message == 'msg' and len(eg.exceptions) == 3 and str(eg) == 'msg (3 sub-exceptions)'
match, rest = eg.split(ValueError)
assert [repr(e) for e in match.exceptions] == ['ValueError(1)', "ExceptionGroup('in', [ValueError(3)])"]
assert [repr(e) for e in rest.exceptions] == ['TypeError(2)', "ExceptionGroup('in', [KeyError(4)])"]
assert eg.subgroup(OSError) is None
assert eg.subgroup(lambda e: isinstance(e, TypeError)).exceptions[0].args == (2,)
assert eg.split(ExceptionGroup) == (eg, None)
assert type(BaseExceptionGroup('m', [ValueError()])) is ExceptionGroup
assert type(BaseExceptionGroup('m', [KeyboardInterrupt()])) is BaseExceptionGroup
for args, kind, text in [
    (('m', []), ValueError, 'second argument (exceptions) must be a non-empty sequence'),
    (('m', [1]), ValueError, 'Item 0 of second argument (exceptions) is not an exception'),
    (('m', [KeyboardInterrupt()]), TypeError, 'Cannot nest BaseExceptions in an ExceptionGroup'),
    ((1, [ValueError()]), TypeError, 'BaseExceptionGroup.__new__() argument 1 must be str, not int'),
]:
    try:
        ExceptionGroup(*args)
    except kind as e:
        assert str(e) == text, e
    else:
        assert False, args

log = []
try:
    try:
        raise eg
    except* ValueError as e:
        log.append(('V', len(e.exceptions)))
    except* TypeError as e:
        log.append(('T', len(e.exceptions)))
except ExceptionGroup as left:
    log.append(repr(left.exceptions))
assert log == [('V', 2), ('T', 1), "(ExceptionGroup('in', [KeyError(4)]),)"], log

try:
    raise ValueError('plain')
except* ValueError as e:
    assert isinstance(e, ExceptionGroup) and e.message == '' and e.exceptions[0].args == ('plain',)

try:
    try:
        raise ExceptionGroup('a', [ValueError(1), TypeError(2)])
    except* ValueError:
        raise KeyError('new')
except ExceptionGroup as g:
    assert {type(e) for e in g.exceptions} == {KeyError, ExceptionGroup}, g.exceptions
