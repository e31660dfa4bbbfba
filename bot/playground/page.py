"""The page's side of the server: what a browser asks for and does."""

from aiohttp import web

from bot.playground.acts import Acts
from bot.playground.workspace import Change, Workspace


class Page:
    """Serves files; the page itself follows."""

    def __init__(self, workspace: Workspace, acts: Acts) -> None:
        self._workspace = workspace
        self._acts = acts

    def add_routes(self, application: web.Application) -> None:
        """Add the page's addresses."""
        application.router.add_get("/files/{file}/{name}", self._file)

    def notice(self, change: Change) -> None:
        """Show a change."""

    def close(self) -> None:
        """End every stream."""

    async def _file(self, request: web.Request) -> web.Response:
        file = self._workspace.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        return web.Response(body=self._workspace.file_bytes[file["id"]], content_type=file["mimetype"])
