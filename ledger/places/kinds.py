"""The levels of the tree. Any may be missing between two others; none is inverted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["LEVELS", "Kind"]


class Kind(StrEnum):
    COUNTRY = "country"
    PROVINCE = "province"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    DISTRICT = "district"
    NAHIYEH = "nahiyeh"
    NEIGHBOURHOOD = "neighbourhood"
    CENTRE = "centre"
    BOOTH = "booth"


# A place lies in one of a smaller number: a village is as high as a town.
LEVELS: Mapping[str, int] = {
    Kind.COUNTRY: 0,
    Kind.PROVINCE: 1,
    Kind.COUNTY: 2,
    Kind.TOWN: 3,
    Kind.VILLAGE: 3,
    Kind.DISTRICT: 4,
    Kind.NAHIYEH: 5,
    Kind.NEIGHBOURHOOD: 6,
    Kind.CENTRE: 7,
    Kind.BOOTH: 8,
}
