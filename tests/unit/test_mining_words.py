"""Texts become words, and words numbers, in every script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.mining.words import MAX_CHARS, MAX_TERM_CHARS, is_term, number, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World! It's a B2B shop_2", ["hello", "world", "it", "b2b", "shop_2"]),
        ("STRASSE Straße ﬁne", ["strasse", "strasse", "fine"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("今天天气 好 Hello世界2024", ["今天", "天天", "天气", "hello", "世界", "2024"]),
        ("สวัสดี", ["สวัส", "วัสด", "ัสดี"]),
        ("안녕 세상", ["안녕", "세상"]),
        ("😀 👍🏽 … ___ a 1", ["___"]),
        ("", []),
    ],
)
def test_words_of_every_script_are_found(text, expected):
    assert words(text) == expected


def test_terms_are_words_with_a_letter_that_are_not_too_long():
    assert terms(f"In 2024 ___ 3d {'x' * MAX_TERM_CHARS} {'x' * (MAX_TERM_CHARS + 1)}") == [
        "in",
        "3d",
        "x" * MAX_TERM_CHARS,
    ]


def test_what_follows_in_a_huge_text_does_not_count():
    assert len(words("ab " * MAX_CHARS)) == MAX_CHARS // 3 + (MAX_CHARS % 3 == 2)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.text(), max_size=5))
def test_numbers_stand_for_the_words_of_each_text(texts):
    numbered = number(texts)
    starts = numbered.starts.tolist()
    assert len(starts) == len(texts) + 1
    for text, start, end in zip(texts, starts, starts[1:], strict=False):
        assert [numbered.vocabulary[at] for at in numbered.numbers[start:end]] == words(text)
    assert len(set(numbered.vocabulary)) == len(numbered.vocabulary) == len(numbered.hashes)


@given(st.text())
def test_words_stay_the_same_words_when_joined_by_spaces(text):
    once = [word for word in words(text) if word.isascii()]
    assert words(" ".join(once)) == once
    assert all(len(word) >= 2 for word in words(text))


def test_a_word_has_the_same_hash_in_every_process():
    assert number(["hello"]).hashes.tolist() == [10760762337991515389]


def test_terms_are_the_words_that_can_be_keywords():
    text = "Zürich 10 km, 今天天气"
    assert terms(text) == [word for word in words(text) if is_term(word)] == ["zürich", "km", "今天", "天天", "天气"]
