"""What has a chart drawn, as its SVG tells?"""

import re
from xml.etree import ElementTree as ET

from crawler.report import charts
from crawler.report.charts import Series
from crawler.report.scales import ticks

PATH = re.compile(r"M(\S+) (\S+)v-(\S+)h(\S+)v(\S+)z")


def rectangles(svg):
    """(left, bottom, width, height) of all columns."""
    for path in svg.iter("path"):
        for x, y, up, across, down in PATH.findall(path.get("d", "")):
            assert up == down
            yield float(x), float(y), float(across), float(up)


def draw(series, **others):
    named = [Series(f"<{n}>", "c-fetched", values) for n, values in enumerate(series)]
    highest = max((sum(column) for column in zip(*series, strict=True)), default=0)
    others = {"axis": ticks(highest), "value": "{:g}".format} | others
    return ET.fromstring(charts.columns("<t>", "<d>", named, **others))
