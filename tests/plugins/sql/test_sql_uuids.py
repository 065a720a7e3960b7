"""A uuid is kept as 16 bytes, and everything that stands where one should be comes back as it was."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ccod_sql.uuids import pack, unpack

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.uuids().map(str) | texts)
@example("")
@example("6A1F4D4E-0B7E-4D57-9C1D-2F60F5F5A001")
@example("6a1f4d4e0b7e4d579c1d2f60f5f5a001")
@example("6a1f4d4e 0b7e-4d57-9c1d-2f60f5f5a001")
@example("-" * 36)
def test_it_comes_back(text: str) -> None:
    assert unpack(pack(text)) == text


@given(st.uuids())
def test_a_uuid_takes_16_bytes(uuid: object) -> None:
    assert len(pack(str(uuid))) == 16
