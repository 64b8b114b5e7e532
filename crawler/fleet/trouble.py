"""Which errors of Redis pass by themselves, and what are they called?"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as AwayError
from redis.exceptions import TimeoutError as SilentError

from crawler.errors import ConfigError, FrontierError

if TYPE_CHECKING:
    from collections.abc import Iterator

ERRORS: Final = (RedisError, RedisClusterException, OSError)
"""What any call may raise."""

_LOGIN: Final = (AuthenticationError, AuthorizationError, AuthenticationWrongNumberOfArgsError)

#: in this order: a class and what is said of it. TimeoutError is an OSError, a login refused an AwayError
_WORDS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((BusyLoadingError,), "is loading its data"),
    ((OutOfMemoryError,), "is out of memory"),
    ((ReadOnlyError,), "is a replica, which takes no writes"),
    ((ClusterDownError, TryAgainError, RedisClusterException), "is of a cluster that is not whole"),
    ((SilentError, TimeoutError), "does not answer"),
    ((AwayError, OSError), "cannot be reached"),
)

#: of errors that have no class of their own, or (before Redis 7) come wrapped in that of a script
_CODES: Final = {
    "MISCONF": "cannot write to its disk",
    "NOREPLICAS": "has too few replicas to write",
    "BUSY": "is busy with a script of somebody's",
    "OOM": "is out of memory",
    "READONLY": "is a replica, which takes no writes",
    "CLUSTERDOWN": "is of a cluster that is not whole",
}
_CODE: Final = re.compile(rf"(?:^|: -)({'|'.join(_CODES)}) ")


def why(error: Exception, address: str) -> str:
    """What the trouble is, for people.

    Raises:
        FrontierError: It is none that passes.
    """
    if not isinstance(error, _LOGIN):
        for classes, words in _WORDS:
            if isinstance(error, classes):
                return f"Redis at {address} {words}"
        if isinstance(error, ResponseError) and (match := _CODE.search(str(error))):
            return f"Redis at {address} {_CODES[match[1]]}"
    raise FrontierError(f"Redis at {address} refuses what is asked of it ({str(error)[:300]})") from error


@contextlib.contextmanager
def explained(address: str) -> Iterator[None]:
    """Raise the errors of a server that is only being met as ours.

    Raises:
        ConfigError: It refuses the login.
        FrontierError: Anything else is the matter.
    """
    try:
        yield
    except _LOGIN as error:
        raise ConfigError(f"Redis at {address} refuses the login: {error}") from error
    except ERRORS as error:
        raise FrontierError(f"Redis at {address} cannot be used: {error}") from error
