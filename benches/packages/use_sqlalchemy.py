# pip install sqlalchemy
from sqlalchemy import ForeignKey, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    posts: Mapped[list["Post"]] = relationship(back_populates="user", cascade="all, delete-orphan")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str | None]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="posts")


print(select(User.name, func.count(Post.id)).join(Post).group_by(User.name))
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([User(name="ann", posts=[Post(text="a"), Post(text="b")]), User(name="bob")])
    session.commit()
    print(session.execute(select(User.name, func.count(Post.id)).outerjoin(Post).group_by(User.name)).all())
    ann = session.scalars(select(User).where(User.name == "ann")).one()
    print([p.text for p in ann.posts])
    session.delete(ann)
    session.commit()
    print(session.scalar(select(func.count()).select_from(Post)))
