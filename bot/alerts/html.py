"""Cards as a web page that looks like Discord's dark theme, for `quash preview --html` and pictures.

The page is whole by itself: no script, no font, no picture from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bot.alerts.cards import Card, CardSource, demand_parts, look_of
from bot.alerts.foreign import plain_text, safe_url

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Quash: preview</title>
<style>
body {{ background: #313338; color: #dbdee1; font: 16px/1.375 "gg sans", "Noto Sans", "Helvetica Neue",
  Helvetica, Arial, sans-serif; margin: 0; padding: 24px 16px; }}
main {{ max-width: 640px; margin: 0 auto; }}
.message {{ display: flex; gap: 16px; margin: 0 0 24px; }}
.avatar {{ flex: none; width: 40px; height: 40px; border-radius: 50%; background: #0072b2; color: #fff;
  font-weight: 700; display: grid; place-items: center; }}
.name {{ color: #f2f3f5; font-weight: 500; }}
.app {{ background: #5865f2; color: #fff; font-size: 11px; border-radius: 4px; padding: 1px 5px; }}
.body {{ min-width: 0; flex: 1; }}
article {{ background: #2b2d31; border: 1px solid #3f4147; border-left: 4px solid; border-radius: 8px;
  padding: 14px 16px; margin-top: 4px; overflow-wrap: anywhere; }}
h2 {{ font-size: 18px; line-height: 1.3; margin: 0; }}
a {{ color: #00a8fc; text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
p {{ margin: 8px 0 0; }}
small {{ color: #949ba4; font-size: 13px; }}
blockquote {{ border-left: 4px solid #4e5058; border-radius: 2px; margin: 10px 0 0; padding: 0 0 0 12px; }}
ul {{ margin: 4px 0 0; padding-left: 20px; }}
.buttons {{ display: flex; flex-wrap: wrap; gap: 8px; margin-top: 14px; }}
.buttons span {{ background: #4e5058; color: #fff; border-radius: 8px; font-size: 14px; font-weight: 500;
  padding: 6px 16px; }}
.buttons .primary {{ background: #5865f2; }}
</style>
</head>
<body>
<main>
{cards}
</main>
</body>
</html>
"""


def cards_to_html(cards: Iterable[Card]) -> str:
    """Give the page for cards, in their order."""
    return _PAGE.format(cards="\n".join(_message(card) for card in cards))


def _message(card: Card) -> str:
    return (
        '<section class="message"><div class="avatar" aria-hidden="true">Q</div><div class="body">'
        '<span class="name">Quash</span> <span class="app">APP</span>\n'
        f'<article style="border-left-color: #{look_of(card.standing).colour:06x}">\n'
        + "\n".join(part for part in _parts(card) if part)
        + "\n</article></div></section>"
    )


def _parts(card: Card) -> list[str]:
    full = card.style != "compact"
    demands = "<br>\n".join(
        f"{look_of(d.status).sign} {_text(' · '.join(demand_parts(d)), 300)}" for d in card.demands
    )
    quote = "<br>\n".join(_text(sentence, 400) for sentence in card.summary)
    return [
        _update(card),
        f"<h2>{_link(card.title, card.url)}</h2>",
        f"<small>{_about(card.source, card)}</small>",
        f"<blockquote>{quote}</blockquote>" if quote and full else "",
        f"<p>{demands}</p>" if demands else "",
        _standing(card),
        f"<p><small>{_text(' · '.join(card.topics), 250)}</small></p>" if card.topics and full else "",
        _sources(card) if full else "",
        _buttons(card),
    ]


def _update(card: Card) -> str:
    now = f": now {_text(card.status, 40)}" if card.status else ""
    return f"<p><b>{look_of(card.status).sign} Update{now}</b></p>" if card.is_update else ""


def _standing(card: Card) -> str:
    if not card.moved_on:
        return ""
    return f"<p><b>{look_of(card.moved_on).sign} Now: {_text(card.moved_on, 40)}</b></p>"


def _sources(card: Card) -> str:
    if not card.sources:
        return ""
    items = "".join(f"<li>{_link(s.title, s.url)} <small>{_about('', s)}</small></li>" for s in card.sources)
    left = card.sources_total - len(card.sources)
    more = f"<small>and {left} more</small>" if left > 0 else ""
    return f"<p><b>Further sources</b></p><ul>{items}</ul>{more}"


def _about(source: str, of: Card | CardSource) -> str:
    date = f"{of.published:%d %B %Y}" if of.published else ""
    return _text(" · ".join(part for part in (source, date) if part), 200)


def _buttons(card: Card) -> str:
    follow = '<span class="primary">Follow case</span>' if card.case_id is not None else ""
    return f'<div class="buttons">{follow}<span>Evidence</span><span>Not relevant</span></div>'


def _link(title: str, url: str) -> str:
    shown = _text(title, 256) or "(without a title)"
    address = safe_url(url)
    return f'<a href="{escape(address)}" rel="noreferrer">{shown}</a>' if address else shown


def _text(text: str, limit: int) -> str:
    return escape(plain_text(text, limit))
