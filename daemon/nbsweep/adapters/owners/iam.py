"""The part of the chain that asks IAM for a user's e-mail address. Answers are cached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from msgspec import Struct

from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, Unreachable
from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.contacts import Contact, IamUser, NoContact, Owner, UserLookup
from nbsweep.core.permissions import GET_USER
from nbsweep.core.ports import Clock
from nbsweep.core.reasons.sentences.untold import UntoldSentence

FOUND_FOR = timedelta(hours=24)
"""How long an address is good for."""
MISSING_FOR = timedelta(hours=1)
"""How long a missing user or a missing address is believed; somebody may add it."""
REFUSED_FOR = timedelta(minutes=10)
"""How long a refusal is believed; somebody may grant the permission."""
PAUSE = timedelta(seconds=30)
"""How long IAM is left alone after it did not answer, so that many owners do not wait for it one after another."""
MOST_CACHED = 20_000

Answer = Contact | NoContact
Key = tuple[str, str]
"""Target and user id: the permission is one of the target's credentials."""


class _Cached(Struct, frozen=True):
    answer: Answer
    until_s: float


@dataclass(slots=True)
class IamPart:
    """Asks IAM with the credentials of the target that has the notebook."""

    lookups: Mapping[str, UserLookup]
    """By the name of the target."""
    clock: Clock
    _cache: dict[Key, _Cached] = field(default_factory=dict)
    _locks: dict[Key, anyio.Lock] = field(default_factory=dict)
    _paused_until_s: dict[str, float] = field(default_factory=dict)
    """By the name of the target."""

    async def find(self, owner: Owner) -> Answer:
        """Return the e-mail address that IAM has of an owner; concurrent callers share one call."""
        if not owner.id:
            return NoContact(UntoldSentence.IAM_ID_UNKNOWN.value)
        lookup = self.lookups.get(owner.target)
        if lookup is None:
            return NoContact(UntoldSentence.NO_IAM.value)
        key = (owner.target, owner.id)
        lock = self._locks.setdefault(key, anyio.Lock())
        try:
            async with lock:
                return self._known(key) or await self._ask(key, lookup)
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    def _known(self, key: Key) -> Answer | None:
        cached = self._cache.get(key)
        if cached is not None and self.clock.steady_s() < cached.until_s:
            return cached.answer
        if self.clock.steady_s() < self._paused_until_s.get(key[0], 0.0):
            return NoContact(UntoldSentence.IAM_PAUSED.value, passing=True)
        return None

    async def _ask(self, key: Key, lookup: UserLookup) -> Answer:
        target, user_id = key
        try:
            user = await lookup(user_id)
        except Forbidden:
            return self._keep(key, NoContact(UntoldSentence.IAM_FORBIDDEN.format(role=GET_USER.role)), REFUSED_FOR)
        except (Unreachable, Unauthorized) as error:
            self._paused_until_s[target] = self.clock.steady_s() + PAUSE.total_seconds()
            is_silent = isinstance(error, Unreachable)
            sentence = UntoldSentence.IAM_SILENT if is_silent else UntoldSentence.IAM_UNAUTHORIZED
            return NoContact(sentence.format(status=_status(error)), passing=True)
        except CloudError as error:
            return self._keep(key, NoContact(UntoldSentence.IAM_UNUSABLE.format(status=_status(error))), REFUSED_FOR)
        answer = contact_of(user)
        return self._keep(key, answer, FOUND_FOR if isinstance(answer, Contact) else MISSING_FOR)

    def _keep(self, key: Key, answer: Answer, lasts: timedelta) -> Answer:
        now_s = self.clock.steady_s()
        if len(self._cache) >= MOST_CACHED:
            self._cache = {each: cached for each, cached in self._cache.items() if now_s < cached.until_s}
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        self._cache[key] = _Cached(answer, now_s + lasts.total_seconds())
        return answer


def contact_of(user: IamUser | None) -> Answer:
    """Return the contact of a user of IAM."""
    if user is None:
        return NoContact(UntoldSentence.NO_IAM_USER.value)
    if not user.enabled:
        # A disabled user has probably left: a mail to them would count as told, and nobody would read it.
        return NoContact(UntoldSentence.USER_DISABLED.value)
    if not user.email:
        return NoContact(UntoldSentence.NO_IAM_ADDRESS.value)
    if not is_address(user.email):
        return NoContact(UntoldSentence.BAD_IAM_ADDRESS.value)
    return Contact(user.email, "iam")


def _status(error: CloudError) -> str:
    """Return the status and the code of an answer; its text may be about a person."""
    return f" (HTTP {error.http_status}{f' {error.code}' if error.code else ''})" if error.http_status else ""
