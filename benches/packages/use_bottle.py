# pip install bottle
import io

from bottle import Bottle, SimpleTemplate, abort, request, response

app = Bottle()


@app.route("/hello/<name:re:[a-z]+>")
def hello(name):
    response.set_header("X-N", "1")
    return {"name": name, "q": request.query.q}


@app.post("/p")
def post():
    abort(418, "teapot" + request.forms.get("a"))


def call(method, path, query="", body=b""):
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
    }
    seen = []
    out = b"".join(app(environ, lambda status, headers, exc=None: seen.append(status)))
    print(seen, out[:60])


call("GET", "/hello/ann", "q=1")
call("GET", "/hello/7")
call("POST", "/p", body=b"a=b")
print(SimpleTemplate("% for i in range(3):\n<{{i}}>\n% end\n{{!'<b>'}}{{'<b>'}}").render())
