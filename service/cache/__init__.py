"""The cache in front of the database."""

from service.cache.factory import build_cache, get_cache_service
from service.cache.service import CacheService

__all__ = ["CacheService", "build_cache", "get_cache_service"]
