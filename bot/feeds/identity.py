"""When two entries are the same: by the publisher's id, else by the address, else by title and date.

Publishers move from http to https, add `www.`, campaign parameters and AMP versions, and every one of
these would otherwise be a flood of "new" entries or the same article twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bot.feeds.model import Entry

# Parameters that say where a reader came from and never what is shown; checked against the
# documentation of the analytics systems that set them. Names ending in "_" stand for all that begin so.
_TRACKING_PREFIXES: Final = (
    "utm_", "at_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "oly_", "vero_", "ns_", "mc_",
)  # fmt: skip
_TRACKING: Final = frozenset((
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid",
    "ttclid", "igshid", "igsh", "li_fat_id", "mkt_tok", "epik", "_hsenc", "_hsmi", "__hstc",
    "__hssc", "__hsfp", "hsctatracking", "wickedid", "s_cid", "s_kwcid", "ef_id", "ml_subscriber",
    "ml_subscriber_hash", "cmp", "cmpid", "cmp_id", "icid", "ocid", "ncid", "smid", "smtyp", "ftag",
    "guccounter", "guce_referrer", "guce_referrer_sig", "xtor", "wt_mc", "wt_zmc",
    "__twitter_impression", "ref_src", "ref_url", "referrer", "share_id", "sharetype", "rss",
    "feedtype", "spm", "scid", "trk", "trkcampaign", "amp", "usqp", "_gl", "_ga", "fb_action_ids",
    "fb_source", "action_object_map", "campaign_id", "mbid", "rsslink",
))  # fmt: skip
# Parameters that track only with such a value ("ref=rss", but not "ref=12345").
_SENDERS: Final = frozenset((
    "rss", "feed", "atom", "twitter", "facebook", "newsletter", "email", "social", "homepage", "mastodon",
    "bluesky", "linkedin", "telegram",
))  # fmt: skip
_AMP_VALUES: Final = frozenset(("amp",))
_TRACKING_VALUES: Final = {
    **dict.fromkeys(("ref", "source", "src", "via", "from"), _SENDERS),
    **dict.fromkeys(("output", "outputtype", "view", "format"), _AMP_VALUES),
}
_AMP_CACHE: Final = re.compile(r"/(?:[acv]|i|r|wp)/(?:s/)?([a-z0-9.-]+\.[a-z]{2,24})(/.*|$)", re.IGNORECASE)
_AMP_VIEWER: Final = re.compile(r"/amp/(?:s/)?([a-z0-9.-]+\.[a-z]{2,24})(/.*|$)", re.IGNORECASE)
# An address in which nothing is to be decoded, sorted or taken out.
_PLAIN: Final = re.compile(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(/[A-Za-z0-9._~/-]*)?")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LONGEST: Final = 4096
_VERSIONS: Final = 2


def canonical_url(url: str) -> str:
    """Give the one form that an address and its variants share; for comparing, not for fetching.

    https always, no `www.`, no default port, no fragment, no user, no tracking parameters, AMP unwrapped,
    the rest of the query sorted, no slash at the end. What is no http(s) address comes back as it is.
    """
    url = url.strip()
    if len(url) > _LONGEST:
        return url
    if plain := _PLAIN.fullmatch(url):
        host, path = _host_of_pages(plain[1]), plain[2] or ""
        lowered = path.lower()
        # One by one: a loop over them takes as long as all the rest.
        if host and "/amp" not in lowered and ".amp" not in lowered and "/index." not in lowered:
            return f"https://{host}{path.rstrip('/')}"
    return _canonical(url)


@lru_cache(1024)
def _host_of_pages(host: str) -> str:
    """Give the plain form of a host, "" for one that shows the pages of others."""
    return "" if "ampproject.org" in host or "bing-amp.com" in host else _plain_host(host)


def _canonical(url: str) -> str:
    """The same for an address of any kind; most need none of this, and it takes five times as long."""
    try:
        # White space of any kind as browsers send it; at the end of a part it would be taken off next time.
        parts = urlsplit("%20".join(url.split()))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    if parts.scheme not in ("http", "https") or not host:
        return url
    path = parts.path
    unwrapped = _amp_target(host, path)
    if unwrapped:
        host, path = unwrapped
        port = None
    host = _plain_host(host.rstrip("."))
    path = _plain_path(path)
    query = "&".join(sorted(part for part in parts.query.split("&") if part and not _is_tracking(part)))
    # A fragment names a place in a page, except where a site draws pages by it ("#!/").
    fragment = "#" + parts.fragment if parts.fragment.startswith("!") else ""
    shown_port = f":{port}" if port not in (None, 80, 443) else ""
    return f"https://{host}{shown_port}{path}{'?' + query if query else ''}{fragment}"


def url_key(url: str) -> str | None:
    """Give a short key (32 hex digits) of an article's address, the same across feeds; None without one."""
    return _hashed("url", canonical_url(url)) if url else None


def entry_key(entry: Entry) -> str:
    """Give a short key (32 hex digits) of an entry within its feed.

    An id that is an address keeps its every letter but scheme and `www.`: RFC 4287 (section 4.2.6.1) wants
    ids compared as they stand, and publishers change these two when their site moves to https.
    """
    if entry.id:
        scheme, separator, rest = entry.id.partition("://")
        if separator and scheme.lower() in ("http", "https"):
            return _hashed("id", "https://" + rest.removeprefix("www."))
        return _hashed("id", entry.id)
    if entry.url:
        return _hashed("url", canonical_url(entry.url))
    date = entry.published or entry.updated
    return title_key(entry.title, date) or _hashed("text", entry.content or entry.summary)


def title_key(title: str, date: datetime | None) -> str | None:
    """Give the key of an entry that has neither an id nor an address of its own; None without a title."""
    title = " ".join(title.casefold().split())
    return _hashed("title", f"{title}\0{date.date().isoformat() if date else ''}") if title else None


def shared_ids(entries: Sequence[Entry]) -> frozenset[str]:
    """Give what several articles of one document have for their id, and so is none ("0", the site's address).

    Two entries with one id may be versions of one of which something was changed (RFC 4287, section 4.1.1).
    """
    times = Counter(entry.id for entry in entries)
    repeated = frozenset(one for one, number in times.items() if one and number > _VERSIONS)
    return repeated and _shared(
        (entry.id, (canonical_url(entry.url), entry.title.casefold()))
        for entry in entries
        if entry.id in repeated
    )


def shared_addresses(entries: Sequence[Entry], ids: Collection[str] = ()) -> frozenset[str]:
    """Give the keys of addresses that several entries without ids have with different titles in one document.

    So link some feeds all their entries to one page, if to different places in it. `ids` are none.
    """
    bare = [entry for entry in entries if entry.url and (not entry.id or entry.id in ids)]
    if len(bare) <= _VERSIONS:
        return frozenset()
    return _shared((url_key(entry.url) or "", entry.title.casefold()) for entry in bare)


def _shared(pairs: Iterable[tuple[str, Any]]) -> frozenset[str]:
    """Give what stands with more different things than one has versions."""
    times = Counter(one for one, _ in set(pairs))
    return frozenset(one for one, number in times.items() if number > _VERSIONS)


def _hashed(kind: str, text: str) -> str:
    return blake2b(f"{kind}\0{text}".encode("utf-8", "replace"), digest_size=16).hexdigest()


def _is_tracking(part: str) -> bool:
    name, _, value = part.partition("=")
    name = name.lower()
    if name in _TRACKING or name.startswith(_TRACKING_PREFIXES):
        return True
    values = _TRACKING_VALUES.get(name)
    return values is not None and value.lower() in values


def _amp_target(host: str, path: str) -> tuple[str, str] | None:
    """Give host and path of the article that an AMP cache or viewer wraps."""
    if host.endswith(".cdn.ampproject.org") or host == "cdn.ampproject.org":
        match = _AMP_CACHE.match(path)
    elif host.startswith(("www.google.", "google.")) and path.startswith("/amp/"):
        match = _AMP_VIEWER.match(path)
    elif host.endswith((".bing-amp.com", "bing-amp.com")):
        match = _AMP_CACHE.match(path)
    else:
        return None
    return (match.group(1).lower(), match.group(2)) if match else None


def _plain_host(host: str) -> str:
    for prefix in ("www.", "amp.", "m."):
        if host.startswith(prefix) and host.count(".") > 1:
            host = host[len(prefix) :]
    return host


def _plain_path(path: str) -> str:
    if "%" in path:
        path = _ESCAPE.sub(_unescaped, path)
    for ending in ("/amp/", "/amp", ".amp.html", ".amp", "/index.html", "/index.php", "/index.htm"):
        if path.lower().endswith(ending):
            path = path[: -len(ending)] + (".html" if ending == ".amp.html" else "")
            break
    if path.lower().startswith("/amp/"):
        path = path[4:]
    return path.rstrip("/")


def _unescaped(match: re.Match[str]) -> str:
    char = unquote(match.group(), errors="replace")
    return char if char in _UNRESERVED else match.group().upper()
