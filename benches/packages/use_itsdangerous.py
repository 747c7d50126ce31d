# pip install itsdangerous
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

s = URLSafeSerializer("key", salt="s")
token = s.dumps({"id": 5, "name": "x" * 60})
print(token, s.loads(token))
try:
    s.loads(token + "x")
except BadSignature as e:
    print(e)
t = URLSafeTimedSerializer("key")
print(t.loads(t.dumps([1, 2]), max_age=10))
