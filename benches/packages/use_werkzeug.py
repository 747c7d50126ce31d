# pip install werkzeug
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

urls = Map([Rule("/u/<int:id>", endpoint="user"), Rule("/f/<path:p>", endpoint="file")])


@Request.application
def app(request):
    try:
        endpoint, values = urls.bind_to_environ(request.environ).match()
    except NotFound as e:
        return e
    return Response(f"{endpoint} {values} {request.args.getlist('a')}")


client = Client(app)
print(client.get("/u/3?a=1&a=2").text, client.get("/f/x/y").text, client.get("/no").status)
print(urls.bind("h.org").build("user", {"id": 4, "q": "ä"}))
print(check_password_hash(generate_password_hash("pw", "pbkdf2:sha256:1000"), "pw"))
print(MultiDict([("a", 1), ("a", 2)]).to_dict(flat=False))
