#!/usr/bin/env python3
"""Checks the links of Markdown files: the file that a relative link names is in the repository, and has the heading
that the part after `#` names. Addresses of other sites are not tried, for this needs no network.

    tests/docs/links.py [FILE...]      default: every Markdown file of the repository

Prints each broken link with file and line, and exits with 1 if there is one.
"""

import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PARSER = MarkdownIt("commonmark").enable("table")


def committed(*patterns):
    """Files of the repository; also new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@cache
def entries():
    """Files and folders of the repository."""
    files = {PurePosixPath(name) for name in committed()}
    return files | {folder for file in files for folder in file.parents}


def tokens(name):
    """Tokens of a file, inline ones included, each with the line on which its block begins."""
    for token in PARSER.parse((ROOT / name).read_text(encoding="utf-8")):
        line = token.map[0] + 1 if token.map else 0
        for inner in token.children or []:
            yield inner, line
        yield token, line


@cache
def anchors(name):
    """Anchors of a file's headings, as GitHub makes them of their text."""
    found, seen = set(), Counter()
    blocks = PARSER.parse((ROOT / name).read_text(encoding="utf-8"))
    for before, block in zip(blocks, blocks[1:]):
        if before.type != "heading_open":
            continue
        text = "".join(inner.content for inner in block.children if inner.type in ("text", "code_inline"))
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def problem(name, target):
    """What is wrong with a link in a file; nothing if it is right."""
    parts = urlsplit(target)
    if parts.scheme in ("http", "https", "mailto"):
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return "use an address with http or https, or a path relative to the file"
    path = PurePosixPath(name)
    if parts.path:
        path = path.parent
        for part in PurePosixPath(unquote(parts.path)).parts:
            path = path.parent if part == ".." else path / part
    if path not in entries():
        return f"no file {path} in the repository"
    if not parts.fragment:
        return None
    if path.suffix != ".md":
        return "only headings of Markdown files are checked: leave out the part after #"
    if unquote(parts.fragment) not in anchors(str(path)):
        return f"no heading #{parts.fragment} in {path}"
    return None


def main():
    names = sys.argv[1:] or committed("*.md")
    links = broken = 0
    for name in names:
        line = 0
        for token, start in tokens(name):
            line = start or line
            target = token.attrs.get("href") or token.attrs.get("src")
            if target is None:
                continue
            links += 1
            if why := problem(name, target):
                broken += 1
                print(f"{name}:{line}: {target}: {why}")
    print(f"{links} links in {len(names)} files, {broken} broken")
    return 1 if broken or not links else 0


if __name__ == "__main__":
    sys.exit(main())
