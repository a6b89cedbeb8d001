"""Who is named in an article, by whatever words, and in which role: sentences of our own."""

from __future__ import annotations

import itertools
import time
from importlib import resources

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories.gazetteer import load, read_data, tokenise
from bot.stories.model import KINDS, ROLES, Demand, Document, Mention, Sentence
from bot.stories.parties import cast, find_mentions
from bot.stories.standing import lexicon


def document(title: str, *sentences: str) -> Document:
    return Document(title, tuple(Sentence(text, at, at) for at, text in enumerate(sentences)), "en")


def mentions(*sentences: str, title: str = "") -> tuple[Mention, ...]:
    return find_mentions(document(title, *sentences))


def names(*sentences: str, title: str = "") -> set[tuple[str, str]]:
    return {(m.name, m.kind) for m in mentions(*sentences, title=title)}


def roles(title: str, *sentences: str, demands: tuple[Demand, ...] = ()) -> dict[str, str]:
    read = document(title, *sentences)
    return {p.name: p.role for p in cast(read, find_mentions(read), demands, Recorder())}


def demand(issuer: str, recipient: str, target: str = "", instrument: str = "subpoena") -> Demand:
    return Demand(
        issuer=(issuer,),
        instrument=instrument,
        recipient=(recipient,),
        target=(target,) if target else (),
        sought=(),
        status="issued",
        evidence=(),
    )


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Agents of DHS came back with a second letter.", "Department of Homeland Security"),
        ("The U.S. Department of Homeland Security came back.", "Department of Homeland Security"),
        (
            "A form from US Immigration and Customs Enforcement arrived.",
            "Immigration and Customs Enforcement",
        ),
        ("Lawyers for X Corp. filed an answer.", "Twitter"),
        ("Twitter, Inc. filed an answer.", "Twitter"),
        ("Facebook filed an answer.", "Meta"),
        ("Meta Platforms, Inc. filed an answer.", "Meta"),
        ("The order names Signal, the encrypted messenger.", "Signal"),
        ("A panel of the 9th U.S. Circuit Court of Appeals disagreed.", "Ninth Circuit"),
        ("The Autoriteit Persoonsgegevens set a fine.", "Dutch Data Protection Authority"),
        ("It was MeitY that asked first.", "Ministry of Electronics and Information Technology"),
        ("The High Court of Karnataka was not persuaded.", "Karnataka High Court"),
        ("The Government of Kenya denies it.", "Kenyan government"),
        ("Kenya's government denies it.", "Kenyan government"),
    ],
)
def test_one_party_has_one_name_however_it_is_written(text: str, name: str) -> None:
    assert {m.name for m in mentions(text)} == {name}


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("The spyware maker Nightglass sold it to two ministries.", "Nightglass", "company"),
        ("Orrery Analytics LLC keeps the list.", "Orrery Analytics LLC", "company"),
        ("Tallowmere, a Boise-based data broker, keeps the list.", "Tallowmere", "company"),
        ("The Moose Jaw Police Department asked for it.", "Moose Jaw Police Department", "agency"),
        (
            "Deputies of the Elkwater County Sheriff's Office asked.",
            "Elkwater County Sheriff's Office",
            "agency",
        ),
        ("The Texas attorney general went to court.", "Texas attorney general", "agency"),
        ("Swiss authorities waited.", "Swiss authorities", "agency"),
        ("The Ministry of Digital Development waited.", "Ministry of Digital Development", "agency"),
        ("The Committee on Petitions heard him.", "Committee on Petitions", "organisation"),
        (
            "The U.S. District Court for the District of Oregon threw it out.",
            "U.S. District Court for the District of Oregon",
            "court",
        ),
        ("Judge Ottoline Fairweather threw it out.", "Ottoline Fairweather", "person"),
        ("Ottoline Fairweather, a lawyer with the shop, threw it out.", "Ottoline Fairweather", "person"),
        ("“We will fight,” said Quill Obafemi-Sands.", "Quill Obafemi-Sands", "person"),
        ("A reporter asked Mohammed bin Rashid al Harbi.", "Mohammed bin Rashid al Harbi", "person"),
        ("They looked for @quiet\\_harbor on Friday.", "@quiet_harbor", "account"),
        ("They looked for @quiet_harbor on Friday.", "@quiet_harbor", "account"),
    ],
)
def test_names_that_no_list_holds(text: str, name: str, kind: str) -> None:
    assert (name, kind) in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "However, Monday was quiet in Paris and in New York.",
        "The ice on the lake broke in April.",
        "She gave the signal and hung up; nothing was on the line.",
        "The Electronic Communications Privacy Act is older than the web.",
        "Write to press@example.org for more.",
        "A ring of light stood around the door, and an apple lay on the table.",
        "The house next to the court was sold.",
        "George Orwell would have smiled at the First Amendment.",
    ],
)
def test_what_is_no_party(text: str) -> None:
    assert names(text) == set()


def test_a_weak_alias_counts_with_support_only() -> None:
    assert ("Ring", "company") in names("Police asked Ring for video.", "The doorbell had filmed the street.")
    assert names("The boxer left the Ring at ten.") == set()
    assert ("Twitter", "company") in names("Elon Musk says X will appeal.", "Posts on X will stay.")
    assert names("Malcolm read the letter X aloud.") & {("Twitter", "company")} == set()


def test_the_same_words_mean_another_court_elsewhere() -> None:
    india = names("Delhi Police and the Indian government asked WhatsApp.", "The Supreme Court will hear it.")
    assert ("Supreme Court of India", "court") in india
    assert ("Supreme Court", "court") in names("The FBI asked AT&T.", "The Supreme Court will hear it.")


def test_a_committee_belongs_to_the_chamber_that_is_named() -> None:
    found = names("In the Senate the bill waits.", "The Judiciary Committee backed it.")
    assert ("Senate Judiciary Committee", "organisation") in found


def test_headlines_in_capitals_give_no_names_of_their_own() -> None:
    found = names(
        "The channel was gone by noon.", title="Video Site Calls Project Robin Goodfellow Wants Banned"
    )
    assert found == set()
    assert ("Robin Goodfellow", "person") in names(
        "The singer Robin Goodfellow said so.", title="Robin Goodfellow Wants Her Channel Back"
    )


def test_two_lines_run_together_make_no_second_person() -> None:
    found = names("Rep. Zoe Lofgren Zoe Ellen LofgrenDems press for vote MORE (D-Calif.) said so.")
    assert {name for name, kind in found if kind == "person"} == {"Zoe Lofgren"}


# ------------------------------------------------------------------ coreference


def find(surface: str, found: tuple[Mention, ...]) -> Mention:
    return next(m for m in found if m.surface == surface)


def test_last_names_follow_the_full_name_even_from_the_headline() -> None:
    found = mentions("Ottilie Brandt, a lawyer, refused.", "Brandt has until May.", title="Brandt refuses")
    assert [m.name for m in found] == ["Ottilie Brandt"] * 3
    assert found[0].by == "coreference"


def test_acronyms_in_brackets_are_remembered() -> None:
    found = mentions("The Authority for Network Oversight (ANO) wrote to DreamHost.", "The ANO wants names.")
    assert find("ANO", found[-1:]).name == "Authority for Network Oversight"


def test_an_acronym_means_what_the_article_says_it_means() -> None:
    found = mentions("The Institute for Coastal Ecology (ICE) sold maps.", "Buyers of ICE came from abroad.")
    assert find("ICE", found[-1:]).name == "Institute for Coastal Ecology"


@pytest.mark.parametrize(
    ("first", "second", "surface", "name"),
    [
        (
            "The FBI wrote to Reddit.",
            "The bureau wants names.",
            "The bureau",
            "Federal Bureau of Investigation",
        ),
        ("The FBI wrote to Reddit.", "The company refused.", "The company", "Reddit"),
        ("The FBI wrote to Reddit.", "The social network refused.", "The social network", "Reddit"),
        ("Roskomnadzor wrote to Telegram.", "The messenger refused.", "The messenger", "Telegram"),
        ("Roskomnadzor wrote to Telegram.", "The regulator waits.", "The regulator", "Roskomnadzor"),
        ("Delhi Police wrote to Google.", "Later police withdrew it.", "police", "Delhi Police"),
        ("The Oslo District Court sat.", "The court said no.", "The court", "Oslo District Court"),
        ("Judge Ada Winterbourne sat.", "The judge said no.", "The judge", "Ada Winterbourne"),
        ("The NSA kept it.", "Critics accuse the government.", "the government", "U.S. government"),
        ("Delhi Police kept it.", "Critics accuse the government.", "the government", "Indian government"),
    ],
)
def test_nouns_stand_for_the_party_named_before(first: str, second: str, surface: str, name: str) -> None:
    mention = find(surface, mentions(first, second))
    assert (mention.name, mention.by) == (name, "coreference")


def test_a_noun_that_points_on_is_no_mention() -> None:
    found = mentions(
        "The FBI wrote to Reddit.", "The company that hosts it is unknown.", "The company Foo is not."
    )
    assert [m.sentence for m in found if m.name == "Reddit"] == [0]


def test_mentions_stand_where_they_say_and_never_overlap() -> None:
    text = "FBI Director Christopher Wray told the House Judiciary Committee that Apple's phones are locked."
    found = mentions(text)
    assert [text[m.start : m.end] for m in found] == [m.surface for m in found]
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert [m.name for m in found] == [
        "Federal Bureau of Investigation",
        "Christopher Wray",
        "House Judiciary Committee",
        "Apple",
    ]


# ------------------------------------------------------------------ roles


def test_demands_give_the_roles() -> None:
    got = roles(
        "Homeland Security asks Reddit for a name",
        "DHS sent Reddit a subpoena over @quiet_harbor.",
        "“It is unconstitutional,” said Esha Bhandari of the ACLU.",
        "The account is critical of ICE.",
        demands=(demand("Department of Homeland Security", "Reddit", "@quiet_harbor"),),
    )
    assert got["Department of Homeland Security"] == "issuer"
    assert got["Reddit"] == "recipient"
    assert got["@quiet_harbor"] == "target"
    assert got["American Civil Liberties Union"] == "critic"
    assert got["Immigration and Customs Enforcement"] == "other"


def test_bought_data_has_a_buyer_and_a_vendor() -> None:
    got = roles(
        "Agency buys location data",
        "The IRS bought location data from Venntel.",
        demands=(demand("Internal Revenue Service", "Venntel", instrument="purchase"),),
    )
    assert (got["Internal Revenue Service"], got["Venntel"]) == ("buyer", "vendor")


def test_a_platform_that_bans_is_the_issuer_and_the_banned_its_target() -> None:
    got = roles(
        "Twitter suspends Milo Thistlewood",
        "Twitter suspended Milo Thistlewood on Monday.",
        "Twitter banned Thistlewood for good because of two posts.",
    )
    assert (got["Twitter"], got["Milo Thistlewood"]) == ("issuer", "target")


def test_a_regulator_fines_a_vendor() -> None:
    got = roles("CNIL fines Clearview AI", "CNIL fined Clearview AI 20 million euros on Thursday.")
    assert (got["CNIL"], got["Clearview AI"]) == ("issuer", "target")


def test_a_spyware_maker_is_a_vendor() -> None:
    got = roles(
        "Phones of editors infected",
        "Software of NSO Group was on the phone of an editor, Citizen Lab warned.",
        "The intelligence service AIVD would not comment.",
    )
    assert got["NSO Group"] == "vendor"
    assert got["Citizen Lab"] == "critic"


def test_lawyers_are_counsel() -> None:
    got = roles("Host fights warrant", "“Too wide,” said Raymond Oduya, a lawyer for the host.")
    assert got["Raymond Oduya"] == "counsel"


def test_a_paper_that_only_reports_is_no_party() -> None:
    got = roles("Police watch posts", "The NSA read mail for years, the New York Times reported.")
    assert "The New York Times" not in got


def test_every_party_comes_once_and_each_choice_is_explained() -> None:
    read = document(
        "Twitter and X", "X Corp, once Twitter Inc, met the FBI.", "The F.B.I. and Twitter talked."
    )
    notes = Recorder()
    chosen = cast(read, find_mentions(read), (), notes)
    assert len({p.name for p in chosen}) == len(chosen) == len(notes.findings)
    assert all(p.kind in KINDS and p.role in ROLES and p.mentions > 0 for p in chosen)
    assert all(f.stage == "party" and f.reason for f in notes.findings)


# ------------------------------------------------------------------ forces, places, common words


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("Police in Larkton asked the dating site for names.", "Larkton police", "agency"),
        ("A letter came from prosecutors in Munich on Friday.", "Munich prosecutors", "agency"),
        ("Police in Tanzania wanted to know who wrote it.", "Tanzanian police", "agency"),
        ("The sheriff of Larkton County sent a subpoena.", "Larkton County Sheriff", "agency"),
        ("The Idaho Falls police had no warrant.", "Idaho Falls police", "agency"),
        ("Larkton County in Texas paid 70,000 dollars a year.", "Larkton County", "agency"),
        ("Denver refused to hand the files to the agency.", "Denver", "agency"),
        (
            "The Harrow Journalists' Syndicate will go to court.",
            "Harrow Journalists' Syndicate",
            "organisation",
        ),
        ("The Ramallah Magistrate's Court signed the order.", "Ramallah Magistrate's Court", "court"),
        ("The messenger Wire gave the address.", "Wire", "company"),
        ("The request went to Apple, Rumble and Meta.", "Rumble", "company"),
        ("An order reached Dynadot, the registrar.", "Dynadot", "company"),
        ("HM Revenue and Customs sent the notice.", "HMRC", "agency"),
        ("The lawyer Nathan Law has left the city.", "Nathan Law", "person"),
        ("A warrant for the chats of Jung Jin-woo was signed.", "Jung Jin-woo", "person"),
    ],
)
def test_what_no_list_holds_and_what_is_a_word_too(text: str, name: str, kind: str) -> None:
    assert (name, kind) in names(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A rumble went through the hall, and the wire broke.", "Rumble"),
        ("United States lawyers flew with United Airlines.", "United"),
        ("A man from Denver asked the police for help.", "Denver"),
        ("The family moved to Larkton County and paid its taxes.", "Larkton County"),
        ("Denver's requests were refused.", "Denver"),
        ("Tim Kaine said that Claro and Oi had called.", "TIM"),
    ],
)
def test_a_place_or_a_word_is_no_party_where_it_does_not_act(text: str, name: str) -> None:
    assert name not in {found for found, _ in names(text)}


def test_a_chapter_and_its_organisation_are_one_party_by_the_name_that_comes_first() -> None:
    lines = ("The ACLU of Nevada filed a motion.", "The ACLU called the demand too wide.")
    assert {m.name for m in mentions(*lines)} == {"ACLU of Nevada"}
    assert {m.name for m in mentions(*reversed(lines))} == {"American Civil Liberties Union"}
    apart = names("The ACLU of Nevada and the ACLU of Ohio filed a brief.")
    assert {name for name, _ in apart} == {"ACLU of Nevada", "ACLU of Ohio"}


# ------------------------------------------------------------------ data, and any text at all


def test_the_data_are_sound() -> None:
    gazetteer = load()
    assert len(gazetteer.entries) > 1000
    for entry in gazetteer.entries.values():
        assert entry.kind in KINDS, entry.name
        assert not entry.parent or gazetteer.entry(entry.parent), f"{entry.name}: parent {entry.parent}"
        for _, other in entry.instead:
            assert gazetteer.entry(other), f"{entry.name}: instead {other}"
        for country in [entry.country, *(country for country, _ in entry.instead)]:
            assert country in ("", "European Union") or country in gazetteer.places.adjective, entry.name


def test_no_name_is_listed_twice_and_no_alias_means_two_parties() -> None:
    gazetteer = load()
    listed: list[str] = []
    folder = resources.files("bot.stories").joinpath("data", "parties")
    for file in folder.iterdir():
        for group in read_data(f"parties/{file.name}")["group"]:
            listed.extend(group["parties"])
    assert sorted(listed) == sorted(set(listed))

    def clashes(node: dict) -> list[tuple[str, str]]:
        aliases = [a for a in node.get("", ()) if not a.weak]
        here = [(a.entry.name, b.entry.name) for a in aliases for b in aliases if a.words == b.words]
        deeper = [pair for key, child in node.items() if key for pair in clashes(child)]
        return [pair for pair in here if pair[0] != pair[1]] + deeper

    assert clashes(gazetteer.trie.root) == []


def test_tokens_keep_their_places() -> None:
    text = "O’Brien of the U.S. said: @a\\_b isn't Google's."
    tokens = tokenise(text)
    assert [text[tokens.start(i) : tokens.end(i)] for i in range(len(tokens.words))] == tokens.words
    assert tokens.lows[:4] == ["o'brien", "of", "the", "us"]


BITS = st.sampled_from(
    (
        *(
            "The",
            "FBI",
            "(",
            ")",
            "said",
            "Judge",
            "Jane",
            "Doe",
            "of",
            "and",
            ",",
            ".",
            "@a_b",
            "Inc",
            "the",
        ),
        *(
            "Department",
            "company",
            "County",
            "'s",
            "U.S.",
            "X",
            "Twitter",
            "suspended",
            "by",
            "was",
            "'",
            "-",
        ),
        *("\u0130", "Ring", "House"),
    )
)


@settings(max_examples=150, deadline=None)
@example("U.S.FBI:U.S. Inc", [])  # "U.S." is part of the agency's name, and short for the firm's
@given(
    st.text(max_size=300), st.lists(st.one_of(st.text(max_size=60), st.lists(BITS).map(" ".join)), max_size=6)
)
def test_any_text_gives_mentions_and_parties(title: str, texts: list[str]) -> None:
    read = document(title, *texts)
    found = find_mentions(read)
    for m in found:
        text = title if m.sentence == -1 else texts[m.sentence]
        assert text[m.start : m.end] == m.surface and m.surface and m.name and m.kind in KINDS
    order = [(m.sentence, m.start, m.end) for m in found]
    assert order == sorted(order)
    assert all(a[0] < b[0] or a[2] <= b[1] for a, b in itertools.pairwise(order))
    assert all(p.role in ROLES and p.kind in KINDS for p in cast(read, found, (), Recorder()))


@pytest.mark.parametrize(
    "piece",
    [
        "President ",
        "Twitter, ",
        "the FBI said the agency ",
        "Jane Doe-Smith and ",
        '"“A ',
        "Department of ",
        "County ",
        "A. B. ",
        "@a_b suspended ",
        "Aa" * 20,
        "(X) ",
        "Al de la ",
    ],
)
def test_a_sentence_of_a_hundred_thousand_characters_takes_no_longer_than_its_length(piece: str) -> None:
    assert lexicon() and load()
    text = piece * (100_000 // len(piece))
    read = document(text[:200], text)
    began = time.process_time()
    cast(read, find_mentions(read), (), Recorder())
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize(
    ("sentence", "name", "kind"),
    [
        ("The Seoul Central District Court ruled against Google.", "Seoul Central District Court", "court"),
        ("The Moscow City Court fined Telegram on Monday.", "Moscow City Court", "court"),
        ("The Amtsgericht Stuttgart asked the provider for mails.", "Amtsgericht Stuttgart", "court"),
        ("The Tribunal judiciaire de Paris blocked the site.", "Tribunal judiciaire de Paris", "court"),
        ("A ruling of the Cour de cassation followed.", "French Court of Cassation", "court"),
        ("The Cologne Administrative Court agreed.", "Cologne Administrative Court", "court"),
        ("The Landeskriminalamt Sachsen wrote to the company.", "Landeskriminalamt Sachsen", "agency"),
        ("The Paris prosecutor's office opened a case.", "Paris prosecutor's office", "agency"),
        ("The warrant of Baton Rouge police named the phone.", "Baton Rouge police", "agency"),
        ("Okmulgee police asked for the records.", "Okmulgee police", "agency"),
        ("Reporters without Borders objected.", "Reporters Without Borders", "organisation"),
        ("AGCOM fined Cloudflare.", "AGCOM", "agency"),
        (
            "The Information Commissioner's Office fined TikTok.",
            "Information Commissioner's Office",
            "agency",
        ),
        ("The House Judiciary Committee sent a letter.", "House Judiciary Committee", "organisation"),
        (
            "A ministry, the Ministry of Communications on Tuesday said, may ask.",
            "Ministry of Communications",
            "agency",
        ),
        (
            "The Ministry of Science and Information Technology ordered it.",
            "Ministry of Science and Information Technology",
            "agency",
        ),
    ],
)
def test_courts_and_authorities_of_all_countries(sentence: str, name: str, kind: str) -> None:
    assert (name, kind) in names(sentence)
    assert not any(other != name and set(other.split()) & set(name.split()) for other, _ in names(sentence))


@pytest.mark.parametrize("start", ["Armed", "Questioning", "Local", "When", "Dozens of Russian"])
def test_police_after_other_words_is_no_town_s(start: str) -> None:
    assert not any(name.startswith(start) for name, _ in names(f"{start} police took the phone."))


def test_two_authorities_joined_by_and_the_stay_two() -> None:
    found = names("The Paris Court of Appeal and the Milan Tribunal were asked.")
    assert found == {("Paris Court of Appeal", "court"), ("Milan Tribunal", "court")}


@pytest.mark.parametrize(
    "sentence",
    [
        "Australia's regulator fined X for its silence.",
        "X, formerly Twitter, refused.",
        "In a post on X, the minister said so.",
        "Lawyers for X said the order went too far; the judge ordered X to answer.",
    ],
)
def test_the_platform_with_one_letter(sentence: str) -> None:
    assert ("Twitter", "company") in names(sentence)


def test_other_letters_x_are_no_platform() -> None:
    found = names("Posts on X were about Generation X and Malcolm X, and about plan X of the ministry.")
    assert ("Malcolm X", "person") in found
    where = [m for m in mentions("Posts on X were about Generation X.") if m.name == "Twitter"]
    assert [m.start for m in where] == [9]


@pytest.mark.parametrize(
    ("sentence", "name", "kind"),
    [
        ("A subpoena reached Ridgeline Fiber on Monday.", "Ridgeline Fiber", "company"),
        ("It went to Halden Broadband and Norcove Telephone.", "Halden Broadband", "company"),
        ("It went to Halden Broadband and Norcove Telephone.", "Norcove Telephone", "company"),
        ("The Lowell County Sheriff's Office declined.", "Lowell County Sheriff's Office", "agency"),
        ("Cook County State's Attorney's Office asked.", "Cook County State's Attorney's Office", "agency"),
        ("Doctors of Boston Children's Hospital objected.", "Boston Children's Hospital", "organisation"),
        ("The Fairview Unified School District bought it.", "Fairview Unified School District", "agency"),
        ("Reporters of BuzzFeed News refused.", "BuzzFeed News", "organisation"),
    ],
)
def test_names_that_no_list_holds_stand_in_full(sentence: str, name: str, kind: str) -> None:
    assert (name, kind) in names(sentence)


def test_a_party_that_only_a_demand_betrays_is_among_the_parties() -> None:
    text = "Vellora subpoenaed Google on Monday for the records of a user. Vellora wants the data in a week."
    read = document("A subpoena from Vellora", text)
    found = cast(read, find_mentions(read), (demand("Vellora", "Google"),), Recorder())
    assert {("Vellora", "issuer"), ("Google", "recipient")} <= {(party.name, party.role) for party in found}
