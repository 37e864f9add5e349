import time

from odoo import http
from odoo.http import request

from .release import NUMBER

LONGEST = 10


class PlantPortal(http.Controller):
    @http.route("/plant/version", type="http", auth="none", methods=["GET"], save_session=False)
    def version(self):
        return request.make_response(f"release {NUMBER}", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])

    @http.route("/plant/slow", type="http", auth="none", methods=["GET"], save_session=False)
    def slow(self, seconds="4"):
        """Keeps a worker busy, as a long report does."""
        time.sleep(min(float(seconds), LONGEST))
        return request.make_response(f"release {NUMBER} took its time", [("Content-Type", "text/plain")])
