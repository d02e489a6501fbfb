"""The application: the only place where its parts are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service import __version__
from service.audit.routes import router as audit_router
from service.audit.trail import Trail
from service.auth.lockout import Lockout
from service.auth.passwords import Passwords
from service.auth.routes import router as auth_router
from service.auth.service import AuthService
from service.auth.shortcut import PATH as LOGIN
from service.auth.shortcut import LoginShortcut
from service.cache import build_cache
from service.cache.protocol import CacheBackend
from service.cache.routes import router as cache_router
from service.clock import Clock, SystemClock
from service.database.engine import Database
from service.database.role import RoleCheck
from service.documentation import describe_problems
from service.health.routes import router as health_router
from service.limits import LimitsMiddleware
from service.observability.answered import AnsweredRequests
from service.observability.metrics import Metrics
from service.observability.middleware import PerformanceTrackingMiddleware
from service.observability.tracing.tracer import make_tracer
from service.observability.tracking import Tracking
from service.problem_handlers import install_problem_handlers
from service.roles.routes import router as role_router
from service.roles.service import RoleService
from service.sessions.cleanup import Cleanup
from service.sessions.identities import Identities
from service.sessions.refresh import RefreshService
from service.sessions.routes import router as session_router
from service.sessions.rules import Lifetimes, RefreshRule
from service.sessions.service import SessionService
from service.settings import Settings
from service.tenants.directory import TenantDirectory
from service.tenants.header import DEFAULT_TENANT
from service.tenants.routes import router as tenant_router
from service.tenants.service import TenantService
from service.tokens.direct import DirectValidation
from service.tokens.keys import SigningKeys
from service.tokens.routes import router as token_router
from service.tokens.routes import well_known_router
from service.tokens.secret import load_signing_secret
from service.tokens.service import TokenService
from service.tokens.validate import PATH as VALIDATE
from service.tokens.validate import ValidateEndpoint
from service.users.copies import UserCopies
from service.users.routes import router as user_router
from service.users.service import UserService

_DESCRIPTION = "A multi-tenant authentication service. Errors are problem documents (RFC 9457)."


_ROUTERS = (
    *(auth_router, session_router, token_router, well_known_router),
    *(user_router, role_router, tenant_router, audit_router, cache_router),
    health_router,
)


class Application(FastAPI):
    """FastAPI with one path beside it: even to be passed on by its layers would cost that path a quarter more.

    `direct` is what the server asks first.
    """

    hot_path: ASGIApp
    direct: DirectValidation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "http" and scope["path"] == VALIDATE and scope["method"] == "GET":
            await self.hot_path(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, *, clock: Clock | None = None, store: CacheBackend | None = None) -> FastAPI:
    """Build the application. A test may bring a clock, or a store for the cache, of its own."""
    clock = clock or SystemClock()
    metrics = Metrics(release=settings.release, clock=clock)
    database = Database(settings)
    metrics.watch_pool(
        size=database.pool_size,
        in_use=lambda: database.connections_in_use,
        idle=lambda: database.connections_idle,
    )
    cache = build_cache(settings, database, clock, metrics, store)
    passwords = Passwords(settings, metrics)
    tenants = TenantDirectory(database)
    lockout = Lockout(settings.login_failures, settings.login_window_seconds)
    cleanup = Cleanup(settings, database, lockout, clock, metrics)
    role_check = RoleCheck(database, clock, metrics)
    answered = AnsweredRequests(clock, make_tracer(settings, metrics, clock))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await cache.keeper.round()
        await tenants.remember(DEFAULT_TENANT)
        works = [
            cache.keeper.run(),
            cleanup.run(),
            role_check.run(),
            *([answered.tracer.export.run()] if answered.tracer else []),
        ]
        background = [asyncio.create_task(work) for work in works]
        yield
        for task in background:
            task.cancel()
        await asyncio.wait(background)
        passwords.close()
        await cache.service.close()
        await database.close()
        await answered.close()

    app = Application(
        title="Janua",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        # It would measure each request once more, and send what it finds wherever OTEL_… variables say.
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.draining = False
    app.state.metrics = metrics
    app.state.answered = answered
    app.state.database = database
    app.state.cache = cache.service
    trail = Trail(database, metrics)
    secret = load_signing_secret(settings)
    lifetimes = Lifetimes(settings.access_token_seconds, settings.refresh_token_seconds, settings.session_seconds)
    identities = Identities(database, cache.service, clock)
    sessions = SessionService(database, trail, cache.service, clock, lifetimes)
    copies = UserCopies(database, cache.service, clock)
    keys = SigningKeys(secret, settings.jwt_rotation_seconds)
    app.state.identities = identities
    app.state.sessions = sessions
    app.state.refresh = RefreshService(sessions, RefreshRule(settings.refresh_grace_seconds), secret.derive("refresh"))
    app.state.tokens = TokenService(settings, identities, trail, cache.service, clock, keys)
    app.state.auth = AuthService(
        database, trail, cache.service, passwords, lockout, identities, sessions, tenants, clock
    )
    app.state.users = UserService(database, trail, copies, lockout, clock)
    app.state.roles = RoleService(database, trail, copies, clock)
    app.state.tenants = TenantService(database, trail, passwords, clock)
    _add_routes(app, clock, answered)
    return app


def _add_routes(app: Application, clock: Clock, answered: AnsweredRequests) -> None:
    """Add the routes, and what stands before them."""
    settings, metrics = app.state.settings, app.state.metrics
    for router in _ROUTERS:
        app.include_router(router)
    routes = [route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    by_path = {route.path: route for route in routes}
    # The last one added is the outermost: it sees every answer, those of the limits too.
    app.add_middleware(LoginShortcut, auth=app.state.auth, metrics=metrics, route=by_path[LOGIN])
    app.add_middleware(LimitsMiddleware, max_bytes=settings.max_body_bytes, seconds=settings.request_timeout_seconds)
    tracking = Tracking(metrics, clock, answered)
    app.add_middleware(PerformanceTrackingMiddleware, tracking=tracking)
    endpoint = ValidateEndpoint(app.state.identities, metrics, clock, by_path[VALIDATE])
    app.hot_path = PerformanceTrackingMiddleware(endpoint, tracking=tracking)
    app.direct = DirectValidation(app.state.identities, metrics, clock, tracking)
    install_problem_handlers(app)
    metrics.initialise_routes(
        (method, route.path, route.status_code or 200) for route in routes for method in route.methods or ()
    )
    app.state.routes = [*routes, *(route for route in app.routes if isinstance(route, Route))]
    describe_problems(app)
