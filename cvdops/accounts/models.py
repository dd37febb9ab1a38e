"""The account of a person, and their sessions. Rights come from roles (`cvdops.access`), never from here."""

import hashlib
import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now


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
    service = models.BooleanField(default=False)  # a program acts as it; nobody logs in with it
    password_given = models.BooleanField(
        default=False
    )  # by somebody else: to be changed first of all
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.username


class Session(AbstractBaseSession):
    """One browser in which a person is logged in. `cvdops.accounts.sessions` reads and writes it."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    began_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    proved_at = models.DateTimeField(null=True)  # when the password was last entered in it
    renew = models.BooleanField(
        default=False
    )  # its person's rights have changed: it gets a new key
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-seen_at"]

    def __str__(self) -> str:
        return f"session of {self.user_id}"

    @property
    def public_id(self) -> str:
        """Names it on pages, where its key would be as good as a password."""
        return hashlib.sha256(self.session_key.encode()).hexdigest()[:20]


class TokenQuerySet(models.QuerySet["Token"]):
    def usable(self) -> "TokenQuerySet":
        """Those that open something now, by the database's clock."""
        return self.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)


class Token(models.Model):
    """What a program presents instead of a password. Only its digest is kept: it is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)  # of `access.tokens.Scope`
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)  # when the log last heard that it was shown in vain

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(revoked_at=None),
                name="one_token_of_a_name",
            )
        ]

    def __str__(self) -> str:
        return f"token {self.name} of {self.user_id}"


class Tries(models.Model):
    """Wrong passwords in a row: for an account, from an address, or for one from the other."""

    key = models.CharField(max_length=160, primary_key=True)  # "account dana", "address 10.0.0.7" …
    failures = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(db_default=Now())
    told = models.BooleanField(default=False)  # that tries were refused since the last one

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["last_at"], name="tries_last_at")  # forgotten at some later login
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"


class KnownAddress(models.Model):
    """An address from which somebody has logged in: attacks from elsewhere do not shut them out there."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    address = models.GenericIPAddressField()
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "address"], name="known_address")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} from {self.address}"
