"""Search and completion: the same on both databases, nothing that may not be seen, and no errors."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from db import lookups, search, stories
from db.engine import Database
from db.lookups import Viewer
from db.passages import find_passage
from db.search_query import parse_query
from db.stems import forms_of, starts_of, stem, words_of
from db.suggest import slips
from db.tables import CaseRow, EntryRow, FeedPartyRow, FeedRow, GuildFeedRow, PartyRow, PartyWordRow
from db.warm import warm

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HERE, ELSEWHERE = Viewer(1), Viewer(2)
OPERATOR = Viewer(operator=True)
PERSON = Viewer()

# ruff: noqa: E501 - rows of a table
STORIES: tuple[tuple[str, str, str, str, str, int], ...] = (
    # title, text, language, party, feed, age in days
    ("Border agency withdraws subpoena", "Officials explained encryption rules.", "en", "Google", "ours", 1),
    ("Court hears a case", "It is about subpoenas.", "en", "Federal Bureau of Investigation", "ours", 2),
    ("Vorladungen gegen Verlage", "Die Behörde überwachte die Redaktion.", "de", "Bundeskriminalamt", "ours", 3),
    ("La policía retira la citación", "Los periodistas fueron vigilados.", "es", "Guardia Civil", "public", 4),
    ("Secret subpoena of another server", "Nobody else may read this.", "en", "Quietcorp", "theirs", 5),
    ("Old subpoena story", "A story of long ago.", "en", "Google", "ours", 900),
)  # fmt: skip


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.write() as session:
        feeds: dict[str, int] = {}
        for name in ("ours", "theirs", "public"):
            row = FeedRow(url=f"https://{name}.example/", added_at=NOW, public=name == "public")
            session.add(row)
            await session.flush()
            feeds[name] = row.id
        session.add(GuildFeedRow(guild_id=1, feed_id=feeds["ours"], added_at=NOW))
        session.add(GuildFeedRow(guild_id=2, feed_id=feeds["theirs"], added_at=NOW))
        for number, (title, body, language, party, feed, age) in reversed(list(enumerate(STORIES))):
            at = NOW - timedelta(days=age)
            case = CaseRow(title=title, opened=at, updated=at)
            entry = EntryRow(feed_id=feeds[feed], key=str(number), first_seen=at)
            session.add_all([case, entry])
            await session.flush()
            new = stories.NewStory(
                url=f"https://x.example/{number}", url_key=None, title=title, source="S", published=at,
                language=language, relevant=True, relevance=0.9, status="issued" if number % 2 else "withdrawn",
                summary=(), text=body, analysis={},
                topics=(("legal-demands" if number % 2 else "surveillance", 0.9),),
                parties=(stories.NewParty(party, "agency", "issuer", 1),),
                demands=(stories.NewDemand((party,), "subpoena", ("Harborline",), (), (), "issued", None, ()),),
            )  # fmt: skip
            story = await stories.insert_story(session, new, case_id=case.id, adds="new", now=at)
            await stories.add_story_feed(session, story, feeds[feed], entry.id)
    return database


async def _titles(database: Database, viewer: Viewer, query: str, **filters: object) -> list[str]:
    async with database.read() as session:
        found, total, _ = await lookups.search_stories(session, viewer, query, limit=50, **filters)  # type: ignore[arg-type]
    assert len(found) == total
    return [story.title for story in found]


async def test_words_phrases_exceptions_and_beginnings_in_any_form(filled: Database) -> None:
    asked = {
        "subpoenaed": ["Border agency withdraws subpoena", "Court hears a case", "Old subpoena story"],
        "subpoena -court": ["Border agency withdraws subpoena", "Old subpoena story"],
        '"border agency"': ["Border agency withdraws subpoena"],
        '"agency border"': [],
        "encrypt*": ["Border agency withdraws subpoena"],
        "vorladung": ["Vorladungen gegen Verlage"],
        "redaktionen": ["Vorladungen gegen Verlage"],
        "google subpoena": ["Border agency withdraws subpoena", "Old subpoena story"],
        "-google": [],
        "": [],
    }
    for query, titles in asked.items():
        assert sorted(await _titles(filled, HERE, query)) == sorted(titles), query
    assert await _titles(filled, PERSON, "citacion") == ["La policía retira la citación"]


async def test_what_is_about_the_words_comes_first_and_of_these_the_newest(filled: Database) -> None:
    best = await _titles(filled, HERE, "subpoena")
    assert best == ["Border agency withdraws subpoena", "Court hears a case", "Old subpoena story"]
    async with filled.write() as session:
        await session.execute(text("UPDATE stories SET published = first_seen"))
    newest = await _titles(filled, HERE, "subpoena", newest_first=True)
    assert newest == ["Border agency withdraws subpoena", "Court hears a case", "Old subpoena story"]


async def test_filters(filled: Database) -> None:
    found = await _titles(filled, HERE, "subpoena", topic="legal-demands")
    assert found == ["Court hears a case", "Old subpoena story"]
    assert await _titles(filled, HERE, "subpoena", party="GOOGLE", since=NOW - timedelta(days=30)) == [
        "Border agency withdraws subpoena"
    ]
    assert await _titles(filled, HERE, "subpoena", status="withdrawn") == ["Border agency withdraws subpoena"]
    assert await _titles(filled, HERE, "subpoena", party="nobody") == []


async def test_nobody_finds_what_their_server_does_not_see(filled: Database) -> None:
    assert await _titles(filled, ELSEWHERE, "subpoena") == ["Secret subpoena of another server"]
    assert "Secret subpoena of another server" in await _titles(filled, OPERATOR, "subpoena")
    for viewer in (HERE, PERSON):
        assert await _titles(filled, viewer, "secret") == []
        async with filled.read() as session:
            assert await lookups.find_cases(session, viewer, "secret") == []
            assert await lookups.find_cases(session, viewer, "sercet") == []
            assert "Quietcorp" not in await lookups.party_names(session, viewer, "")
            assert await lookups.party_names(session, viewer, "quietc") == []


async def test_names_complete_by_any_word_and_forgive_slips(filled: Database) -> None:
    async with filled.read() as session:
        bureau = ["Federal Bureau of Investigation"]
        for typed in ("Fed", "bureau", "investig", "bureau fed", "Federla", "burau"):
            assert await lookups.party_names(session, HERE, typed) == bureau, typed
        assert await lookups.party_names(session, HERE, "fed", side="issuer") == bureau
        assert await lookups.party_names(session, HERE, "fed", side="target") == []
        assert await lookups.party_names(session, OPERATOR, "harbor", side="recipient") == ["Harborline"]
        assert await lookups.party_names(session, HERE, "harbor", side="recipient") == ["Harborline"]
        assert await lookups.party_names(session, HERE, "harbor", side="issuer") == []
        assert (await lookups.party_names(session, HERE, ""))[0] == "Google"
        for typed in ("border", "withdr", "Border agency withdraws subpoena", "bordre agency", "bo"):
            found = await lookups.find_cases(session, HERE, typed)
            assert [case.title for case in found] == ["Border agency withdraws subpoena"], typed
        assert len(await lookups.find_cases(session, HERE, "")) == 4


async def test_a_case_is_found_behind_many_stories_of_others_and_of_one_case(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer stories looked through at first, and a server whose feeds are too many for the index."""
    monkeypatch.setattr(lookups, "_WITH_WORDS", ((2, 6, 20), 3))
    monkeypatch.setattr(lookups, "_WITH_SHORT", ((2, 6, 20), 3))
    monkeypatch.setattr(search, "_FEEDS_IN_INDEX", 0)
    # From the oldest story on: the case and who brought it. Of the newest six this server may see three.
    brought = [("rare", "theirs"), ("old", "ours"), *[("long", "ours")] * 3, *[("secret", "theirs")] * 3]
    async with database.write() as session:
        feeds = {name: FeedRow(url=f"https://{name}.example/", added_at=NOW) for name in ("ours", "theirs")}
        cases = {name: CaseRow(title=f"Harbour {name}", opened=NOW, updated=NOW) for name, _ in brought}
        session.add_all([*feeds.values(), *cases.values()])
        await session.flush()
        session.add(GuildFeedRow(guild_id=1, feed_id=feeds["ours"].id, added_at=NOW))
        for number, (case, feed) in enumerate(brought):
            new = stories.NewStory(
                url=f"https://x.example/{number}", url_key=None, title=f"Harbour {case}", source="S",
                published=NOW, language="en", relevant=True, relevance=0.9, status=None, summary=(), text="",
                analysis={},
            )  # fmt: skip
            story = await stories.insert_story(session, new, case_id=cases[case].id, adds="new", now=NOW)
            await stories.add_story_feed(session, story, feeds[feed].id, None)
    async with database.read() as session:
        for typed in ("harbour", "harb"):
            assert [c.title for c in await lookups.case_names(session, HERE, typed, limit=1)] == [
                "Harbour long"
            ]
            found = await lookups.case_names(session, HERE, typed)
            assert {case.title for case in found} == {"Harbour long", "Harbour old"}
        for typed, title in (
            ("harbour ol", "Harbour old"),
            ("old", "Harbour old"),
            ("hrabour old", "Harbour old"),
        ):
            assert [c.title for c in await lookups.case_names(session, HERE, typed)] == [title], typed
        assert await lookups.case_names(session, ELSEWHERE, "harbour") == []
        assert len(await lookups.case_names(session, OPERATOR, "harbour rar")) == 1


def _statements(database: Database) -> list[str]:
    """What is asked of a database from now on."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            asked.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return asked


async def test_completion_asks_few_statements(filled: Database) -> None:
    """Each takes about a millisecond whatever it asks, and a person types faster than ten of them."""
    asked = _statements(filled)
    for complete, typed, most in (
        (lookups.party_names, "fed", 1),
        (lookups.party_names, "federla", 3),
        (lookups.case_names, "border", 4),
        (lookups.case_names, "bordre", 6),
    ):
        async with filled.read() as session:
            asked.clear()
            assert await complete(session, HERE, typed)
        assert len(asked) <= most, (typed, asked)


async def test_the_first_to_ask_asks_nothing_that_was_not_asked_before(filled: Database) -> None:
    """Each statement is written and planned at its first time: `warm` asks them before anybody waits."""
    asked = _statements(filled)
    await warm(filled)
    before = set(asked)
    for viewer in (ELSEWHERE, PERSON):
        async with filled.read() as session:
            await lookups.party_names(session, viewer, "quiet")
            await lookups.party_names(session, viewer, "quiet", side="issuer")
            await lookups.case_names(session, viewer, "secret subp")
    assert set(asked) - before == set()


async def test_warming_up_an_empty_database_or_one_that_is_away_is_no_error(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await warm(database)
    assert caplog.text == ""
    async with database.write() as session:
        await session.execute(text("ALTER TABLE stories RENAME TO elsewhere"))
    await warm(database)
    assert "first look-ups will be slow" in caplog.text


async def test_a_further_feed_shows_a_story_to_its_servers(filled: Database) -> None:
    async with filled.write() as session:
        feed = await session.get_one(FeedRow, 1)
        entry = EntryRow(feed_id=feed.id, key="again", first_seen=NOW)
        session.add(entry)
        await session.flush()
        secret, *_ = await lookups.search_stories(session, OPERATOR, "secret")
        await stories.add_story_feed(session, secret[0].id, feed.id, entry.id)
        await stories.add_story_feed(session, secret[0].id, feed.id, entry.id)
    assert await _titles(filled, HERE, "secret") == ["Secret subpoena of another server"]
    async with filled.read() as session:
        assert await lookups.party_names(session, HERE, "quietc") == ["Quietcorp"]


# Pieces of the two databases' own languages, quotes, signs and letters of many scripts.
_PIECES = st.sampled_from(
    ["subpoena", '"', "'", "*", "-", "(", ")", "|", "&", "!", "<->", ":", ":*", "AND", "OR", "NOT", "NEAR(",
     "\\", "\x00", "%", "_", "^", "{", "}", "+", "ß", "İ", "ﬁ", "国家", "é", "e\u0301", "🙂", "\ud800", ";--", "7"]
)  # fmt: skip
_ANY = st.one_of(
    st.text(max_size=600), st.lists(_PIECES, max_size=30).map(" ".join), st.lists(_PIECES).map("".join)
)


async def test_no_query_is_an_error(filled: Database) -> None:
    loop = asyncio.get_running_loop()

    async def ask(query: str) -> None:
        async with filled.read() as session:
            for viewer in (HERE, OPERATOR):
                found, total, _ = await lookups.search_stories(session, viewer, query)
                assert len(found) <= total
                assert all(story.title.startswith("Secret") is False or viewer is OPERATOR for story in found)
            await lookups.find_cases(session, HERE, query)
            await lookups.party_names(session, HERE, query)
            for story in found:
                find_passage(query, summary=story.summary, text=story.text, language=story.language)

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_ANY)
    def every(query: str) -> None:
        asyncio.run_coroutine_threadsafe(ask(query), loop).result(60)

    await asyncio.to_thread(every)
    async with filled.read() as session:  # and nothing of it was carried out
        assert (await session.execute(text("SELECT count(*) FROM stories"))).scalar_one() == len(STORIES)


def test_the_passage_shows_the_hits_where_they_stand() -> None:
    body = (
        "Nothing here. " * 40
        + "The border agency withdrew its administrative subpoenas on Friday. "
        + "More. " * 60
    )
    found = find_passage('subpoena "border agency"', summary=["A summary."], text=body, language="en")
    assert found is not None
    assert [found.text[start:end] for start, end in found.hits] == ["border agency", "subpoenas"]
    assert found.text.startswith("… ")
    assert len(found.text) < 330
    short = find_passage("summary", summary=["A summary."], text=body, language="en")
    assert short is not None
    assert (short.text, short.hits) == ("A summary.", ((2, 9),))
    assert find_passage("lantern", summary=["A summary."], text=body, language="en") is None


@given(st.text(max_size=300), st.text(max_size=80))
def test_a_passage_marks_what_stands_in_it(body: str, query: str) -> None:
    found = find_passage(query, summary=[], text=body, language="en", length=100)
    if found is not None:
        assert found.hits
        assert all(0 <= start < end <= len(found.text) for start, end in found.hits)


def test_words_are_stemmed_in_seven_languages() -> None:
    pairs = {
        "en": ("subpoenas", "subpoenaed"), "de": ("Überwachungen", "Überwachung"), "fr": ("perquisitions", "perquisition"),
        "es": ("vigilados", "vigiladas"), "pt": ("vigiadas", "vigiados"), "it": ("intercettazioni", "intercettazione"),
        "nl": ("dagvaardingen", "dagvaarding"),
    }  # fmt: skip
    for language, (one, other) in pairs.items():
        assert stem(one.casefold(), language) == stem(other.casefold(), language), language
        assert (stem(one.casefold(), language),) in forms_of([other.casefold()]), language


def test_a_query_is_bounded_and_slips_are_counted() -> None:
    assert len(parse_query("a " * 1000)) == 16
    assert parse_query('- -- * "" \'') == ()
    apart = normalize("NFD", "La política de vigilância")
    assert parse_query(apart) == parse_query("La política de vigilância")
    passage = find_passage("vigilancia", summary=(), text=apart, language="pt")
    assert passage is not None and passage.text[slice(*passage.hits[0])] == "vigilância"
    for query, language, told in (
        ("hacken", "nl", "De telefoon werd gehackt."),
        ("überwachung", "de", "Die Ueberwachung der Presse."),
        ("lie", "en", "He was lying."),
    ):
        assert find_passage(query, summary=(), text=told, language=language), told
    for typed in ("“border agency” –court", "« border agency » −court", "„border agency“ -court"):
        assert parse_query(typed) == parse_query('"border agency" -court'), typed
    assert [slips("google", other, 2) for other in ("google", "gogle", "goolge", "googel", "gaagle", "apple")] == [
        0, 1, 1, 1, 2, 3,
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "it", "nl", "xx"])
def test_a_stem_begins_as_is_told(language: str) -> None:
    text = "dying às skies únicos Überwachung ueber aergern gehackt geeft g ge yeux état ψηφία сводка 監視 ﬁle ñandú 2026"
    for word in words_of(text):
        assert stem(word, language)[:2] in starts_of(word, language), word


@pytest.mark.parametrize(
    "rest", [2, 10_000]
)  # hits that older stories may hold to be asked at once: windows, none
async def test_the_newest_are_found_wherever_they_stand_in_the_store(
    database: Database, monkeypatch: pytest.MonkeyPatch, rest: int
) -> None:
    """The index against reading every story, with parts so small that many are asked one after the other."""
    monkeypatch.setattr(search, "BUCKET", 4)
    monkeypatch.setattr(search, "_REST", rest)
    chance = random.Random(5)
    bodies: dict[int, list[str]] = {}
    words = ["alpha"] * 6 + ["beta"] * 3 + ["gamma"] * 2 + ["delta"]
    async with database.write() as session:
        for number in range(90):
            body = chance.choices(words, k=3) + (["omega", "alpha"] if number == 2 else [])
            new = stories.NewStory(
                url=f"https://x.example/{number}", url_key=None, title=f"number{number}", source="S", published=NOW,
                language="en", relevant=number % 7 != 0, relevance=0.9, status=None, summary=(), text=" ".join(body),
                analysis={}, topics=(("privacy", 0.9),) if "beta" in body else (),
            )  # fmt: skip
            story = await stories.insert_story(session, new, case_id=None, adds="new", now=NOW)
            if new.relevant:
                bodies[story] = body

    def meets(body: list[str], query: str) -> bool:
        told = f" {' '.join(body)} "
        for term in parse_query(query):
            there = f" {' '.join(term.words)}{'' if term.prefix else ' '}" in told
            if there == term.without:
                return False
        return True

    queries = ["alpha", "beta", "delta", "alpha gamma", "delta gamma", "beta -alpha", "gamma -delta -beta", '"alpha beta"',
               '"gamma alpha" beta', '"delta beta gamma"', 'alpha -"alpha beta"', '"beta beta" -"beta alpha"', "omega",
               '"omega alpha"', "gam*", "alph* -bet*", "nothing"]  # fmt: skip
    async with database.read() as session:
        for query in queries:
            for topic in (None, "privacy"):
                for limit in (1, 5, 200):
                    filters = search.Filters(topic=topic)
                    asked = await search.prepare(session, OPERATOR, parse_query(query), filters)
                    found, whole = await search.find(session, asked, 0, limit)
                    plain = [
                        story for story, body in sorted(bodies.items(), reverse=True)
                        if meets(body, query) and (topic is None or "beta" in body)
                    ]  # fmt: skip
                    assert list(found) == plain[:limit], (query, topic, limit)
                    assert whole is (len(plain) < limit), (query, topic, limit)
        monkeypatch.setattr(search, "_PHRASES", 5)  # with these words there are more stories
        asked = await search.prepare(session, OPERATOR, parse_query('"beta gamma"'), search.Filters())
        assert not (await search.find(session, asked, 0, 200)).whole
        everything = await search.prepare(session, OPERATOR, (), search.Filters())
        assert list((await search.find(session, everything, 0, 10)).ids) == sorted(bodies, reverse=True)[:10]


async def test_a_small_server_completes_its_own_names_among_many_better_known(filled: Database) -> None:
    async with filled.write() as session:
        feed = FeedRow(url="https://many.example/", added_at=NOW)
        session.add(feed)
        await session.flush()
        for number in range(450):
            party = PartyRow(name=f"Gold {number}", name_key=f"gold {number}", kind="company", stories=99)
            session.add(party)
            await session.flush()
            session.add(FeedPartyRow(party_id=party.id, feed_id=feed.id, sides=1))
            session.add(PartyWordRow(word="gold", party_id=party.id))
    async with filled.read() as session:
        every = await lookups.party_names(session, HERE, "")
        assert {"Google", "Harborline", "Federal Bureau of Investigation"} <= set(every)
        assert await lookups.party_names(session, HERE, "", side="recipient") == ["Harborline"]
        assert await lookups.party_names(session, HERE, "", limit=2) == every[:2]
        for typed in ("g", "go", "goo"):
            assert await lookups.party_names(session, HERE, typed) == ["Google"], typed
        assert "Google" not in await lookups.party_names(session, ELSEWHERE, "go")
