# pip install faker
from faker import Faker

fake = Faker()
Faker.seed(7)
print(fake.name(), fake.address(), fake.email(), fake.date_of_birth().year > 1900)
german = Faker("de_DE")
german.seed_instance(1)
print(german.name(), german.company(), german.iban())
print(fake.pyint(1, 10), fake.text(60), fake.uuid4())
