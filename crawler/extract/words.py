"""Which words say yes, and which no? Those of forms, shops and schema.org in larger languages of Europe and Asia."""

# ruff: noqa: RUF001 - words of many scripts, on purpose

from __future__ import annotations

from typing import Final


def _words(table: str) -> frozenset[str]:
    """The words between the strokes; those that are https URLs as http URLs too."""
    words = table.strip().replace("\n", "|").split("|")
    return frozenset((*words, *(word.replace("https:", "http:") for word in words)))


# Whole texts, in no letter case; nothing that is yes in one language and no in another.
_TRUE = """
true|yes|y|on|1|t|✓|✔|✅|☑|available|in stock|instock|enabled|active|ja|wahr|auf lager
lieferbar|verfügbar|sofort lieferbar|vorrätig|oui|vrai|en stock|disponible|sí
verdadero|sim|verdadeiro|em estoque|em stock|disponível|sì|vero|disponibile|waar
op voorraad|i lager|på lager|kyllä|varastossa|tak|dostępny|ano|skladem|áno|igen
raktáron|da|în stoc|ναι|σε απόθεμα|да|в наличии|так|в наявності|evet|stokta|ya
tersedia|有|はい|在庫あり|是|有货|現貨|예|네|재고 있음|نعم|متوفر|כן|https://schema.org/instock
https://schema.org/instoreonly|https://schema.org/limitedavailability|https://schema.org/onlineonly
"""
TRUE_WORDS: Final = _words(_TRUE)
_FALSE = """
false|no|n|off|0|f|✗|✘|❌|✕|unavailable|not available|out of stock|outofstock
sold out|soldout|disabled|inactive|nein|falsch|nicht auf lager|nicht lieferbar
nicht verfügbar|ausverkauft|non|faux|rupture de stock|en rupture de stock|indisponible
épuisé|falso|agotado|sin stock|no disponible|não|esgotado|indisponível|esaurito
non disponibile|nee|onwaar|niet op voorraad|uitverkocht|nej|slutsåld|udsolgt
nei|utsolgt|ei|loppu|nie|niedostępny|ne|vyprodáno|vypredané|nem|elfogyott|nu
stoc epuizat|όχι|εξαντλημένο|нет|нет в наличии|ні|немає в наявності|hayır|tükendi
tidak|habis|無|いいえ|在庫なし|否|无货|缺貨|아니요|품절|لا|غير متوفر|לא|https://schema.org/outofstock
https://schema.org/soldout|https://schema.org/discontinued
"""
FALSE_WORDS: Final = _words(_FALSE)
