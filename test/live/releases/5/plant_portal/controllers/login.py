import itertools
import logging
import os
import signal
import tempfile
import time
from pathlib import Path

from odoo import http
from odoo.addons.bus.controllers.websocket import WebsocketController
from odoo.addons.web.controllers.home import Home
from odoo.http import request

ILLNESS = Path(tempfile.gettempdir()) / "plant-illness"
LEAK = 1 << 20

_logger = logging.getLogger(__name__)
_asked = itertools.count(1)
_leaked = []


def illness():
    return ILLNESS.read_text() if ILLNESS.exists() else ""


class PlantHome(Home):
    """Good until `/plant/break` is called, then ill in every worker: a release that goes bad while it is being watched."""

    @http.route("/plant/break", type="http", auth="none", methods=["GET"], save_session=False)
    def plant_break(self, how="login"):
        ILLNESS.write_text(how)
        if how == "dies":
            os.kill(os.getppid(), signal.SIGKILL)
        return request.make_response("ill from now on", [("Content-Type", "text/plain")])

    @http.route()
    def web_login(self, redirect=None, **kw):
        how, asked = illness(), next(_asked)
        if how == "login" or how == "fails" and asked % 50 == 0:
            raise RuntimeError("the login page of release 5 broke after a while")
        if how == "slow" and asked % 12 == 0:
            time.sleep(1.2)
        if how == "leaks":
            _leaked.append(bytearray(b"x") * LEAK)
        if how == "complains":
            _logger.error("release 5 complains of request %s", asked)
        return super().web_login(redirect=redirect, **kw)


class PlantSocket(WebsocketController):
    @http.route()
    def health(self):
        if illness() == "websocket":
            raise RuntimeError("the websockets of release 5 broke after a while")
        return super().health()
