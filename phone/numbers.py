"""Phone numbers, kept as E.164.

Number portability makes the prefix a hint at most, so nothing here names a carrier.
No exception carries the number that it is about.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

from phone.digits import fold_digits, visible

CHARS_MAX = 32
E164_DIGITS_MAX = 15  # ITU-T E.164, section 6

# Iran is +98; a mobile number there has ten digits after it, the first a 9.
_IRAN = re.compile(r"\+98([0-9]{10})")
_IRAN_MOBILE = re.compile(r"\+?(989[0-9]{9})")

_NUMBER = re.compile(r"\+?[0-9]+")
_SEPARATORS = re.compile(r"[\s().\-\u2010-\u2015]")
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class NotAPhone(ValueError):
    """This is no phone number that we can serve."""


def from_network(text: str, region: str = "IR") -> str:
    """Read a number that a carrier vouches for, as E.164.

    It is believed if its length is possible, because phonenumbers' metadata lags
    behind new Iranian prefixes. The plus may be missing, or be the space that
    URL-decoding makes of it; `region` reads a national form. Raises NotAPhone.
    """
    digits = fold_digits(_bounded(text)).strip()
    # Nearly every turn of every call comes in this form, and parsing costs more than
    # the rest of a turn's own work.
    if iranian := _IRAN_MOBILE.fullmatch(digits):
        return "+" + iranian[1]
    if not _NUMBER.fullmatch(digits):
        raise NotAPhone("a number from the network is digits, with or without +")

    readings = [_parsed(digits, region)]
    if digits[0] not in "+0":
        # "2547…" is international without its plus, "9121234567" is national: a
        # valid reading beats one that is only possible.
        readings.insert(0, _parsed("+" + digits, region))
    elif digits[0] == "0":
        readings.append(_doubly_prefixed(digits, region))
    for believed in (phonenumbers.is_valid_number, _is_possible):
        for number in readings:
            if number is not None and believed(number):
                return _e164(number)
    raise NotAPhone("the number from the network has an impossible length")


def from_person(text: str, region: str = "IR") -> str:
    """Read a mobile number that a person typed, as E.164.

    Takes 0912…, +98…, 0098…, 98…, 912…, the common slip 098912…, +98(0)912…, with
    Persian or Arabic digits, spaces, hyphens and dots; a foreign number needs its +
    or 00. Raises NotAPhone for all else, landlines and short codes too.
    """
    digits = fold_digits(_SEPARATORS.sub("", visible(_bounded(text))))
    if not _NUMBER.fullmatch(digits):
        raise NotAPhone("a phone number is digits, with or without +")
    for number in (_parsed(digits, region), _doubly_prefixed(digits, region)):
        # 09400000000 is valid and fixed, 10008780 possible and no phone at all, so
        # neither "valid" nor "possible" is enough.
        if number is not None and phonenumbers.number_type(number) in _MOBILE:
            return _e164(number)
    raise NotAPhone("this is not a mobile number")


def is_mobile(e164: str) -> bool:
    """Say whether a person may hold this number: no short code, no landline.

    Iran's new mobile prefixes count before phonenumbers' metadata knows them.
    """
    if _IRAN_MOBILE.fullmatch(e164):
        return True
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) in _MOBILE


def mask(e164: str) -> str:
    """Show the last four digits, ***4567: all that logs and exports may hold."""
    return "***" + e164[-4:] if len(e164) > 8 else "***"


def national(e164: str) -> str:
    """Write a number as Iranian carriers want it: 0912… at home, digits only abroad."""
    if iranian := _IRAN.fullmatch(e164):
        return "0" + iranian[1]
    return e164.removeprefix("+")


def _bounded(text: str) -> str:
    if len(text) > CHARS_MAX:
        raise NotAPhone(f"a phone number has at most {CHARS_MAX} characters")
    return text


def _doubly_prefixed(digits: str, region: str) -> PhoneNumber | None:
    """Read 0989121234567, the country code behind a national zero."""
    code = str(phonenumbers.country_code_for_region(region))
    if digits.startswith("0" + code):
        return _parsed("+" + digits[1:], region)
    return None


def _parsed(digits: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


def _is_possible(number: PhoneNumber) -> bool:
    reason = phonenumbers.is_possible_number_with_reason(number)
    return reason == ValidationResult.IS_POSSIBLE


def _e164(number: PhoneNumber) -> str:
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(text) > E164_DIGITS_MAX + 1:
        raise NotAPhone(f"a phone number has at most {E164_DIGITS_MAX} digits")
    return text
