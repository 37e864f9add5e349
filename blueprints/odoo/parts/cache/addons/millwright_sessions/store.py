"""Odoo's session store on Redis, for 17.0, 18.0 and 19.0.

Only what touches files is replaced: `rotate`, `generate_key`, `is_valid_key` and `delete_old_sessions` of Odoo call nothing but the
methods below. Keys: `session:s:<sid>` is the session as JSON, `session:i:<first 42 characters>` the set of sids of one device. Both
expire a session's lifetime after the last save.
"""

import json
import logging
import os
import tempfile

from odoo import http
from werkzeug.exceptions import ServiceUnavailable

from .resp import Client, RedisError

_logger = logging.getLogger(__name__)

PASSWORD_FILE = "/run/secrets/redis_odoo"
IDENTIFIER_LENGTH = 42
BATCH = 1000


def _read_password():
    with open(os.environ.get("MILLWRIGHT_SESSIONS_PASSWORD_FILE", PASSWORD_FILE)) as file:
        return file.read().strip()


class RedisSessionStore(http.FilesystemSessionStore):
    def __init__(self):
        # The folder is for the base class only: nothing is written to it.
        super().__init__(tempfile.gettempdir(), session_class=http.Session, renew_missing=True)
        host, _, port = os.environ.get("MILLWRIGHT_SESSIONS_REDIS", "cache:6379").rpartition(":")
        self._client = Client(host, int(port), "odoo", _read_password)

    def _run(self, *commands):
        """An error is answered with 503, never with a new session: that would give the browser a new cookie and log its user out."""
        try:
            return self._client.run(*commands)
        except (OSError, RedisError) as error:
            _logger.error("sessions: Redis failed: %s", error)
            raise ServiceUnavailable("The session store is not available.", retry_after=5) from error

    def get(self, sid):
        if not self.is_valid_key(sid):
            return self.new()
        (data,) = self._run(("GET", _session_key(sid)))
        if data is None:
            return self.new()
        return self.session_class(json.loads(data), sid, False)

    def save(self, session):
        if not self.is_valid_key(session.sid):
            raise ValueError("invalid session id")
        index = _index_key(session.sid)
        self._run(
            ("SET", _session_key(session.sid), json.dumps(dict(session)), "EX", _lifetime()),
            ("SADD", index, session.sid),
            ("EXPIRE", index, _lifetime()),
        )

    def delete(self, session):
        self._run(("DEL", _session_key(session.sid)), ("SREM", _index_key(session.sid), session.sid))

    def delete_from_identifiers(self, identifiers):
        identifiers = list(identifiers)
        for identifier in identifiers:
            # A pattern here, or a single string taken for a list of characters, would reach sessions nobody named.
            if not http._session_identifier_re.match(identifier):
                raise ValueError("Identifier format incorrect, did you pass in a string instead of a list?")
        for identifier in identifiers:
            index = "session:i:" + identifier
            (members,) = self._run(("SMEMBERS", index))
            self._run(("DEL", index, *(_session_key(sid.decode()) for sid in members)))

    def get_missing_session_identifiers(self, identifiers):
        identifiers = list(set(identifiers))
        missing = set()
        for start in range(0, len(identifiers), BATCH):
            batch = identifiers[start : start + BATCH]
            found = self._run(*(("EXISTS", "session:i:" + identifier) for identifier in batch))
            missing.update(identifier for identifier, exists in zip(batch, found) if not exists)
        return missing

    def vacuum(self, max_lifetime=None):
        """Keys expire by themselves after the default lifetime; only a shorter one leaves something to do."""
        lifetime = _lifetime()
        if max_lifetime is None or max_lifetime >= lifetime:
            return
        cursor = b"0"
        while True:
            ((cursor, keys),) = self._run(("SCAN", cursor, "MATCH", "session:s:*", "COUNT", BATCH))
            if keys:
                left = self._run(*(("TTL", key) for key in keys))
                # A negative answer: gone in the meantime.
                stale = [key for key, seconds in zip(keys, left) if seconds >= 0 and lifetime - seconds > max_lifetime]
                if stale:
                    self._run(("DEL", *stale))
            if cursor == b"0":
                return


def _session_key(sid):
    return "session:s:" + sid


def _index_key(sid):
    return "session:i:" + sid[:IDENTIFIER_LENGTH]


def _lifetime():
    return int(http.SESSION_LIFETIME)
