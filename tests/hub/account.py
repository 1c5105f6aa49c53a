"""Who calls, and what they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.hub.answer import Refused


@dataclass(frozen=True)
class User:
    """The owner of a token: a name, a role (`read`, `write`, `admin`) in each organisation, and the token's own role (`read`, `write`)."""

    name: str
    orgs: Mapping[str, str] = field(default_factory=dict)
    role: str = "write"

    def sees(self, namespace: str) -> bool:
        """Whether the private things of a namespace are shown."""
        return namespace == self.name or namespace in self.orgs

    def whoami(self) -> dict[str, object]:
        """The answer to whoami-v2."""
        return {
            "type": "user",
            "id": self.name,
            "name": self.name,
            "fullname": self.name,
            "isPro": False,
            "orgs": [{"type": "org", "id": org, "name": org, "fullname": org, "roleInOrg": role} for org, role in sorted(self.orgs.items())],
            "auth": {"type": "access_token", "accessToken": {"displayName": "loopback", "role": self.role}},
        }


def caller(tokens: Mapping[str, User], authorization: str | None) -> User | None:
    """The user behind an Authorization header; None without one.

    Raises:
        Refused: 401, a token that nobody owns.
    """
    if authorization is None:
        return None
    user = tokens.get(authorization.removeprefix("Bearer "))
    if user is None:
        raise Refused(401, "Invalid credentials in Authorization header")
    return user


def known(user: User | None) -> User:
    """The user.

    Raises:
        Refused: 401, nobody.
    """
    if user is None:
        raise Refused(401, "Invalid username or password.")
    return user


def may_write(user: User | None, namespace: str, what: str) -> User:
    """The user, where they may do `what` in a namespace.

    Raises:
        Refused: 401 without a token, 403 with the right that is missing.
    """
    user = known(user)
    if user.role == "read":
        raise Refused(403, f'This token has the "read" role: you must use a token with the "write" role to {what}')
    if namespace != user.name and user.orgs.get(namespace) not in ("write", "admin"):
        here = f' (your role there is "{user.orgs[namespace]}")' if namespace in user.orgs else ""
        raise Refused(403, f'You don\'t have the rights to {what} under the namespace "{namespace}"{here}')
    return user
