# pip install django
import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY="x",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()
from django import forms
from django.core.management import call_command
from django.db import connection, models
from django.http import JsonResponse
from django.template import engines
from django.test import Client
from django.urls import path


class Book(models.Model):
    title = models.CharField(max_length=50)
    year = models.IntegerField(default=2000)

    class Meta:
        app_label = "shop"
        ordering = ["year"]


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ["title", "year"]


def books(request):
    return JsonResponse({"books": list(Book.objects.values_list("title", flat=True))})


urlpatterns = [path("books/", books)]
call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    editor.create_model(Book)
for title, year in (("Ulysses", 1922), ("Emma", 1815)):
    form = BookForm({"title": title, "year": year})
    print(form.is_valid(), form.save().pk)
print(BookForm({"title": "x" * 60, "year": "no"}).errors.as_json())
print(Book.objects.filter(year__lt=1900).query)
print(Client().get("/books/").json(), Book.objects.aggregate(models.Avg("year")))
template = engines["django"].from_string("{% for b in books %}{{ forloop.counter }} {{ b.title|lower }};{% endfor %}")
print(template.render({"books": Book.objects.all()}))
