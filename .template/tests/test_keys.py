"""Each Idempotency-Key has one response, in whatever order requests come."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from my_app.core.platform.db.engine import Database
from my_app.core.platform.idempotency import KeyReusedError
from my_app.core.platform.tables import Keys

from tests.core.platform.test_tables import stored, take

pytestmark = pytest.mark.anyio
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def keys(own_database: Database) -> AsyncIterator[Keys]:
    async with own_database.transaction(writing=True) as session:
        yield Keys(session)


@shared
@given(
    requests=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=20
    )
)
async def test_each_key_has_one_response_that_of_its_first_request(
    keys: Keys, requests: list[tuple[str, str]]
) -> None:
    run = str(uuid4())
    first: dict[str, str] = {}
    for key, body in requests:
        if key not in first:
            assert await take(keys, run + key, body) is None
        elif body == first[key]:
            assert await take(keys, run + key, body) == stored(body)
        else:
            with pytest.raises(KeyReusedError):
                await take(keys, run + key, body)
        first.setdefault(key, body)
