"""The account of a person. Rights come from roles (`cvdops.access`), never from the account."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models


class UserManager(BaseUserManager["User"]):
    """Makes accounts with hashed passwords."""

    def create_user(
        self, username: str, name: str, password: str, email: str = "", *, demo: bool = False
    ) -> "User":
        address = self.normalize_email(email)
        user = self.model(username=username, name=name, email=address, demo=demo)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """One account. Two accounts of one human share `person`, by which separation of duties counts."""

    username = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9._-]*\Z", "Use a-z, 0-9, dot, dash.")],
    )
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    person = models.UUIDField(default=uuid.uuid4, db_index=True)
    is_active = models.BooleanField(default=True)
    demo = models.BooleanField(default=False)  # its password is public
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.username
