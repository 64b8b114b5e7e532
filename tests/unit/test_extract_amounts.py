"""Which number and which price a text holds, as it is written around the world."""

# ruff: noqa: RUF001 - signs of many scripts, on purpose

from decimal import Decimal

import pytest

from crawler.extract.amounts import Writing, has_comma, number_of, price_of, writing_of

PRICES = [
    ("$24.99", "en", "24.99", "USD"),
    ("£1,299.00", "en", "1299.00", "GBP"),
    ("1.299,00 €", "de", "1299.00", "EUR"),
    ("1.299,-", "de", "1299", None),
    ("1.299,– €", "de", "1299", "EUR"),
    ("1299,-", "nl", "1299", None),
    ("€ 1.299,-", "nl", "1299", "EUR"),
    ("1 299,00 zł", "pl", "1299.00", "PLN"),
    ("1\xa0299,00 zł", "pl", "1299.00", "PLN"),
    ("1\u202f299,00\xa0€", "fr", "1299.00", "EUR"),
    ("1\u2009299,00 €", "fr", "1299.00", "EUR"),
    ("₹1,29,999", "en", "129999", "INR"),
    ("₹ 1,29,999.00", "en-IN", "129999.00", "INR"),
    ("Rs. 1,29,999", "en-IN", "129999", "INR"),
    ("Rs.500", "en-IN", "500", "INR"),
    ("CHF 1'299.00", "de-CH", "1299.00", "CHF"),
    ("CHF 1’299.–", "de-CH", "1299", "CHF"),
    ("1'299.—", "de-CH", "1299", None),
    ("Fr. 24.90", "de-CH", "24.90", "CHF"),
    ("¥12,800", "ja", "12800", "JPY"),
    ("￥12,800(税込)", "ja", "12800", "JPY"),
    ("12,800円", "ja", "12800", "JPY"),
    ("¥ 299.00", "zh", "299.00", "CNY"),
    ("299元", "zh", "299", "CNY"),
    ("R$ 1.299,90", "pt-BR", "1299.90", "BRL"),
    ("$ 1.299,90", "es-AR", "1299.90", "ARS"),
    ("AR$ 1.299,00", "es-AR", "1299.00", "ARS"),
    ("$1,299.00", "es-MX", "1299.00", "MXN"),
    ("$ 12.990", "es-CL", "12990", "CLP"),
    ("S/ 129.90", "es-PE", "129.90", "PEN"),
    ("from £5", "en", "5", "GBP"),
    ("From $9.99 / month", "en", "9.99", "USD"),
    ("ab 99,00 €", "de", "99.00", "EUR"),
    ("UVP 99,00 € 79,00 €", "de", "99.00", "EUR"),
    ("$10.00 - $20.00", "en", "10.00", "USD"),
    ("$10–$20", "en", "10", "USD"),
    ("10–20 €", "de", "10", "EUR"),
    ("-$5.00", "en", "-5.00", "USD"),
    ("−5,00 €", "de", "-5.00", "EUR"),
    ("- $5.00", "en", "5.00", "USD"),
    ("2 for £5", "en", "5", "GBP"),
    ("Pack of 10 $5", "en", "5", "USD"),
    ("3 x 4,99 €", "de", "4.99", "EUR"),
    ("EUR 24,99", "de", "24.99", "EUR"),
    ("24.99 EUR", "en", "24.99", "EUR"),
    ("24,99 Euro", "de", "24.99", "EUR"),
    ("24,99 eur", "de", "24.99", "EUR"),
    ("USD 1,299", "en", "1299", "USD"),
    ("US$1,299.00", "en", "1299.00", "USD"),
    ("C$49.95", "en-CA", "49.95", "CAD"),
    ("$49.95", "en-CA", "49.95", "CAD"),
    ("A$49.95", "en-AU", "49.95", "AUD"),
    ("NZ$ 49.95", "en-NZ", "49.95", "NZD"),
    ("HK$1,299", "en", "1299", "HKD"),
    ("NT$1,299", "zh", "1299", "TWD"),
    ("2 499 kr", "sv", "2499", "SEK"),
    ("2 499:-", "sv", "2499", None),
    ("kr 2 499,-", "nb", "2499", "NOK"),
    ("2.499 kr.", "da", "2499", "DKK"),
    ("2.499,00 kr", "da", "2499.00", "DKK"),
    ("24 990 Kč", "cs", "24990", "CZK"),
    ("24 990 Ft", "hu", "24990", "HUF"),
    ("129,99 lei", "ro", "129.99", "RON"),
    ("24,99 лв.", "bg", "24.99", "BGN"),
    ("1 299 ₽", "ru", "1299", "RUB"),
    ("1 299 руб.", "ru", "1299", "RUB"),
    ("1299 р.", "ru", "1299", "RUB"),
    ("1 299 грн", "uk", "1299", "UAH"),
    ("1.299,00 TL", "tr", "1299.00", "TRY"),
    ("₺1.299,00", "tr", "1299.00", "TRY"),
    ("₩12,800", "ko", "12800", "KRW"),
    ("12,800원", "ko", "12800", "KRW"),
    ("Rp 129.900", "id", "129900", "IDR"),
    ("Rp129.900", "id", "129900", "IDR"),
    ("RM 129.90", "ms", "129.90", "MYR"),
    ("฿1,299", "th", "1299", "THB"),
    ("1.299.000 ₫", "vi", "1299000", "VND"),
    ("R 1,299.00", "en-ZA", "1299.00", "ZAR"),
    ("R1 299.00", "en-ZA", "1299.00", "ZAR"),
    ("₪ 129.90", "he", "129.90", "ILS"),
    ("١٬٢٩٩٫٠٠ ر.س", "ar", "1299.00", "SAR"),
    ("AED 1,299.00", "en", "1299.00", "AED"),
    ("KWD 1.250", "en", "1.250", "KWD"),
    ("1,250.000 KWD", "en", "1250.000", "KWD"),
    ("$.99", "en", ".99", "USD"),
    ("$1,299", "en", "1299", "USD"),
    ("1.299 €", "de", "1299", "EUR"),
    ("1,299 €", "fr", "1299", "EUR"),
    ("0,299 €", "de", "0.299", "EUR"),
    ("€24", "nl", "24", "EUR"),
    ("Price: $24", "en", "24", "USD"),
    ("Price $ 24.50 USD", "en", "24.50", "USD"),
    ("Now only 24.99", "en", "24.99", None),
    ("24.99", "en", "24.99", None),
    ("1299.00", "en", "1299.00", None),
    ("1,234,567.89", "en", "1234567.89", None),
    ("12.345.678,90", "de", "12345678.90", None),
    ("NEW 5 €", "en", "5", "EUR"),
    ("TOP 10 €", "de", "10", "EUR"),
    ("iPhone 12 128 GB $799.00", "en", "799.00", "USD"),
    ("Save 20% $80.00", "en", "80.00", "USD"),
    ("20% off: £80", "en", "80", "GBP"),
    ("(5 items) £80.00", "en", "80.00", "GBP"),
    ("£80.00 inc. VAT (20%)", "en", "80.00", "GBP"),
    ("24,99 €*", "de", "24.99", "EUR"),
    ("24,99\xa0€ / 100 g", "de", "24.99", "EUR"),
    ("ca. 25 EUR", "de", "25", "EUR"),
    ("1 Stück 3,50 €", "de", "3.50", "EUR"),
    ("1.299.99 $", "en", "1299.99", "USD"),
    ("1250€60", "fr", "1250.60", "EUR"),
    ("$119. 95", "en", "119.95", "USD"),
    ("130, 38 zł", "pl", "130.38", "PLN"),
    ("From 26 to 50 €", "en", "26", "EUR"),
    ("-30 % 69,99 €", "de", "69.99", "EUR"),
    ("৳ 1,250", "bn", "1250", "BDT"),
    ("1.250 KD", "ar", "1.250", "KWD"),
]


@pytest.mark.parametrize(("text", "language", "amount", "currency"), PRICES)
def test_price_is_read_as_it_is_written(text, language, amount, currency):
    price = price_of(text, language)
    assert (str(price.amount), price.currency) == (str(Decimal(amount)), currency)


@pytest.mark.parametrize("text", ["", "free", "Call for price", "€", "40% OFF", "1.2.3", "12,34,5 €", "-", "," * 99])
def test_text_without_a_price_is_refused(text):
    with pytest.raises(ValueError, match=r"expected a (price|number)"):
        price_of(text)


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("24.99", "EUR", "EUR"),
        ("$24.99", "AUD", "AUD"),
        ("499 kr", "NOK", "NOK"),
        ("£24.99", "EUR", "GBP"),
        ("TOP 10", None, None),
        ("NEW 10", None, None),
        ("USDA 10", None, None),
    ],
)
def test_configured_currency_counts_where_the_text_leaves_it_open(text, currency, expected):
    assert price_of(text, None, None, currency).currency == expected


NUMBERS = [
    ("1,299", None, "1299"),
    ("1.299", None, "1.299"),
    ("1,299", "en", "1299"),
    ("1.299", "de", "1299"),
    ("1,299", "de", "1.299"),
    ("1.299", "de-CH", "1.299"),
    ("4.5 out of 5 stars", "en", "4.5"),
    ("4,5 von 5", "de", "4.5"),
    ("4.5", "de", "4.5"),
    ("12 128 words", None, "12128"),
    ("12 12", None, "12"),
    ("1.234.567", "en", "1234567"),
    ("1,234,567.5", "de", "1234567.5"),
    ("(-12.5)", "en", "-12.5"),
    ("−3", None, "-3"),
    ("10-20", None, "10"),
    ("A-12", None, "12"),
    ("+7", None, "7"),
    ("1e-5", None, "0.00001"),
    ("-2.5E3", None, "-2500"),
    ("45 %", None, "45"),
    ("٣٫٥", "ar", "3.5"),
    ("１２３", "ja", "123"),
    ("007", None, "7"),
]


@pytest.mark.parametrize(("text", "language", "expected"), NUMBERS)
def test_number_is_read_by_evidence_and_else_by_language(text, language, expected):
    assert number_of(text, language) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("1.299", "de", "1299"),
        ("1.299,5", "de", "1299.5"),
        ("1 299,5", "fr", "1299.5"),
        ("1,299", "en", "1299"),
        ("12 128", "en", "12"),
        ("1.299", "es-MX", "1.299"),
        ("1'299.5", "de_CH", "1299.5"),
        ("24.99", "de", None),
        ("24,99", "en", None),
        ("1.299,5", "en", None),
        ("1.29,5", "de", None),
    ],
)
def test_locale_that_is_named_is_taken_at_its_word(text, locale, expected):
    if expected is None:
        with pytest.raises(ValueError, match="expected a number as 1"):
            number_of(text, "xx", writing_of(locale))
    else:
        assert number_of(text, "xx", writing_of(locale)) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2k", "1200"),
        ("3,4 Mio.", "3400000"),
        ("1.5万", "15000"),
        ("2M+", "2000000"),
        ("12 views", "12"),
        ("2 bn", "2000000000"),
        ("5 мин", "5"),
    ],
)
def test_short_words_for_powers_of_ten_count_where_asked_for(text, expected):
    assert number_of(text, short=True) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "none", "1.2.3", "12.05.2023", "1" * 61, "1e999", "9" * 10_000, "\ud800"])
def test_text_without_a_number_is_refused(text):
    with pytest.raises(ValueError, match="expected a number"):
        number_of(text)


def test_separators_may_be_given_one_by_one():
    assert number_of("1_299;5", None, Writing(".", "_")) == 1
    assert number_of("1.299,50", None, Writing(",", ".")) == Decimal("1299.50")


def test_no_locale_is_made_of_other_words():
    assert writing_of("german!") is None
    assert writing_of("") is None
    assert [has_comma(locale) for locale in ("de", "de-CH", "es-419", "en", "pt_BR", "zh-Hant-TW")] == [
        True,
        False,
        False,
        False,
        True,
        False,
    ]
