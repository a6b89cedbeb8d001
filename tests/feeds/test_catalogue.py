"""The catalogue that comes with the program."""

from __future__ import annotations

from bot.feeds import catalogue
from bot.feeds.identity import canonical_url
from bot.feeds.reading.clean import web_address

TOPICS = {
    "legal-demands", "surveillance", "data-brokers", "biometrics", "spyware", "encryption", "anonymity",
    "free-speech", "platform-moderation", "privacy-law", "transparency",
}  # fmt: skip


def test_every_feed_is_whole() -> None:
    feeds = catalogue.load()
    assert len(feeds) >= 40
    assert (
        len({feed.name for feed in feeds}) == len({canonical_url(feed.url) for feed in feeds}) == len(feeds)
    )
    for feed in feeds:
        assert web_address(feed.url, "") == feed.url, feed.name
        assert web_address(feed.site, "") == feed.site, feed.name
        assert feed.topics, feed.name
        assert set(feed.topics) <= TOPICS, feed.name
        assert 2 <= len(feed.country) <= 3, feed.name
        assert feed.country.islower(), feed.name
        assert len(feed.language) == 2, feed.name


def test_it_covers_the_world_and_the_topics() -> None:
    feeds = catalogue.load()
    assert {topic for feed in feeds for topic in feed.topics} == TOPICS
    assert len({feed.language for feed in feeds}) >= 5
    assert len({feed.country for feed in feeds}) >= 12
