"""Articles are read as a reader reads them: the article's own words, and none of the page's."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories import clutter, html
from bot.stories.model import Article, Document
from bot.stories.text import MAX_CHARACTERS, read

PAGES = Path(__file__).parent / "pages"

PROSE = "The Ellery Harbour Police has withdrawn a subpoena that ordered a web forum to name nine members."
MORE = (
    "The forum had asked a magistrate to quash the demand, and a hearing was to be held in the harbour court."
)


def reading(body: str, title: str = "", *, is_html: bool = False, source: str = "") -> Document:
    return read(
        Article(title, body, url="https://courier.example/a", source=source, is_html=is_html), Recorder()
    )


def words(document: Document) -> list[str]:
    return [sentence.text for sentence in document.sentences]


# ---------------------------------------------------------------- plain text
@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "ADVERTISEMENT",
        "Advertisement - Article continues below",
        "Story Continued Below",
        "Share this page",
        "Share Tweet Post Email",
        "Facebook Twitter WhatsApp Email",
        "3 minute read",
        "Published on Feb. 15, 2026",
        "Tuesday, April 16, 2024, 12:59 PM",
        "Update: 2023-08-24 06:18 GMT",
        "7 years ago",
        "Sign up for our free weekly newsletter",
        "Get the day's news in your inbox. By signing up you agree to our terms.",
        "SEE ALSO: Dredger runs aground again",
        "( Also on THE COURIER: Gull steals chain of office)",
        "More:Oyster season opens with a record crowd",
        "Gull steals mayor's chain of office Read more",
        "CLICK HERE TO GET THE COURIER APP",
        "Follow Mira Solt on Twitter @mirasolt",
        "Photo courtesy of the harbour office",
        "A quay at dawn. (AP Photo/Jon Weck)",
        "Jon Weck / Getty Images",
        "FILE - In this March 2, 2017 file photo, a gull sits on a bollard.",
        "Image copyright Reuters Image caption A gull sits on a bollard",
        "Enlarge this image toggle caption Jon Weck/AP Jon Weck/AP",
        "Copyright © 2026 Estuary Media Ltd. Click here for reprint permission.",
        "We use cookies to give you a better experience.",
        "Your email address will not be published. Required fields are marked *",
        "The Associated Press contributed to this report.",
        "190211122329998",
        "* * *",
        "- Related: [Dredger aground](#)",
        "https://courier.example/ferry",
        "Anzeige",
        "Lesen Sie auch: Der Deich wird erhöht",
        "À lire aussi",
        "Leia também: balsa encalha",
        "Suscríbete a nuestro boletín",
        "Leggi anche",
        "Lees ook: de dijk wordt hoger",
    ],
)
def test_lines_of_the_page_are_left_out_and_listed(line: str) -> None:
    document = reading(f"{PROSE}\n\n{line}\n\n{MORE}")
    assert words(document) == [PROSE, MORE]
    assert document.removed == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "Subscribers to the network were told that their call records had been handed to the police.",
        "Sharecroppers in the valley sued the county after its drones had filmed their yards in summer.",
        "Follow-up letters from the ministry asked for the names of the people behind four more accounts.",
        "Watchdogs in three countries have opened inquiries into the sale of location data by the firm.",
        "Users who download the app must show an identity card before they may read or write anything.",
        "Related accounts were suspended as well, the company told the committee, for they shared a number.",
        "Cookies that follow people across sites need consent, the court ruled, and a notice alone is none.",
        "Published figures show that the agency sent 4,100 such letters last year, twice as many as before.",
    ],
)
def test_paragraphs_that_only_begin_like_the_page_stay(line: str) -> None:
    assert words(reading(f"{PROSE}\n\n{line}\n\n{MORE}")) == [PROSE, line, MORE]


def test_the_title_is_never_among_the_sentences() -> None:
    title = "Harbour police dropped demand for names"
    body = f"Home News Harbour police dropped demand for names\n\n## {title}\n\n{PROSE}\n\n{MORE}"
    assert words(reading(body, title)) == [PROSE, MORE]


def test_a_nearly_equal_headline_is_the_title_too() -> None:
    body = f"Harbour Police Dropped A Demand For The Names\n\n{PROSE}"
    assert words(reading(body, "Harbour police dropped demand for the names")) == [PROSE]


def test_without_a_title_the_first_heading_is_taken() -> None:
    document = reading(f"Harbour police dropped demand for names\n\nBy Mira Solt\n\n{PROSE}")
    assert document.title == "Harbour police dropped demand for names"
    assert words(document) == [PROSE]
    assert reading(f"{PROSE} {MORE}").title == ""


def test_a_menu_that_runs_into_the_title_is_no_part_of_it() -> None:
    title = "Harbour police dropped demand for names"
    document = reading(f"Home News {title}\n\n{title}\n\n{PROSE}")
    assert (document.title, words(document)) == (title, [PROSE])


def test_by_lines_and_date_lines_are_not_sentences() -> None:
    body = f"Mira Solt\n\nUSA TODAY\n\nPORT ELLERY (AP) — {PROSE}\n\nBy Ada Brill and Jon Weck\n\n{MORE}"
    assert words(reading(body, "A title")) == [PROSE, MORE]


@pytest.mark.parametrize(
    "dateline",
    [
        "WASHINGTON (Reuters) - ",
        "Washington (CNN) ",
        "(CNN) ",
        "NEW YORK – ",
        "Mumbai, India - ",
        "June 25, 2025 - ",
        "date 2024-09-03 THE HAGUE, Netherlands (AP) - ",
    ],
)
def test_a_date_line_is_cut_off_its_sentence(dateline: str) -> None:
    assert words(reading(dateline + PROSE)) == [PROSE]


def test_what_only_looks_like_a_date_line_stays() -> None:
    sentence = (
        "NSA rules were broken - again - by an office that had promised the court that it would not happen."
    )
    assert words(reading(sentence)) == [sentence]


def test_teasers_forms_and_menus_behind_the_article_go() -> None:
    tail = (
        "Leave a Reply\n\nYour email address will not be published.\n\nRelated Articles\n\n"
        "Oyster season opens\n\nVisitors came from as far as the hills to taste the first...\n\n"
        "Pier gets a new colour\n\nResidents were asked in an online poll that was closed after..."
    )
    document = reading(f"{PROSE}\n\n{MORE}\n\n{tail}")
    assert words(document) == [PROSE, MORE]
    assert "Oyster season opens" in document.removed


def test_dated_teasers_and_cut_off_ones_go_without_a_heading_too() -> None:
    dated = "Oyster season opens with a record crowd\n\n24 Feb 2026\n\nPier gets a new colour\n\n20 Feb 2026"
    assert words(reading(f"{PROSE}\n\n{MORE}\n\n{dated}")) == [PROSE, MORE]
    cut = "Fourth quarter results beat what all had expected, but sales in the…\nA fine larger than the…"
    assert words(reading(f"{PROSE}\n{MORE}\n{cut}")) == [PROSE, MORE]


def test_an_article_that_goes_on_behind_a_box_of_links_is_read_to_its_end() -> None:
    box = "Related Stories\n\nDredger runs aground\n\nGull steals chain"
    assert words(reading(f"{PROSE}\n\n{box}\n\n{MORE}\n\n{MORE} It was not.")) == [
        PROSE,
        MORE,
        MORE,
        "It was not.",
    ]


def test_a_feed_s_cut_off_summary_is_all_there_is_and_stays() -> None:
    text = "The agency has withdrawn a subpoena that ordered a small web forum to name nine of its anonymous…"
    assert words(reading(text, "A title")) == [text]


def test_headings_are_marked() -> None:
    document = reading(
        f"{PROSE}\n\nWhat the forum says\n\n{MORE}\n\nCALLED OFF IN A HURRY\n\n{MORE} It was not."
    )
    assert [sentence.text for sentence in document.sentences if sentence.is_heading] == [
        "What the forum says",
        "CALLED OFF IN A HURRY",
    ]


def test_markdown_is_taken_off_and_the_sentence_says_so() -> None:
    body = (
        "## Dropped\n\n![A quay](quay.jpg)\n\n"
        "The account @ALT\\_HARBOUR is in [the filing](https://a.example/f) of **May**.<!-- more -->\n\n"
        "> The magistrate had not ruled when the police gave up, and nobody was told why it did so."
    )
    document = reading(body, "A title")
    first, second = [sentence for sentence in document.sentences if not sentence.is_heading]
    assert first.text == "The account @ALT_HARBOUR is in the filing of May."
    assert not first.as_stands
    assert second.text.startswith("The magistrate had not ruled")
    assert second.as_stands


def test_underscores_of_account_names_stay() -> None:
    sentence = (
        "The accounts @a_b_c and alt_uscis_2 were named, and so was _that_ one, in a letter to the company."
    )
    assert "@a_b_c" in reading(sentence).sentences[0].text
    assert "alt_uscis_2" in reading(sentence).sentences[0].text


def test_a_sentence_torn_apart_by_a_lost_link_is_put_together() -> None:
    document = reading(
        "A petition that was filed by\nagainst the order of the ministry was dismissed on Friday."
    )
    assert words(document) == [
        "A petition that was filed by against the order of the ministry was dismissed on Friday."
    ]


def test_hard_wrapped_text_is_read_by_paragraphs() -> None:
    body = (
        "The agency has withdrawn a subpoena that had ordered a small web\n"
        "forum to name nine of its anonymous members, and it has\n"
        "given no reason for this. The forum's owners said that they had\n"
        "learned of it by fax on the day before the hearing, which the\n"
        "magistrate then cancelled.\n\n"
        "A lawyer for the forum said that the police might well try again\n"
        "when the matter is forgotten."
    )
    document = reading(body, "A title")
    assert len(document.sentences) == 3
    assert document.sentences[-1].paragraph == 1


def test_dated_blocks_are_numbered_from_the_newest() -> None:
    older = (
        f"07/04/2025: Forum fights demand\n\n{MORE}\n\n01/04/2025: Police want names\n\n{MORE} It was not."
    )
    body = f"{PROSE}\n\n{older}"
    numbers = [(sentence.section, sentence.text[:10]) for sentence in reading(body, "A title").sentences]
    assert [number for number, _ in numbers] == [0, 1, 1, 2, 2, 2]


def test_a_live_blog_that_grows_downwards_has_its_newest_block_last() -> None:
    body = f"1 May 2025: Police want names\n\n{PROSE}\n\n3 May 2025: Demand is dropped\n\n{MORE}"
    assert [sentence.section for sentence in reading(body, "A title").sentences] == [1, 1, 0, 0]


def test_an_update_above_an_article_is_newer_than_the_article() -> None:
    body = f"UPDATE: On Thursday the magistrate closed the matter for good.\n\n{PROSE}\n\n{MORE}"
    assert [sentence.section for sentence in reading(body, "A title").sentences] == [0, 1, 1]


def test_findings_say_what_was_read_and_in_which_language() -> None:
    notes = Recorder()
    read(
        Article(
            "Tittel",
            "Myndigheten drog tillbaka sin begäran om användarnas namn sedan företaget gått till domstol.",
        ),
        notes,
    )
    assert [finding.stage for finding in notes.findings] == ["text", "language"]
    assert notes.findings[1].outcome == "unsupported"
    assert "sv" in notes.findings[1].reason


def test_only_so_much_of_a_text_is_read_and_it_is_said() -> None:
    notes = Recorder()
    document = read(Article("A title", (PROSE + "\n") * 3000), notes)
    assert len(document.text) <= MAX_CHARACTERS
    assert notes.findings[0].outcome == "cut"


def test_script_splices_are_found_for_those_who_look_for_names() -> None:
    text = "Rep. Ann Lee Ann Mary LeeHouse passes harbour bill Senate delays vote MORE (R-Md.) said no."
    ((start, end),) = clutter.splices(text)
    assert text[:start] + text[end:] == "Rep. Ann Lee  (R-Md.) said no."
    assert clutter.splices("The FBI wants MORE, says NASA.") == []


# ---------------------------------------------------------------- pages
def page(name: str) -> str:
    return (PAGES / f"{name}.html").read_text(encoding="utf-8")


READS_A_LONG_PAGE = """
from bot.record import Recorder
from bot.stories.model import Article
from bot.stories.text import read

def most():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

def reading(paragraph):
    source = f"<html><body><article><p>{paragraph}</p></article></body></html>"
    return read(Article("", source, is_html=True), Recorder())

reading("The bureau served the forum with a subpoena for the names of its members. " * 50)
before = most()
document = reading("FBI subpoena demands that Google unmask. " + "A. " * 1_000_000)
print(len(document.sentences), most() - before)
"""


def test_a_page_of_megabytes_in_one_paragraph_takes_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READS_A_LONG_PAGE], capture_output=True, text=True, check=True, timeout=60
    )
    sentences, kilobytes = map(int, done.stdout.split())
    assert sentences
    assert kilobytes < 35_000  # it took 120,000


def test_scripts_of_megabytes_before_an_article_do_not_hide_it() -> None:
    scripts = "<script>" + "window.q=function(a){return a};" * 50_000 + "</script>"
    source = page("news").replace('<body class="article">', f"<body>{scripts}", 1)
    assert scripts in source
    assert reading(source, is_html=True).text == reading(page("news"), is_html=True).text


def test_a_news_page_gives_its_article_and_nothing_else() -> None:
    document = reading(page("news"), is_html=True)
    assert document.title == "Harbour police dropped demand for ferry forum names"
    assert document.canonical_url == "https://courier.example/news/ferry-forum"
    assert document.language == "en"
    assert words(document)[0].startswith("The Ellery Harbour Police has withdrawn")
    assert words(document)[-1] == "Gangway said that it had handed over nothing."
    text = document.text
    for foreign in (
        "cookie",
        "Advertisement",
        "Dredger",
        "newsletter",
        "Share on",
        "keelhaul77",
        "Typical",
        "Oyster",
        "©",
        "Photograph",
        "Tags",
    ):
        assert foreign not in text


@pytest.mark.parametrize(
    ("name", "title", "first", "last"),
    [
        ("blog", "City pays broker for phone trails", "The city of Velden paid", "since spring."),
        (
            "breaks",
            "Senate panel backs limits on face scans",
            "A committee of the state Senate",
            "on Monday.",
        ),
        (
            "script",
            "Messenger refuses to weaken encryption",
            "The messenger Pebble said",
            "A hearing is set for June.",
        ),
        (
            "german",
            "Gericht stoppt Abfrage von Standortdaten",
            "Das Verwaltungsgericht Küstrin",
            "Beschwerde einlegen.",
        ),
    ],
)
def test_pages_of_many_kinds_give_their_article(name: str, title: str, first: str, last: str) -> None:
    document = reading(page(name), is_html=True)
    assert document.title == title
    assert words(document)[0].startswith(first)
    assert words(document)[-1].endswith(last)


@pytest.mark.parametrize(
    "piece",
    [
        f"<p>{PROSE}</p><p>{MORE}</p>",
        f"<p>{PROSE}</p>\n<figure><img src='a.jpg'><figcaption>A quay</figcaption></figure><p>{MORE}</p>",
        f"{PROSE}<br><br>{MORE}",
        f"<div><b>{PROSE}</b></div>{MORE}<script>var a = 'x';</script>",
        f"<p>{PROSE.replace(' ', chr(10))}</p>{MORE}",
    ],
)
def test_a_piece_of_html_as_feeds_carry_it_is_all_article(piece: str) -> None:
    assert words(reading(piece, "A title", is_html=True)) == [PROSE, MORE]


def test_a_page_of_ninety_thousand_tags_is_read_in_time() -> None:
    start = time.process_time()
    document = reading(
        f"<html><body>{'<p>word <a href=x>y</a>' * 30_000}<p>{PROSE}</body></html>", is_html=True
    )
    assert time.process_time() - start < 8
    assert words(document) == [PROSE]


@pytest.mark.parametrize(
    ("name", "wall"),
    [
        ("consent", "a consent notice"),
        ("paywall", "a pay-wall"),
        ("login", "a log-in form"),
        ("robot", "a check for robots"),
    ],
)
def test_walls_are_told_apart_and_said(name: str, wall: str) -> None:
    assert html.looks_like_wall(page(name)) == wall
    notes = Recorder()
    document = read(Article("", page(name), is_html=True), notes)
    assert any(finding.outcome == "wall" and wall in finding.reason for finding in notes.findings)
    assert len(document.sentences) == (1 if name == "paywall" else 0)


@pytest.mark.parametrize("name", ["news", "blog", "breaks", "script", "german"])
def test_pages_with_an_article_are_no_walls(name: str) -> None:
    assert html.looks_like_wall(page(name)) is None


def test_text_that_speaks_of_walls_is_none() -> None:
    article = f"{PROSE}\n{MORE}\nThe site then asked readers to log in to continue.\n{PROSE} {MORE}\n{MORE}"
    assert html.looks_like_wall(article) is None
    assert (
        html.looks_like_wall("Please verify you are human by completing the captcha.") == "a check for robots"
    )


@pytest.mark.parametrize(
    ("head", "title", "canonical"),
    [
        ("<title>Court rules - The Ledger</title>", "Court rules - The Ledger", None),
        ("<title>Court rules | The Ledger</title>", "Court rules", None),
        ("<title>Court rules - Courier</title>", "Court rules", None),
        ("<title>x</title><meta property='og:title' content='Court rules'>", "Court rules", None),
        (
            "<title>Court rules</title><link rel='canonical' href='https://courier.example/'>",
            "Court rules",
            None,
        ),
        ("<title>Court rules</title><link rel='canonical' href='javascript:alert(1)'>", "Court rules", None),
        ("<title>Court rules</title><link rel='canonical' href='http://[bad'>", "Court rules", None),
        (
            "<title>Court rules</title><link rel='canonical' href='/b'>",
            "Court rules",
            "https://courier.example/b",
        ),
        (
            "<title>Court rules</title><script type='application/ld+json'>{broken</script>",
            "Court rules",
            None,
        ),
    ],
)
def test_titles_and_addresses_of_pages(head: str, title: str, canonical: str | None) -> None:
    found = html.extract(
        f"<html><head>{head}</head><body><p>{PROSE}</p></body></html>", "https://courier.example/a"
    )
    assert (found.title, found.canonical_url) == (title, canonical)


@pytest.mark.parametrize("odd", ["\\ud83d", "\\u0000"])
def test_structured_data_gives_only_what_can_be_stored(odd: str) -> None:
    """JSON can write half of a surrogate pair and NUL, which no database takes; a page itself cannot."""
    said = f'"headline": "A \\ud83d\\udcf0 headline{odd}", "articleBody": "{PROSE * 4}{odd}"'
    head = f'<script type="application/ld+json">{{{said}}}</script>'
    found = html.extract(f"<html><head>{head}</head><body><p>Short.</p></body></html>")
    assert (found.title, found.text) == ("A \U0001f4f0 headline\ufffd", f"{PROSE * 4}\ufffd")


@pytest.mark.parametrize("odd", ["&#xd83d;", "&#55357;", "&#0;", "\ud83d", "\x00"])
def test_pages_give_only_what_can_be_stored(odd: str) -> None:
    head = f'<title>Title{odd}</title><link rel="canonical" href="/a{odd}">'
    page = html.extract(
        f"<html><head>{head}</head><body><p>{PROSE}{odd}</p></body></html>", "https://a.example"
    )
    for text in (page.text, page.title, page.canonical_url or ""):
        assert "\x00" not in text
        assert text == text.encode("utf-8", "replace").decode()  # else half of a surrogate pair is in it


# ---------------------------------------------------------------- strangers' bytes
@given(st.text(max_size=600), st.text(max_size=60))
def test_any_text_gives_a_document_whose_sentences_stand_in_it(body: str, title: str) -> None:
    document = reading(body, title)
    folded = " ".join(
        "".join(char if char >= " " and char not in "\x7f\ufeff" else " " for char in body).split()
    )
    for at, sentence in enumerate(document.sentences):
        assert sentence.index == at
        assert sentence.text == " ".join(sentence.text.split()) != ""
        if sentence.as_stands:
            assert sentence.text in folded


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("<>/=\"' abpdivhtml!-[]&;\n"), max_size=300))
def test_any_page_gives_a_document(body: str) -> None:
    reading(body, is_html=True)


@pytest.mark.parametrize(
    "line",
    [
        "By " + "A" * 150 + "!",
        "By " + "A-" * 75 + "!",
        "x - " * 34 + "zz",
        "share  1  " * 14 + "zz",
        "A, " * 46 + "- b",
        "AAA " * 34 + "b",
        "A.A " * 30 + "(X",
        "on by at " * 15 + "!",
        "Aa Bb " * 13 + "Aa, ?",
        "[a](b) " * 19 + "c",
        "Aa Aa Aa Aa AaB" * 20 + " MORE",
    ],
)
def test_no_line_makes_a_pattern_run_wild(line: str) -> None:
    reading(line, "A title")  # which may load what tells languages apart
    start = time.process_time()
    reading(f"{line}\n{PROSE}\n{line}.", "A title")
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a ",
        "A. ",
        "[",
        "](",
        "*",
        "**a",
        "_a_",
        "<",
        "<a ",
        "<!--",
        "\n",
        "By A ",
        "1 May 2020: A\n",
        "Read more\n",
        "Photo: x\n",
        "é",
        "“",
        "MORE aB ",
        "(AP",
    ],
)
def test_a_megabyte_of_anything_is_read_in_time(unit: str) -> None:
    body = unit * (1_000_000 // len(unit))
    start = time.process_time()
    reading(body, "A title")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "crowd",
    [
        "<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">",
        "<div " + "".join(f'a{n}="<>"' for n in range(100_000)) + ">",
        "<div>" * 200_000,
        "<b>" * 200_000,
    ],
    ids=("attributes", "attributes that hold the end of a tag", "nested boxes", "nested letters"),
)
def test_a_page_of_crowded_or_deeply_nested_tags_is_answered_soon(crowd: str) -> None:
    lead = "The FBI served Google with a subpoena for the records of an anonymous user on Monday. " * 6
    began = time.process_time()
    page = html.extract(
        f"<html><head><title>A subpoena</title></head><body><p>{lead}</p>{crowd}<p>{lead}</p></body>"
    )
    assert time.process_time() - began < 2
    assert page.title == "A subpoena"
    assert "served Google with a subpoena" in page.text
