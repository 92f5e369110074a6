"""The settings of this machine as every process but `serve` finds them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import keys, redis_server
from gateway.faults import RedisUnavailable
from gateway.settings import Settings, load


def find(environ: Mapping[str, str]) -> Settings:
    """Read the settings, complete with keys and the address of a Redis.

    Where none is set it is the one that a `yarigar serve` keeps in the same data
    folder. Raises SettingsError, KeysUnavailable and RedisUnavailable.
    """
    settings = keys.complete(load(environ))
    return settings.model_copy(update={"redis_url": redis_url(settings)})


def redis_url(settings: Settings) -> str:
    """Say where the Redis is; raise RedisUnavailable if none is set and none runs."""
    if settings.redis_url:
        return settings.redis_url
    url = redis_server.running_url(settings.data_dir)
    if url is None:
        raise RedisUnavailable(
            f"no redis_url is set and no `yarigar serve` runs in {settings.data_dir}: "
            "start one, or set redis_url"
        )
    return url


def find_without_redis(environ: Mapping[str, str]) -> Settings:
    """Read the settings with the keys, for what asks the ledger only."""
    return keys.complete(load(environ))
