"""What does the name of a stored body end with? By its content type, or as its URL does where that is no help.

Nothing that a server says gets into a name but up to eight ASCII letters and digits.
"""

from __future__ import annotations

import re
from typing import Final

_BY_TYPE: Final = {
    "application/epub+zip": ".epub",
    "application/gzip": ".gz",
    "application/java-archive": ".jar",
    "application/javascript": ".js",
    "application/json": ".json",
    "application/ld+json": ".jsonld",
    "application/msword": ".doc",
    "application/ogg": ".ogx",
    "application/pdf": ".pdf",
    "application/postscript": ".ps",
    "application/rtf": ".rtf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/x-7z-compressed": ".7z",
    "application/x-bzip2": ".bz2",
    "application/x-gzip": ".gz",
    "application/x-tar": ".tar",
    "application/x-xz": ".xz",
    "application/xhtml+xml": ".xhtml",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "application/zstd": ".zst",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/midi": ".mid",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".weba",
    "audio/x-wav": ".wav",
    "font/otf": ".otf",
    "font/ttf": ".ttf",
    "font/woff": ".woff",
    "font/woff2": ".woff2",
    "image/apng": ".apng",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/jxl": ".jxl",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif",
    "image/vnd.microsoft.icon": ".ico",
    "image/webp": ".webp",
    "image/x-icon": ".ico",
    "text/calendar": ".ics",
    "text/css": ".css",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/javascript": ".js",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/tab-separated-values": ".tsv",
    "text/xml": ".xml",
    "video/mp4": ".mp4",
    "video/mpeg": ".mpeg",
    "video/ogg": ".ogv",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-msvideo": ".avi",
}
_ENDING: Final = re.compile(r"[^.]\.([A-Za-z0-9]{1,8})\Z")


def extension(content_type: str | None, url: str) -> str:
    """With its dot, lower case; empty if nothing is known."""
    essence = (content_type or "").partition(";")[0].strip().lower()
    if found := _BY_TYPE.get(essence):
        return found
    match = _ENDING.search(url.partition("?")[0].rpartition("/")[2])
    return f".{match[1].lower()}" if match else ""
