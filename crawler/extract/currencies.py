"""Which currency does a price name? Symbols, words and ISO 4217 codes, and what the ambiguous ones mean where.

A dollar sign, ``kr``, ``¥`` or ``Rs`` says less than which currency it is: what the configuration says then decides,
else the page's language and region, else the currency most pages mean by it (none for ``kr``).
"""

# ruff: noqa: RUF001, RUF002 - signs and words of many scripts, on purpose
from __future__ import annotations

import re
from typing import Final


def _pairs(table: str) -> dict[str, str]:
    """What a table of ``name=value`` means, white space between."""
    return dict(pair.split("=") for pair in table.split())


_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK
HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
"""
CODES: Final = frozenset(_CODES.split())
"""ISO 4217, those in use, and the kuna, which old pages have."""

THREE_DECIMALS: Final = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

#: English words, and what people write in capitals for emphasis: no currencies when they stand before a number
_WORDS_TOO: Final = frozenset(("ALL", "CUP", "GEL", "LAK", "MAD", "MOP", "PEN", "TOP", "TRY"))

#: as written -> ISO 4217
_SIGNS: Final = _pairs(
    """
    US$=USD U$S=USD CA$=CAD C$=CAD AU$=AUD A$=AUD NZ$=NZD HK$=HKD S$=SGD SG$=SGD NT$=TWD R$=BRL MX$=MXN AR$=ARS
    CLP$=CLP COL$=COP S/=PEN €=EUR £=GBP ₹=INR ₽=RUB ₩=KRW ₪=ILS ₫=VND ₺=TRY ₴=UAH ₦=NGN ₱=PHP ฿=THB ₡=CRC ₲=PYG
    ₵=GHS ₸=KZT ₼=AZN ₾=GEL ֏=AMD ৳=BDT ₭=LAK ₮=MNT 円=JPY 원=KRW 元=CNY د.إ=AED ر.س=SAR ج.م=EGP د.ك=KWD
    """
)
#: words in any letter case, between what are no letters
_WORDS: Final = _pairs(
    """
    euro=EUR euros=EUR евро=EUR ευρώ=EUR eur=EUR usd=USD gbp=GBP chf=CHF pln=PLN czk=CZK huf=HUF sek=SEK nok=NOK
    dkk=DKK ron=RON zł=PLN zl=PLN kč=CZK ft=HUF lei=RON лв=BGN руб=RUB р=RUB рублей=RUB грн=UAH тг=KZT tl=TRY fr=CHF
    sfr=CHF kn=HRK din=RSD kd=KWD rm=MYR rp=IDR pounds=GBP yen=JPY rupees=INR درهم=AED ريال=SAR đ=VND
    """
)
#: signs and words of several currencies -> the one meant if nothing tells more
_AMBIGUOUS: Final = {
    **_pairs("$=USD ＄=USD dollar=USD dollars=USD ¥=JPY ￥=JPY rs=INR r=ZAR"),
    **dict.fromkeys(("kr", "peso", "pesos")),
}
_DOLLAR_REGIONS: Final = _pairs(
    """
    US=USD CA=CAD AU=AUD NZ=NZD HK=HKD SG=SGD TW=TWD MX=MXN AR=ARS CL=CLP CO=COP UY=UYU DO=DOP JM=JMD TT=TTD BB=BBD
    """
)
_REGIONS: Final = {
    **dict.fromkeys(("$", "＄", "dollar", "dollars"), _DOLLAR_REGIONS),
    **dict.fromkeys(("peso", "pesos"), _DOLLAR_REGIONS | {"PH": "PHP"}),
    "rs": _pairs("PK=PKR LK=LKR NP=NPR MU=MUR"),
}
_LANGUAGES: Final = {
    "kr": _pairs("sv=SEK nb=NOK nn=NOK no=NOK da=DKK fo=DKK is=ISK"),
    "¥": {"zh": "CNY"},
    "￥": {"zh": "CNY"},
}

#: signs that stand before their amounts; all others follow them, when white space leaves it open
_BEFORE: Final = frozenset(("$", "＄", "£", "¥", "￥", "₹", "₱", "₦", "฿", "rs", "rp", "rm", "r", *_SIGNS)) - frozenset(
    ("€", "₽", "₴", "₫", "₸", "₾", "円", "원", "元", "د.إ", "ر.س", "ج.م", "د.ك")
)

_ANY_SIGN = "|".join(re.escape(sign) for sign in sorted((*_SIGNS, "$", "＄", "¥", "￥"), key=len, reverse=True))
_ANY_WORD = "|".join(sorted((*_WORDS, "dollars?", "kr", "rs", "r(?=[ \xa0]?[0-9])", "pesos?"), key=len, reverse=True))
_LETTER = r"[^\W\d_]"
NAMED: Final = re.compile(
    rf"(?<!{_LETTER})(?:(?P<code>[A-Z]{{3}})(?![$\w])|(?P<word>(?i:{_ANY_WORD}))(?!{_LETTER})\.?)|(?P<sign>{_ANY_SIGN})"
    rf"|(?<!{_LETTER})(?P<tight>[A-Z]{{3}})(?=[0-9])"
)
"""Finds what may name a currency; `name_in` tells what it found."""


def name_in(match: re.Match[str]) -> str | None:
    """The name found by `NAMED`, as the other functions take it; None if it is none, such as ``NEW``."""
    code = match["code"] or match["tight"]
    if code is not None:
        word = code.lower()
        return code if code in CODES else word if word in _WORDS else None
    return match["sign"] or match["word"].lower()


def stands_before(name: str) -> bool:
    """Whether a name goes before an amount when white space leaves it open: ``$ 5`` but ``5 €``."""
    return name in _BEFORE


def may_stand_before(name: str) -> bool:
    """Whether a name can go before an amount at all: ``TOP 10`` is no amount in paʻanga."""
    return name not in _WORDS_TOO


def code_of(name: str, language: str | None, configured: str | None = None) -> str | None:
    """The ISO 4217 code that a name means; None if that is open.

    Args:
        name: As `name_in` gives it.
        language: The page's, as ``de-CH``.
        configured: What an ambiguous name means, by configuration.
    """
    if name not in _AMBIGUOUS:
        return _SIGNS.get(name) or _WORDS.get(name) or name
    if configured is not None:
        return configured
    main, *others = (language or "").replace("_", "-").split("-")
    regions = _REGIONS.get(name, {})
    for other in others:
        if other.upper() in regions:
            return regions[other.upper()]
    return _LANGUAGES.get(name, {}).get(main.lower()) or _AMBIGUOUS[name]
