"""Refuse to build a site that would ask another machine for anything when it is read."""

import re
from pathlib import Path

from mkdocs.exceptions import PluginError

FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link[^>]*\srel=["']?(?:stylesheet|preconnect|preload)[^>]*\shref=["']?(?:https?:)?//[^"'\s>]+"""
)


def on_post_build(config: dict) -> None:
    """Read every built page; name the first that loads something from elsewhere."""
    for page in Path(config["site_dir"]).rglob("*.html"):
        found = FETCHED.search(page.read_text(encoding="utf-8"))
        if found:
            raise PluginError(f"{page} loads {found[0]} from elsewhere: the docs must be readable offline.")
