# pip install pyramid
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response


def hello(request):
    return Response("Hello %(name)s!" % request.matchdict)


with Configurator() as config:
    config.add_route("hello", "/hello/{name}")
    config.add_view(hello, route_name="hello")
    config.add_view(lambda r: {"n": 1}, route_name="json", renderer="json")
    config.add_route("json", "/json")
    app = config.make_wsgi_app()
for path in ("/hello/ann", "/json", "/no"):
    answer = Request.blank(path).get_response(app)
    print(answer.status, answer.text[:40])
