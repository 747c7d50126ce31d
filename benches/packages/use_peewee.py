# pip install peewee
from peewee import CharField, ForeignKeyField, IntegerField, Model, SqliteDatabase, fn

db = SqliteDatabase(":memory:")


class Base(Model):
    class Meta:
        database = db


class Person(Base):
    name = CharField()
    age = IntegerField(default=1)


class Pet(Base):
    owner = ForeignKeyField(Person, backref="pets")
    name = CharField()


db.create_tables([Person, Pet])
with db.atomic():
    for name in ("ann", "bob"):
        person = Person.create(name=name, age=len(name) * 10)
        Pet.create(owner=person, name=name + "'s cat")
query = Person.select(Person.name, fn.COUNT(Pet.id).alias("n")).join(Pet).group_by(Person.name).order_by(Person.name)
print(query.sql())
print([(p.name, p.n) for p in query])
print([pet.name for pet in Person.get(Person.name == "bob").pets])
