"""Near-duplicates have fingerprints that differ little, other texts do not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.fingerprint import MIN_WORDS, distance, fingerprint

WORDS = [f"word{n}" for n in range(20_000)]
ZIPF = [1 / (n + 2.7) for n in range(20_000)]


def words_of(chance, count):
    ends = chance.choices(["", ",", ".", ".\n"], [88, 5, 5, 2], k=count)
    return [word + end for word, end in zip(chance.choices(WORDS, ZIPF, k=count), ends, strict=True)]


def edited(chance, words, count):
    words = list(words)
    for _ in range(count):
        words[chance.randrange(len(words))] = chance.choice(WORDS)
    return words


@pytest.mark.parametrize("count", [60, 500, 3_000])
def test_near_duplicates_differ_in_few_bits_and_other_texts_in_half_of_them(count):
    chance = random.Random(count)
    near, other = [], []
    for _ in range(10):
        words = words_of(chance, count)
        one = fingerprint(" ".join(words))
        near.append(distance(one, fingerprint(" ".join(edited(chance, words, max(1, count // 100))))))
        other.append(distance(one, fingerprint(" ".join(words_of(chance, count)))))
    assert sum(near) / len(near) < 5
    assert max(near) < min(other)
    assert 27 < sum(other) / len(other) < 37


def test_case_and_white_space_do_not_count():
    text = " ".join(words_of(random.Random(1), 100))
    assert fingerprint(text) == fingerprint(text.upper().replace(" ", " \t ").replace("\n", "  \n"))


def test_it_is_the_same_in_every_process():
    assert fingerprint("the quick brown fox jumps over the lazy dog and then sleeps for a while") == "c4be026d3879d627"


def test_texts_without_spaces_have_one_too():
    one = "我能吞下玻璃而不伤身体\uff0c这句话常常被用来测试字体。今天的天气很好\uff0c我们去公园散步吧。"
    near = one.replace("天气", "气候")
    other = "人人生而自由\uff0c在尊严和权利上一律平等。他们赋有理性和良心\uff0c并应以兄弟关系的精神相对待。"
    assert distance(fingerprint(one), fingerprint(near)) < 16 < distance(fingerprint(one), fingerprint(other))


def test_a_text_of_few_words_has_none():
    assert fingerprint("") is None
    assert fingerprint("word " * (MIN_WORDS - 1)) is None
    assert fingerprint("好的") is None
    assert fingerprint(" ".join(WORDS[:MIN_WORDS])) is not None


@given(st.text())
def test_any_text_has_one_or_none(text):
    text = text.encode("utf-8", "replace").decode()
    found = fingerprint(text)
    assert found is None or len(found) == 16
