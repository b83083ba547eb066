#!/usr/bin/env python3
"""visible-text FILE: what a reader of an HTML page sees, as plain text; a line for a paragraph, a row or a label.

Marks on the axes of charts are left out: they follow from the values, which are printed. Of a figure that shows
seconds, the front is left out too: who is on it changes from run to run.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

INLINE = {"a", "abbr", "b", "code", "em", "i", "q", "small", "span", "strong", "sub", "sup", "u", "button"}
UNSEEN = {"script", "style", "head", "title"}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.pieces, self.unseen, self.chart = [], 0, False

    def handle_starttag(self, tag, attributes):
        if tag == "svg":
            self.chart = True
        elif tag in UNSEEN and not self.chart:
            self.unseen += 1
        if tag in ("td", "th"):
            self.pieces.append(" | ")
        elif tag == "dd":
            self.pieces.append(": ")
        elif tag not in INLINE:
            self.pieces.append("\n")
        else:
            self.pieces.append(" ")

    def handle_endtag(self, tag):
        if tag == "svg":
            self.chart = False
        elif tag in UNSEEN and not self.chart:
            self.unseen -= 1
        if tag not in INLINE | {"td", "th", "dt"}:
            self.pieces.append("\n")

    def handle_data(self, data):
        mark = self.chart and re.fullmatch(r"[\d.e+-]+", data.strip())
        if not self.unseen and not mark:
            self.pieces.append(data if self.lasttag == "pre" else re.sub(r"\s+", " ", data))


def main():
    reader = Reader()
    reader.feed(Path(sys.argv[1]).read_text())
    lines = [re.sub(r" +", " ", line).strip() for line in "".join(reader.pieces).split("\n")]
    lines = [line.removeprefix("| ") for line in lines if line]
    seconds, previous = "time in the network", ""
    for line in lines:
        if "settings; nothing beats these in both" in line and previous.endswith(seconds):
            line = line.partition(":")[0] + ": <those on the front>"
        print(line)
        previous = line


if __name__ == "__main__":
    main()
