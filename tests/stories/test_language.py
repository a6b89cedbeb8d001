"""The language of a text is told by its words, and not guessed where they say too little."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories.language import SUPPORTED, UNKNOWN, detect

SAMPLES = {
    "en": "The agency dropped its demand for the names after the company went to court.",
    "de": "Die Behörde hat ihre Forderung nach den Namen zurückgezogen, nachdem die Firma geklagt hatte.",
    "fr": "L'agence a retiré sa demande de noms après que la société a saisi la justice.",
    "es": "La agencia retiró su petición de nombres después de que la empresa acudiera a los tribunales.",
    "pt": "A agência desistiu do pedido de nomes depois que a empresa foi à justiça.",
    "it": "L'agenzia ha ritirato la richiesta dei nomi dopo che la società si è rivolta al tribunale.",
    "nl": "De dienst trok de vraag om namen in nadat het bedrijf naar de rechter was gestapt.",
}


@pytest.mark.parametrize("language", sorted(SAMPLES))
def test_the_seven_languages_are_told_from_one_sentence(language: str) -> None:
    assert detect(SAMPLES[language]) == language
    assert language in SUPPORTED


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Ведомство отозвало требование раскрыть имена пользователей после обращения компании в суд."),
        ("pl", "Urząd wycofał żądanie ujawnienia nazwisk użytkowników po tym, jak firma poszła do sądu."),
        (
            "sv",
            "Myndigheten drog tillbaka sin begäran om användarnas namn sedan företaget gått till domstol.",
        ),
        ("ca", "El govern va demanar les dades dels usuaris a l'empresa, però el jutge no ho va autoritzar."),
        (
            "gl",
            "O goberno pediu os datos dos usuarios á empresa, pero o xuíz non o autorizou porque era moito.",
        ),
        ("da", "Regeringen bad virksomheden om oplysninger om brugerne, men dommeren afviste det i dag."),
        (
            "af",
            "Die regering het die maatskappy vir data gevra, maar die regter het dit geweier.",
        ),
        ("ro", "Guvernul a cerut companiei datele utilizatorilor, dar judecătorul nu a autorizat cererea."),
        ("ja", "当局は会社が裁判所に訴えた後、利用者の名前の開示要求を取り下げたと発表しました。"),
    ],
)
def test_a_language_that_is_not_read_is_named_and_not_taken_for_one_that_is(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "   ", "404", "Qxzv brrm", "🙂🙂🙂"])
def test_too_little_text_is_undetermined(text: str) -> None:
    assert detect(text) == UNKNOWN


MODEL_UNTOUCHED = """
import sys
from bot.stories.language import UNKNOWN, detect

assert detect("Qxzvbrmtkwpldfgh Bvrtplkmnhgfdswq Zzxcvbnmlkjhgfds") == UNKNOWN
assert detect("FBI subpoena demands that Google unmask. " + "A. " * 500) == UNKNOWN
for language, text in {
    "ja": "当局は会社が裁判所に訴えた後、利用者の名前の開示要求を取り下げたと発表しました。",
    "zh": "该公司向法院提起诉讼后，当局撤回了要求提供用户姓名的请求。",
    "ko": "회사가 법원에 소송을 제기하자 당국은 이용자 이름 공개 요구를 철회했다고 밝혔다.",
    "el": "Η αρχή απέσυρε το αίτημα για τα ονόματα των χρηστών αφού η εταιρεία προσέφυγε στο δικαστήριο.",
    "he": "הרשות משכה את בקשתה לשמות המשתמשים לאחר שהחברה פנתה לבית המשפט.",
}.items():
    assert detect(text) == language, language
assert "py3langid" not in sys.modules
"""


def test_neither_odd_words_nor_the_same_few_nor_a_script_of_its_own_takes_the_memory_of_a_model() -> None:
    subprocess.run([sys.executable, "-c", MODEL_UNTOUCHED], check=True, timeout=60)


def test_what_the_source_claims_decides_only_where_the_text_does_not() -> None:
    assert detect("Telegram: FSB", "pt-BR") == "pt"
    assert detect(SAMPLES["en"], "de") == "en"
    assert detect("", "!!") == UNKNOWN


def test_foreign_names_do_not_sway_an_english_text() -> None:
    text = "The Autoriteit Persoonsgegevens and the Commission Nationale de l'Informatique fined the company."
    assert detect(f"{text} It said that it would appeal against both.") == "en"


@given(st.text(max_size=300), st.one_of(st.none(), st.text(max_size=8)))
def test_any_text_and_any_claim_give_a_code(text: str, claim: str | None) -> None:
    code = detect(text, claim)
    assert code == UNKNOWN or (2 <= len(code) <= 3 and code.islower())
