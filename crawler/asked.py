"""Which configuration, and which directory, is meant by what a program asks of `crawler.api`?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawler.config import CrawlConfig
from crawler.config.file import load
from crawler.config.rules import problems
from crawler.directory import CrawlDirectory
from crawler.enrolling import refuse_alone
from crawler.errors import ConfigError
from crawler.reopen import load_stored

if TYPE_CHECKING:
    from crawler.generations import Generation


class Asked(NamedTuple):
    """What a crawl is to be made of, and where."""

    config: CrawlConfig
    directory: Path  #: of the crawl; of a refresh, where it will be once it is whole
    folder: Path | None  #: what relative paths of the configuration start from
    is_stored: bool  #: whether the configuration is the crawl's own
    making: Path | None  #: where a refresh is made
    generation: Generation | None


def check_together(*, fresh: bool, resume: bool, due: bool, refresh: bool, repair: bool, sinks: bool) -> None:
    """Refuse arguments of `api.Crawl` that exclude one another.

    Raises:
        ConfigError: Two of them do.
    """
    if fresh and resume:
        raise ConfigError("fresh begins anew; resume, retry_failed, repair and refresh go on: expected one of them")
    if due and not refresh:
        raise ConfigError("due says what a refresh visits: expected refresh=True with it")
    if repair and sinks:
        raise ConfigError("repair: nobody knows what sinks of your own lack: repair without them, and fill them anew")


def asked_for(
    config: CrawlConfig | str | os.PathLike[str] | None,
    directory: str | os.PathLike[str] | None,
    *,
    resume: bool,
    refresh: bool,
    due: bool,
    repair: bool = False,
    retry: bool = False,
) -> Asked:
    """The arguments of `api.Crawl`, looked up.

    Raises:
        ConfigError: They cannot be meant, or there is nothing to refresh.
        CrawlerError: What lies there cannot be read.
    """
    folder: Path | None = None
    stored = None
    path = None if directory is None else Path(directory)
    if isinstance(config, CrawlConfig):
        for problem in problems(config):  # a YAML file's have been told when it was loaded
            raise ConfigError(f"{problem.key}: {problem.value}: {problem.expected}")
    elif isinstance(config, str | os.PathLike):
        loaded = load(Path(config))
        config, folder = loaded.config, loaded.folder
    elif config is not None:
        raise ConfigError(f"config: {config!r}: expected a CrawlConfig or the path of a YAML file")
    generation, making = None, None
    if refresh:
        from crawler.refresh.begin import next_generation, stored_of  # noqa: PLC0415 - only a refresh pays for it

        if path is None and config is None:
            raise ConfigError("nothing to refresh: name the crawl's directory")
        path = path or Path("data") / (config or CrawlConfig()).name
        generation, making = next_generation(path, due=due)
        stored = stored_of(generation, making) if config is None else None
    elif config is None and resume and path is not None:
        stored = load_stored(CrawlDirectory(path))
    config = stored.config if stored else config or CrawlConfig()
    if refresh and config.frontier == "memory":
        raise ConfigError("frontier: memory keeps nothing that a refresh could go by: expected sqlite")
    refuse_alone(config, refresh=refresh, repair=repair, retry=retry)
    return Asked(config, path or Path("data") / config.name, folder, stored is not None, making, generation)
