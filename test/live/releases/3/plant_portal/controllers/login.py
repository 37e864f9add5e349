from odoo import http
from odoo.addons.web.controllers.home import Home


class PlantHome(Home):
    """The release that every health route calls healthy: only the page that people need is broken."""

    @http.route()
    def web_login(self, redirect=None, **kw):
        raise RuntimeError("the login page of release 3 is broken")
