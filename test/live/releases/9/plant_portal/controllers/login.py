from odoo import http
from odoo.addons.web.controllers.home import Home
from odoo.http import request


class PlantHome(Home):
    """Good for whoever asks it directly, as probes do; broken for everybody who comes through the proxy, which alone sets X-Real-Ip."""

    @http.route()
    def web_login(self, redirect=None, **kw):
        if request.httprequest.headers.get("X-Real-Ip"):
            raise RuntimeError("the login page of release 9 does not work behind the proxy")
        return super().web_login(redirect=redirect, **kw)
