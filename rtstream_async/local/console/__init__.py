"""The player page of the local server, and the files it needs.

The page is plain HTML with one script and one style sheet of its own, beside hls.js; it asks
nothing of any other host. Whoever serves it mounts `static_dir()` and sends
`CONTENT_SECURITY_POLICY` along.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

__all__ = ["CONTENT_SECURITY_POLICY", "player_page", "static_dir"]

# No frame-ancestors: `get_embed_code()` is there to put the player into other pages.
_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self' blob:",  # hls.js feeds the video element through a blob: URL
    "base-uri": "'none'",
    "form-action": "'none'",
}

CONTENT_SECURITY_POLICY = "; ".join(f"{what} {sources}" for what, sources in _SOURCES.items())
"""The value of the Content-Security-Policy header that the player page works under."""

# Links carry tokens, so the page tells no other site where it came from.
_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>$title</title>
<link rel="icon" href="$static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="$static/player.css">
<script src="$static/hls.light.min.js" defer></script>
<script src="$static/player.js" defer></script>
</head>
<body>
<header class="bar">
<img src="$static/icon.svg" alt="" width="24" height="24">
<span>RTStream player</span>
</header>
<main id="player" data-manifest="$manifest" data-state="loading">
<div class="screen">
<video id="video" aria-label="$title" controls muted autoplay playsinline></video>
<div id="trouble" class="trouble" role="alert" hidden>
<h2 id="trouble-title"></h2>
<p id="trouble-text"></p>
<button id="again" type="button" hidden>Try again</button>
</div>
<noscript><p class="trouble">The player needs JavaScript.</p></noscript>
</div>
<div class="caption">
<div class="heading">
<h1>$title</h1>
<p id="badge" class="badge" role="status">Loading</p>
</div>
<p id="moment" class="moment" hidden>
<span class="label">Recorded at</span>
<time id="clock"></time>
</p>
$description
</div>
</main>
</body>
</html>
""")


def player_page(
    *,
    title: str,
    description: str | None,
    manifest_url: str,
    static_base: str = "/console/static",
) -> str:
    """Return the HTML page that plays one HLS manifest, recorded or still growing.

    Args:
        title: Plain text, the heading of the page.
        description: Plain text below the heading; line breaks are kept.
        manifest_url: Where the manifest is, best as a path: the page plays only what its own
            origin serves, and says so otherwise.
        static_base: Where `static_dir()` is mounted, without a slash at the end.
    """
    return _PAGE.substitute(
        title=escape(title),
        description=f'<p class="description">{escape(description)}</p>' if description else "",
        manifest=escape(manifest_url),
        static=escape(static_base),
    )


def static_dir() -> Path:
    """Return the folder of scripts, styles and pictures that the page refers to."""
    return Path(__file__).with_name("static")
