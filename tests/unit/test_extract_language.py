"""Which language a text is in, told from how it reads."""

# ruff: noqa: RUF001 - words of many languages, on purpose
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.language import detect

SENTENCES = {
    "en": "It was the best of times, it was the worst of times, and that is what they said of it at the end.",
    "de": "Das ist ein Satz, der auf Deutsch geschrieben ist und nicht viel mehr sagt, als dass er es ist.",
    "fr": "Les enfants sont dans le jardin, et la maison est vide depuis que nous avons fini avec elle.",
    "es": "La casa de mi abuela es muy grande, pero no tiene un jardín como el que hay en la tuya.",
    "pt": "A casa da minha avó é muito grande, mas não tem um jardim como o que você tem na sua.",
    "it": "La casa di mia nonna è molto grande, ma non ha un giardino come quello che c'è nella tua.",
    "nl": "Het huis van mijn oma is heel groot, maar er is geen tuin zoals die bij jou aan het huis is.",
    "sv": "Det är ett stort hus som min mormor har, men det finns inte en trädgård som den du har.",
    "no": "Det er et stort hus som mormor min har, men det finnes ikke en hage etter den du har hatt.",
    "fi": "Se on iso talo, mutta siinä ei ole puutarhaa, kuten on ollut, kun hän oli siellä myös.",
    "pl": "To jest duży dom, ale nie ma w nim ogrodu, który się tak podoba jak ten, co jest przy nim.",
    "cs": "Je to velký dům, ale není u něj zahrada, která by se mi líbila jako ta, co je pro tebe.",
    "hu": "Ez egy nagy ház, de nincs mellette kert, és nem is volt, mint az, ami a tiéd mellett van.",
    "ro": "Este o casă mare, dar nu are o grădină ca cea pe care o are casa ta din care am venit.",
    "tr": "Bu çok büyük bir ev ama bahçesi yok, daha sonra bu ev için bir bahçe de olan yer var.",
    "ru": "Это большой дом, но у него нет сада, как у того, в котором мы были, и он не так хорош.",
    "uk": "Це великий будинок, але в нього немає саду, як у того, в якому ми були, та він не такий.",
    "bg": "Това е голяма къща, но тя не е с градина като тази, в която сме били, и ще се върнем за нея.",
    "el": "Αυτό είναι ένα μεγάλο σπίτι.",
    "he": "זה בית גדול מאוד.",
    "ar": "هذا بيت كبير في المدينة التي كان فيها من قبل على النهر.",
    "fa": "این خانه بزرگ است و در آن باغی برای ما نیست که با هم به آن برویم.",
    "hi": "यह एक बड़ा घर है और इस में बगीचा नहीं है जो हमारे लिए था।",
    "th": "นี่คือบ้านหลังใหญ่",
    "ja": "これは大きな家ですが、庭がありません。",
    "zh": "这是一座大房子，但是没有花园。",
    "ko": "이것은 큰 집이지만 정원이 없습니다.",
    "vi": "Đây là một ngôi nhà lớn nhưng không có vườn như của những người khác.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_in_the_language_it_is_in(language):
    assert detect(SENTENCES[language]) == language


def test_a_few_foreign_words_do_not_matter():
    assert detect(SENTENCES["de"] + " Le Monde, Tokyo (東京), Москва. " + SENTENCES["de"]) == "de"


@pytest.mark.parametrize("text", ["", "12 345 678", "Acme", "foo(bar, baz); qux = 1", "\U0001f600" * 50, "\0\ufffd"])
def test_what_is_in_no_language_is_said_to_be_in_none(text):
    assert detect(text) is None


@given(st.text())
def test_any_text_is_in_some_language_or_none(text):
    language = detect(text)
    assert language is None or 2 <= len(language) <= 3
