import tempfile
from pathlib import Path

from odoo import http
from odoo.addons.web.controllers.home import Home
from odoo.http import request

BROKEN = Path(tempfile.gettempdir()) / "plant-broken"


class PlantHome(Home):
    """Good until `/plant/break` is called, then broken in every worker: a release that dies while it is being watched."""

    @http.route("/plant/break", type="http", auth="none", methods=["GET"], save_session=False)
    def plant_break(self):
        BROKEN.touch()
        return request.make_response("broken from now on", [("Content-Type", "text/plain")])

    @http.route()
    def web_login(self, redirect=None, **kw):
        if BROKEN.exists():
            raise RuntimeError("the login page of release 5 broke after a while")
        return super().web_login(redirect=redirect, **kw)
