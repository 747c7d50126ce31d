# pip install pyjwt
import jwt

token = jwt.encode({"some": "payload", "iat": 1}, "secret-secret-secret-secret-secret-32", algorithm="HS256")
print(token, jwt.decode(token, "secret-secret-secret-secret-secret-32", algorithms=["HS256"]), jwt.get_unverified_header(token))
for bad, key in ((token + "x", "secret-secret-secret-secret-secret-32"), (token, "other-other-other-other-other-other")):
    try:
        jwt.decode(bad, key, algorithms=["HS256"])
    except jwt.InvalidTokenError as e:
        print(type(e).__name__, e)
