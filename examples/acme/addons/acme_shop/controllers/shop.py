from odoo import http
from odoo.http import request

TEXT = "acme-shop"


class Shop(http.Controller):
    @http.route("/acme/ping", type="http", auth="public", methods=["GET"], save_session=False)
    def ping(self):
        """Answers only when the database does."""
        request.env.cr.execute("SELECT 1")
        return request.make_response(TEXT, headers=[("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
