"""The `Sealer` of the product: the tenant's key, or the person's, seals each value."""

from plan2.foundation.secrets.envelope import RandomBytes, bytes_of, key_id_of
from plan2.foundation.secrets.sealing import Place, SealBroken
from plan2.foundation.secrets.subject_keys import SubjectKeys
from plan2.foundation.secrets.tenant_keys import TenantKeys


class EnvelopeSealer:
    """Seals under the keys of `tenants` and `subjects`; see `sealing.Sealer`.

    Args:
        tenants: keys of what belongs to nobody. subjects: keys of what is about a person.
        random_bytes: nonces.
    """

    def __init__(
        self, tenants: TenantKeys, subjects: SubjectKeys, random_bytes: RandomBytes
    ) -> None:
        self._tenants = tenants
        self._subjects = subjects
        self._random = random_bytes

    async def seal(self, place: Place, plain: bytes) -> bytes:
        """See `Sealer.seal`."""
        if place.subject:
            key = await self._subjects.for_sealing(place.tenant_id, place.subject)
        else:
            key = await self._tenants.current(place.tenant_id)
        return key.seal(plain, bytes_of(place), self._random)

    async def open(self, place: Place, sealed: bytes) -> bytes:
        """See `Sealer.open`."""
        key_id = key_id_of(sealed)
        if place.subject:
            key = await self._subjects.for_opening(place.tenant_id, place.subject)
        else:
            key = await self._tenants.find(place.tenant_id, key_id)
        if key.key_id != key_id:
            raise SealBroken(
                f"The value of {place.table}.{place.column} was sealed by another key."
            )
        return key.open(sealed, bytes_of(place))
