# pip install alembic
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine

meta = MetaData()
Table("user", meta, Column("id", Integer, primary_key=True), Column("name", String(50), nullable=False))
engine = create_engine("sqlite://")
with engine.connect() as connection:
    context = MigrationContext.configure(connection)
    print(render_python_code(produce_migrations(context, meta).upgrade_ops))
    op = Operations(context)
    op.create_table("user", Column("id", Integer, primary_key=True))
    op.add_column("user", Column("age", Integer))
    print([d[0][0] if isinstance(d, list) else d[0] for d in compare_metadata(context, meta)])
